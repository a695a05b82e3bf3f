"""Every cell of the lessons on video transformers, on tiny checkpoints in the layouts of Wan and LTX-Video."""

from dataclasses import replace

import pytest
import torch
from video_checkpoints_for_tests import ltx_pipeline, wan_pipeline, write

from xattn_helpers.backbones import places
from xattn_helpers.backbones.catalogue import CHECKPOINTS
from xattn_helpers.studies.real_size import lessons

PIPELINES = {"wan": wan_pipeline, "ltx": ltx_pipeline}
SMALL = {"frames": 9, "height": 64, "width": 96, "steps": 2}
NAMES = [name for name in lessons.names() if name not in lessons.about_pairs()]


@pytest.fixture(scope="module", params=PIPELINES)
def published(request, tmp_path_factory):
    """The name of a transformer, and a tiny checkpoint of it."""
    folder = tmp_path_factory.mktemp("checkpoints") / request.param
    return request.param, write(folder, PIPELINES[request.param]())


@pytest.mark.usefixtures("quick_halves")
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize("name", [*NAMES, "lab/lab"])
def test_every_cell_runs_on_published_layouts(name, precision, published, monkeypatch, unprinted):
    video, folder = published
    if (video, precision) != ("wan", "float32"):
        unprinted()
    monkeypatch.setitem(CHECKPOINTS, video, replace(CHECKPOINTS[video], source=str(folder), **SMALL))
    monkeypatch.setitem(CHECKPOINTS, "pocket", replace(CHECKPOINTS["pocket"], steps=2, frames=2, height=64, width=64))
    monkeypatch.setitem(places.PRECISIONS, "cpu", getattr(torch, precision))
    outcome = lessons.run(lessons.cells(name, video=video))
    assert not outcome.failures, "\n".join(str(failure) for failure in outcome.failures)
    assert outcome.cells > 20 and "left out for this model" in outcome.said


def test_lessons_on_transformers_name_one_model():
    assert NAMES == ["07_transformer", "08_given_video"]
    for name in NAMES:
        models = [cell.code for cell in lessons.cells(name, video="wan") if "VIDEO = " in cell.code]
        assert len(models) == 1 and "VIDEO = 'wan'\n" in models[0]
    with pytest.raises(ValueError, match="in 0 lines; needed is IMAGE, VIDEO = …, once"):
        lessons.cells(NAMES[0], "one", "another")
    with pytest.raises(ValueError, match="names its models in 0 lines; needed is VIDEO = …, once"):
        lessons.cells(lessons.about_pairs()[0], video="wan")
