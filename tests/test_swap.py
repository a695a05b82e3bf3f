"""Swap, Replace, Refine and Reweight against hand-made maps, against themselves, and what they refuse."""

import copy
from functools import cache

import pytest
import torch
from maps_for_tests import CAR, SWAP, TRUCK, edited, random_maps
from models_for_tests import tiny

from xattn_helpers import Refine, Replace, Reweight, Swap, capture, generate
from xattn_helpers.edits.map_edit import share_out
from xattn_helpers.edits.swap import _shared


def test_swap_gives_a_column_of_the_target_the_sources():
    before = random_maps(4)  # unconditional target and source, then conditional ones
    expected = before.clone()
    expected[2, ..., 2] = before[3, ..., 2]  # "car" and "truck" are both at position 2
    assert torch.equal(edited(SWAP, before), expected)


def test_words_are_looked_up_in_each_prompt_by_itself():
    swap = Swap("ball", "turtle", source="a small ball rolls on the grass")
    before = random_maps(4)
    after = edited(swap, before, prompts=["a turtle walks on the grass"])
    changed = (after != before).any(dim=(1, 2, 3, 4))
    assert changed.nonzero().tolist() == [[2, 2]]
    assert torch.equal(after[2, ..., 2], before[3, ..., 3])


def test_two_prompts_each_have_a_source_of_their_own():
    before = random_maps(8)
    after = edited(SWAP, before, prompts=[CAR, "a small car drives on the road"])
    assert torch.equal(after[4, ..., 2], before[6, ..., 2])
    assert torch.equal(after[5, ..., 3], before[7, ..., 2])
    assert torch.equal(after[6:], before[6:]) and torch.equal(after[:4], before[:4])


def test_replace_gives_the_target_all_of_the_source():
    before = random_maps(4)
    after = edited(Replace(TRUCK), before)
    assert torch.equal(after[2], before[3]) and torch.equal(after[[0, 1, 3]], before[[0, 1, 3]])


def test_replace_shares_out_what_words_of_several_tokens_have():
    """"walks" and "drives" are one token each, "shark's" is three: all after it stands elsewhere."""
    source, target = "a shark swims", "a shark's swims"
    text = tiny().text
    count = len(text.find(target, "shark's"))
    assert count > 1
    before = random_maps(4)
    after = edited(Replace(source), before, prompts=[target])
    for position in range(2, 2 + count):
        torch.testing.assert_close(after[2, ..., position], before[3, ..., 2] / count)
    for old, new in zip(range(3, 20 - count + 1), range(2 + count, 20), strict=True):  # all after it
        assert torch.equal(after[2, ..., new], before[3, ..., old])


def test_refine_keeps_what_is_new():
    before = random_maps(4)
    after = edited(Refine(CAR), before, prompts=["a small car drives on the road"])
    old = [0, 1, None, 2, 3, 4, 5, 6]  # the start token, a, small, car, drives, on, the, road
    for position, source in enumerate(old):
        wanted = before[2, ..., position] if source is None else before[3, ..., source]
        assert torch.equal(after[2, ..., position], wanted), position
    assert torch.equal(after[2, ..., 8:], before[2, ..., 8:])


def test_words_are_told_apart_by_their_place_and_not_by_what_they_are_a_part_of():
    """"car" stands in "car-like", too: the word after it is another one."""
    before = random_maps(4)
    source, target = "a car-like car drives", "a small car drives"
    after = edited(Refine(source), before, prompts=[target])
    text = tiny().text
    (into,), (out_of,) = text.find(target, "car"), text.find(source, "car", occurrence=1)
    assert torch.equal(after[2, ..., into], before[3, ..., out_of])


@pytest.mark.parametrize("source", ["A Café CAR drives", "a cafe\u0301 car drives"])  # é as a letter, and as two
def test_words_are_the_same_however_they_are_written(source):
    before, target = random_maps(4), "a café car walks"
    after = edited(Refine(source), before, prompts=[target])
    (car,), (new,) = tiny().text.find(target, "car"), tiny().text.find(target, "walks")
    assert torch.equal(after[2, ..., : car + 1], before[3, ..., : car + 1])
    assert torch.equal(after[2, ..., new:], before[2, ..., new:])


def test_of_a_long_text_frequent_words_are_shared_too():
    """`difflib` takes words for junk that make more than 1 % of 200 or more, unless it is told not to."""
    long = ["a", "car"] * 100
    assert _shared(["small", *long], long) == [(index + 1, index) for index in range(200)]


@pytest.mark.parametrize("factor", [3.0, 0.5, 0.0])
def test_reweight_multiplies_a_column(factor):
    before = random_maps(2)
    expected = before.clone()
    expected[1, ..., 2] *= factor
    assert torch.equal(edited(Reweight("car", factor), before), expected)


def test_a_word_of_two_tokens_shares_the_map_of_one():
    maps = torch.tensor([[0.6], [0.2]])
    assert torch.equal(share_out(maps, 2), torch.tensor([[0.3, 0.3], [0.1, 0.1]]))
    two = torch.tensor([[0.1, 0.3]])
    assert torch.equal(share_out(two, 2), two)
    assert share_out(two, 1).item() == pytest.approx(0.4)


# In a whole run


@cache
def exact():
    """The tiny image model in double precision: what is left after rounding cannot hide a change."""
    model = copy.deepcopy(tiny(1))
    model.network.double()
    return model


@cache
def exactly(edit=()):
    return generate(exact(), CAR, seed=0, steps=2, edits=edit, progress=False).latents


@pytest.mark.parametrize("edit", [Swap("car", "car", source=CAR), Replace(CAR), Refine(CAR), Reweight("car", 1.0)])
def test_a_prompt_with_itself_changes_nothing(edit):
    torch.testing.assert_close(exactly(edit), exactly(), atol=1e-4, rtol=0)


def test_a_swap_changes_the_target_and_not_the_source():
    clip = generate(tiny(), CAR, seed=5, steps=2, edits=SWAP, progress=False)
    car, truck = (generate(tiny(), prompt, seed=5, steps=2, progress=False) for prompt in (CAR, TRUCK))
    assert (clip.latents - car.latents).abs().max() > 1e-3
    torch.testing.assert_close(clip.source.latents, truck.latents, atol=1e-4, rtol=0)
    assert (clip.source.prompt, clip.source.seed, clip.seed) == (TRUCK, 5, 5)


def test_replacing_everything_is_more_than_a_swap():
    assert (exactly(Replace(TRUCK)) - exactly(SWAP)).abs().max() > 1e-3


def test_a_recording_sees_what_was_swapped_in():
    with capture(tiny(1), group="up") as attention:
        generate(tiny(1), CAR, steps=2, edits=SWAP, progress=False)
    swapped, source = attention.maps("car", batch=0), attention.maps("truck", batch=1)
    torch.testing.assert_close(swapped, source)


def test_two_swaps_of_different_sources_run_beside_each_other():
    bus = "a bus drives on the road"
    edits = [SWAP, Swap("bus", "road", source=bus)]
    with capture(tiny(1)) as attention:
        clip = generate(tiny(1), CAR, steps=1, edits=edits, progress=False)
    assert attention.runs[0].prompts == (CAR, TRUCK, bus) and clip.source.prompt == TRUCK
    torch.testing.assert_close(attention.maps("car"), attention.maps("truck", batch=1))
    torch.testing.assert_close(attention.maps("road"), attention.maps("bus", batch=2))


# What it refuses


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (Swap("bus", "car", source=TRUCK), "'bus' is not in the prompt 'a truck"),
        (Swap("truck", "bus", source=TRUCK), "'bus' is not in the prompt 'a car"),
        (Reweight("bus", 2.0), "'bus' is not in the prompt 'a car"),
        (Replace("a truck drives to the left on the road"), "9 words and .* has 6.*Refine"),
        (Replace("a truck drives"), "3 words and .* has 6.*Refine"),
        (Refine("moon shines"), "'moon shines' shares no word with 'a car"),
    ],
)
def test_words_that_do_not_fit_say_what_is_possible(edit, message):
    with pytest.raises(ValueError, match=message):
        generate(tiny(1), CAR, steps=1, edits=edit, progress=False)


def test_a_source_is_named_so_that_it_is_not_taken_for_a_word():
    with pytest.raises(TypeError, match="positional argument"):
        Swap("truck", "car", TRUCK)  # type: ignore


@pytest.mark.parametrize("factor", [-1.0, -0.01, float("nan")])
def test_a_factor_is_not_negative(factor):
    with pytest.raises(ValueError, match="factor=.*: factor must be a number from 0 to 1000"):
        Reweight("car", factor)
