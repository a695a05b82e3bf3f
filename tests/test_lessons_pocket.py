"""Every cell of every lesson on an image model and a video model, where the pocket transformer makes the videos."""

from dataclasses import replace

import pytest

from xattn_helpers.backbones.catalogue import CHECKPOINTS
from xattn_helpers.studies.real_size import lessons

# Images stay as they are: in smaller ones rounding adds up to more than the checks by hand allow.
SHORT = {"pocket-t2i": {"steps": 2}, "pocket-dit": {"steps": 2, "frames": 5, "height": 64, "width": 64}}


@pytest.mark.usefixtures("one_thread")
@pytest.mark.parametrize("name", lessons.about_pairs())
def test_every_cell_runs_on_the_pocket_transformer(name, monkeypatch):
    for model, changes in SHORT.items():
        monkeypatch.setitem(CHECKPOINTS, model, replace(CHECKPOINTS[model], **changes))
    outcome = lessons.run(lessons.cells(name, "pocket-t2i", "pocket-dit"))
    assert not outcome.failures, "\n".join(str(failure) for failure in outcome.failures)
