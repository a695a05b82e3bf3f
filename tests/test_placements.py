"""Words and their targets: checked, resolved for the prompts of a run, drawn once a size."""

import numpy as np
import pytest
import torch
from models_for_tests import PATH, PROMPT, run_of, tiny

from xattn_helpers import Bias, Guidance, track
from xattn_helpers.edits.placements import Placements, check_placements

BOAT, WATER = "a boat floats on the water", track([(0.5, 0.8)], size=0.4)
MAPS = torch.rand(3, 8, 8, generator=torch.Generator().manual_seed(0))


def resolved(word, target, prompts=(PROMPT,)) -> list[list[tuple[list[int], object]]]:
    placements = Placements.of(word, target, run_of(tiny(), prompts), "disc")
    rows = []
    for objects in placements.of_prompts:
        rows.append([(placement.positions.tolist(), placement.target) for placement in objects])
    return rows


def test_a_word_stands_in_every_prompt_where_it_is():
    prompts = (PROMPT, "a big burger floats on the water")
    assert resolved("burger", PATH, prompts) == [[([2], PATH)], [([3], PATH)]]


def test_words_have_their_targets_in_order():
    assert resolved(["burger", "water"], [PATH, WATER]) == [[([2], PATH), ([6], WATER)]]
    assert resolved(("burger", "water"), (PATH, WATER)) == [[([2], PATH), ([6], WATER)]]


def test_lists_of_lists_are_for_prompts():
    rows = resolved([["burger"], ["boat", "water"]], [[PATH], [WATER, PATH]], (PROMPT, BOAT))
    assert rows == [[([2], PATH)], [([2], WATER), ([6], PATH)]]


def test_a_word_may_have_several_tokens():
    ((positions, _),) = resolved("on the", PATH)[0]
    assert positions == [4, 5]


def test_a_target_is_drawn_once_for_each_size(monkeypatch):
    sizes, mask = [], type(PATH).mask

    def counted(self, *size):
        sizes.append(size)
        return mask(self, *size)

    monkeypatch.setattr(type(PATH), "mask", counted)
    placements = Placements.of("burger", PATH, run_of(tiny()), "box")
    for side in (16, 8, 16):
        drawn = placements.drawn(PATH, torch.zeros(3, 2, side, side, 20))
        assert torch.equal(drawn, mask(PATH, 3, side, side, "box")) and drawn.dtype == torch.float32
    assert sizes == [(3, 16, 16, "box"), (3, 8, 8, "box")]


def test_two_targets_are_not_taken_for_each_other():
    placements = Placements.of(["burger", "water"], [PATH, WATER], run_of(tiny()), "disc")
    like = torch.zeros(3, 2, 8, 8, 20)
    assert torch.equal(placements.drawn(PATH, like), PATH.mask(3, 8, 8, "disc"))
    assert torch.equal(placements.drawn(WATER, like), WATER.mask(3, 8, 8, "disc"))


def test_maps_are_a_target_at_every_size():
    placements = Placements.of("burger", MAPS, run_of(tiny()), "disc")
    assert torch.equal(placements.drawn(MAPS, torch.zeros(3, 2, 8, 8, 20)), MAPS)
    small = placements.drawn(MAPS, torch.zeros(3, 2, 4, 4, 20))
    torch.testing.assert_close(small[:, 0, 0], MAPS[:, :2, :2].mean((1, 2)))


@pytest.mark.parametrize("target", [PATH, MAPS, MAPS > 0.5, (MAPS > 0.5).long(), MAPS.double()])
def test_possible_targets(target):
    assert check_placements("burger", target) == [[("burger", target)]]


@pytest.mark.parametrize("make", [Guidance, Bias])
@pytest.mark.parametrize(
    ("word", "target", "message"),
    [
        (["burger", "water"], PATH, "target: 1 given for 2 words"),
        ("burger", [PATH, WATER], "target: 2 given for 1 words"),
        ([["burger"], ["water"]], [[PATH]], "target: 1 given for 2 prompts"),
        ([["burger", "water"], ["water"]], [[PATH], [PATH]], "target: 1 given for 2 words"),
        ([], PATH, "target: 1 given for 0 words"),
        ([], [], "target: 0 given for 0 words"),
        ([["burger"], []], [[PATH], []], "target: 0 given for 0 words"),
        (2, PATH, "word=2.: word is an int; it must be a word"),
        (["burger", 2], [PATH, PATH], "word.1. is an int; word must be a word"),
        ("burger", [(0.1, 0.2)], "is a float; target must be a track"),
        ("burger", np.zeros((3, 4, 4)), "target is an array of .*; it must be a track, or maps .* as a tensor"),
        ("burger", None, "target=None.: target is None; it must be"),
        ("burger", torch.zeros(16, 16), r"target must be .* \(frames, .*the tensor has shape \(16, 16\)"),
        ("burger", torch.zeros(0, 16, 16), r"target must be .*the tensor has shape \(0, 16, 16\)"),
        ("burger", torch.full((3, 4, 4), 255.0), "from 0 to 1 .*the tensor goes from 255 to 255"),
        ("burger", torch.full((3, 4, 4), -0.1), "the tensor goes from -0.1 to -0.1"),
        ("burger", torch.full((3, 4, 4), float("nan")), "the tensor goes from nan to nan"),
    ],
)
def test_what_is_neither_word_nor_target_is_refused(make, word, target, message):
    with pytest.raises(ValueError, match=message):
        make(word, target)


@pytest.mark.parametrize("count", [1, 3])
def test_lists_for_another_number_of_prompts_are_refused(count):
    with pytest.raises(ValueError, match=f"word: lists for 2 prompts given; this run has {count}"):
        resolved([["burger"], ["water"]], [[PATH], [PATH]], (PROMPT,) * count)
