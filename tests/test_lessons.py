"""Every cell of every lesson on an image model and a video model, on small networks in published layouts."""

import pytest
import torch

from xattn_helpers import load
from xattn_helpers.backbones import places
from xattn_helpers.backbones.catalogue import CHECKPOINTS
from xattn_helpers.studies.real_size import lessons
from xattn_helpers.studies.real_size.stage import SMALL, standing_in

IMAGE, VIDEO = "stable-diffusion", "modelscope"
LEFT_OUT = {  # what a lesson says where only the drawn world has what it needs
    "00": "nothing is counted for this model", "01": "is nan for this model", "05": "could not be loaded",
}  # fmt: skip


pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("stand_ins")


@pytest.mark.usefixtures("quick_halves")
@pytest.mark.parametrize("precision", ["float32", "float16"])
@pytest.mark.parametrize("name", lessons.about_pairs())
def test_every_cell_runs_on_published_layouts(name, precision, folder, unprinted):
    known = dict(CHECKPOINTS)
    if precision != "float32":
        unprinted()
    with standing_in((IMAGE, VIDEO), folder, small=True, device="cpu", steps=2, precision=precision):
        outcome = lessons.run(lessons.cells(name, IMAGE, VIDEO))
    assert not outcome.failures, "\n".join(str(failure) for failure in outcome.failures)
    assert outcome.cells > 15 and LEFT_OUT.get(name[:2], "") in outcome.said
    assert known == CHECKPOINTS and places.PRECISIONS["cpu"] == torch.float32


def test_there_are_lessons():
    assert len(lessons.names()) >= 8 and len(lessons.about_pairs()) >= 7


def test_models_and_precisions_are_replaced_inside_the_block_only(folder):
    with pytest.raises(KeyError, match="no such"):
        with standing_in((IMAGE, VIDEO), folder, small=True, device="cpu", steps=3, precision="float16"):
            loaded = load(VIDEO, "cpu")
            assert loaded.dtype == torch.float16 and loaded.defaults.steps == 3
            assert {name: getattr(loaded.defaults, name) for name in SMALL} == SMALL
            assert load(IMAGE, "cpu").defaults.frames == 1
            raise KeyError("no such")
    assert CHECKPOINTS[VIDEO].source.endswith("1.7b") and CHECKPOINTS[VIDEO].steps == 25


@pytest.fixture
def lesson(tmp_path, monkeypatch):
    """write(source): a lesson of these cells."""
    monkeypatch.setattr(lessons, "FOLDER", tmp_path)
    return lambda source: (tmp_path / "07_made_up.py").write_text(source)


def test_cells_are_split_and_models_replaced(lesson):
    lesson('''# %% [markdown]
# # A title with # %% in it
# %% tags=["colab-setup"]
IMAGE, VIDEO = "pocket-t2i", "pocket"  # on a GPU also others
# %%
print(VIDEO)
# %%
''')
    setup, printing = lessons.cells("07_made_up", "one", "another")
    assert setup.tags == 'tags=["colab-setup"]' and setup.code == "IMAGE, VIDEO = 'one', 'another'\n"
    assert printing.first_line == "print(VIDEO)"
    assert "pocket-t2i" in lessons.cells("07_made_up")[0].code


@pytest.mark.parametrize("count, source", [(0, "# %%\nprint(1)\n"), (2, "# %%\nIMAGE, VIDEO = 1, 2\n" * 2)])
def test_a_lesson_that_does_not_name_its_models_once_is_an_error(lesson, count, source):
    lesson(source)
    with pytest.raises(ValueError, match=f"07_made_up names its models in {count} lines"):
        lessons.cells("07_made_up", "one", "another")


def test_what_fails_is_noted_and_the_rest_runs():
    codes = ("a = 1", "a += nothing", "print(a", "raise ValueError('on purpose')", "print('a is', a)")
    ran = [lessons.Cell("raises-exception" if "purpose" in code else "", code) for code in codes]
    outcome = lessons.run(ran)
    assert [failure.index for failure in outcome.failures] == [1, 2]
    assert outcome.failures[0].error == "NameError: name 'nothing' is not defined"
    assert outcome.failures[1].error.startswith("SyntaxError") and "a is 1" in outcome.said
    (failure,) = lessons.run([lessons.Cell("", "print(a)")]).failures
    assert failure.error.startswith("NameError"), "each lesson has a namespace of its own"
