"""Every cell of every lesson on an image model and a video model, where the pocket transformer makes the videos.

The images are those of a small network in a published layout: those of the pocket model take as long as the videos.
"""

from dataclasses import replace

import pytest

from xattn_helpers.backbones.catalogue import CHECKPOINTS
from xattn_helpers.studies.real_size import lessons
from xattn_helpers.studies.real_size.stage import standing_in

IMAGE, VIDEO = "stable-diffusion", "pocket-dit"
SHORT = {"steps": 2, "frames": 5, "height": 64, "width": 64}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("stand_ins")


@pytest.mark.usefixtures("one_thread")
@pytest.mark.parametrize("name", lessons.about_pairs())
def test_every_cell_runs_on_the_pocket_transformer(name, folder, monkeypatch, unprinted):
    unprinted()
    monkeypatch.setitem(CHECKPOINTS, VIDEO, replace(CHECKPOINTS[VIDEO], **SHORT))
    with standing_in((IMAGE,), folder, small=True, device="cpu", steps=2, precision="float32"):
        outcome = lessons.run(lessons.cells(name, IMAGE, VIDEO))
    assert not outcome.failures, "\n".join(str(failure) for failure in outcome.failures)
