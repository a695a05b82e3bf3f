"""What guidance notes of a run: at once on a CPU, a step late where reading would wait."""

import pytest
from models_for_tests import tiny

from xattn_helpers import Guidance, generate, track
from xattn_helpers.edits import notes

PROMPT, PATH = "a burger floats on the water", track([(0.25, 0.25), (0.75, 0.75)])


def guided(**knobs):
    edits = Guidance("burger", PATH, **knobs)
    return generate(tiny(), PROMPT, steps=4, frames=2, edits=edits, progress=False)


@pytest.mark.parametrize("knobs", [{}, {"schedule": "always"}, {"repeats": 2}])
def test_notes_that_are_read_late_are_the_same(monkeypatch, knobs):
    at_once = guided(**knobs).updates
    monkeypatch.setattr(notes, "reads_late", lambda tensor: True)
    assert guided(**knobs).updates == at_once != ()


@pytest.mark.parametrize("schedule", ["first half", lambda index, steps: index == steps - 1])
def test_a_step_that_leaves_no_picture_is_told_late_too(monkeypatch, schedule):
    monkeypatch.setattr(notes, "reads_late", lambda tensor: True)
    with pytest.raises(ValueError, match="moves a latent by"):
        guided(strength=1e4, schedule=schedule)


def test_blocks_choose_sites_by_the_beginning_of_their_names():
    model = tiny()
    names = [site.name for site in model.backbone.sites()]
    chosen = Guidance("burger", PATH, cells=None, blocks=names[0]).sites(model)
    assert [site.name for site in chosen] == names[:1]
    with pytest.raises(ValueError, match=r"no site of attention has site 'blocks\.7\.'"):
        Guidance("burger", PATH, blocks="blocks.7.").sites(model)
