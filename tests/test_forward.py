"""Swapping attention: against hand-made probabilities, against itself, and what it refuses."""

import copy
from functools import cache

import numpy as np
import pytest
import torch
from models_for_tests import tiny

from xattn_helpers import capture, generate
from xattn_helpers.attention import Layer, Step
from xattn_helpers.forward import Control, Refine, Replace, Reweight, Swap, share_out

CAR, TRUCK = "a car drives on the road", "a truck drives on the road"
LAYER = Layer("up_blocks.1.attentions.0.transformer_blocks.0.attn2", "up")
SWAP = Swap("truck", "car", source=TRUCK)


def run(control=None, prompt=CAR, **options):
    return generate(tiny(), prompt, **({"seed": 0, "progress": False, "control": control} | options))


@cache
def exact():
    """The tiny model in double precision: what is left after rounding cannot hide a change."""
    model = copy.deepcopy(tiny())
    model.unet.double()
    return model


def exactly(control=None):
    return generate(exact(), CAR, seed=0, progress=False, control=control).latents


def probabilities(batch: int, seed: int = 0, side: int = 4) -> torch.Tensor:
    """Random rows that sum to one, (batch, frames, heads, height, width, tokens)."""
    scores = torch.randn(batch, 2, 2, side, side, 20, generator=torch.Generator().manual_seed(seed))
    return scores.softmax(-1)


def edited(control: Control, before: torch.Tensor, index: int = 0, steps: int = 10, prompts=(CAR,), guided=True):
    with control.attached(tiny(), list(prompts), steps):
        after = control(before, LAYER, Step(index, 500, 0, guided))
        control.edited.add("something")  # no network was run
    return after


# What is edited


def test_swap_gives_one_column_of_the_target_the_sources():
    before = probabilities(4)  # unconditional target and source, then conditional ones
    after = edited(SWAP, before)
    expected = before.clone()
    expected[2, ..., 2] = before[3, ..., 2]  # "car" and "truck" are both at position 2
    assert torch.equal(after, expected)


def test_words_are_looked_up_in_each_prompt_by_itself():
    swap = Swap("ball", "turtle", source="a small ball rolls on the grass")
    before = probabilities(4)
    after = edited(swap, before, prompts=["a turtle walks on the grass"])
    changed = (after != before).any(dim=(1, 2, 3, 4))
    assert changed.nonzero().tolist() == [[2, 2]]
    assert torch.equal(after[2, ..., 2], before[3, ..., 3])


def test_without_guidance_the_batch_has_no_unconditional_half():
    before = probabilities(2)
    after = edited(SWAP, before, guided=False)
    assert torch.equal(after[0, ..., 2], before[1, ..., 2]) and torch.equal(after[1], before[1])


def test_two_prompts_each_have_their_own_source():
    before = probabilities(8)
    after = edited(SWAP, before, prompts=[CAR, "a small car drives on the road"])
    assert torch.equal(after[4, ..., 2], before[6, ..., 2])
    assert torch.equal(after[5, ..., 3], before[7, ..., 2])


def test_renormalised_rows_sum_to_one_and_others_do_not():
    before = probabilities(4)
    plain = edited(SWAP, before)
    whole = edited(Swap("truck", "car", source=TRUCK, renormalise=True), before)
    assert not torch.allclose(plain.sum(-1), torch.ones(()), atol=1e-3)
    torch.testing.assert_close(whole.sum(-1), torch.ones_like(whole.sum(-1)))
    torch.testing.assert_close(whole[2], plain[2] / plain[2].sum(-1, keepdim=True))


def test_replace_gives_the_target_all_of_the_source():
    before = probabilities(4)
    after = edited(Replace(TRUCK), before)
    assert torch.equal(after[2], before[3]) and torch.equal(after[[0, 1, 3]], before[[0, 1, 3]])


def test_refine_keeps_what_is_new():
    before = probabilities(4)
    after = edited(Refine("a car drives on the road"), before, prompts=["a small car drives on the road"])
    new = [1, 2, 3, 4, 5, 6, 7]  # a small car drives on the road
    old = [1, None, 2, 3, 4, 5, 6]
    for mine, theirs in zip(new, old, strict=True):
        wanted = before[2, ..., mine] if theirs is None else before[3, ..., theirs]
        assert torch.equal(after[2, ..., mine], wanted), mine


def test_reweight_multiplies_one_column():
    before = probabilities(2)
    after = edited(Reweight("car", 3.0), before)
    expected = before.clone()
    expected[1, ..., 2] *= 3
    assert torch.equal(after, expected)


def test_a_word_of_two_tokens_shares_the_map_of_one():
    maps = torch.tensor([[0.6], [0.2]])
    assert torch.equal(share_out(maps, 2), torch.tensor([[0.3, 0.3], [0.1, 0.1]]))
    two = torch.tensor([[0.1, 0.3]])
    assert torch.equal(share_out(two, 2), two)
    assert share_out(two, 1).item() == pytest.approx(0.4)


@pytest.mark.parametrize(("window", "inside"), [((0, 0.3), [0, 1, 2]), ((0.5, 1), [5, 6, 7, 8, 9]), ((0, 0), [])])
def test_only_steps_inside_the_window_are_edited(window, inside):
    before, swap = probabilities(4), Swap("truck", "car", source=TRUCK, window=window)
    changed = [index for index in range(10) if not torch.equal(edited(swap, before, index), before)]
    assert changed == inside


def test_only_maps_of_the_resolution_are_edited():
    before = probabilities(4, side=4)
    assert torch.equal(edited(Swap("truck", "car", source=TRUCK, resolution=8), before), before)
    assert not torch.equal(edited(Swap("truck", "car", source=TRUCK, resolution=(4, 8)), before), before)


# In a whole run


@pytest.mark.parametrize("control", [Swap("car", "car", source=CAR), Replace(CAR), Refine(CAR), Reweight("car", 1.0)])
def test_a_prompt_with_itself_changes_nothing(control):
    torch.testing.assert_close(exactly(control), exactly(), atol=1e-5, rtol=0)


def test_a_window_of_no_steps_changes_nothing():
    nothing = Swap("truck", "car", source=TRUCK, window=(0, 0))
    torch.testing.assert_close(exactly(nothing), exactly(), atol=1e-5, rtol=0)


def test_a_swap_changes_the_target_and_not_the_source():
    clip = run(SWAP)
    assert (clip.latents - run().latents).abs().max() > 1e-3
    torch.testing.assert_close(clip.source.latents, run(prompt=TRUCK).latents, atol=1e-4, rtol=0)
    assert clip.source.prompt == TRUCK and clip.source.seed == clip.seed


def test_replacing_everything_and_a_swap_differ():
    assert (run(Replace(TRUCK)).latents - run(SWAP).latents).abs().max() > 1e-4


def test_a_recording_sees_what_was_swapped_in():
    with capture(tiny(), place="up") as attention:
        run(SWAP)
    swapped, source = attention.maps("car", batch=0), attention.maps("truck", batch=1)
    torch.testing.assert_close(swapped, source)


def test_images_are_videos_of_one_frame():
    clip = generate(tiny(1), CAR, control=SWAP, progress=False)
    assert clip.video.shape[0] == 1 and clip.source is not None


def test_keeping_the_background_takes_the_source_outside_both_objects():
    keep = Swap("truck", "car", source=TRUCK, keep_background=("truck", "car"))
    with keep.attached(tiny(), [CAR], steps=10):
        maps = torch.zeros(1, 2, 1, 16, 16)
        maps[0, 0, 0, :4, :4] = maps[0, 1, 0, 8:, 8:] = 1.0  # the truck is above, the car below
        keep.seen, target, source = maps, torch.ones(1, 4, 1, 16, 16), torch.zeros(1, 4, 1, 16, 16)
        early = keep.update(torch.cat([target, source]), 1, None, None)
        late = keep.update(torch.cat([target, source]), 5, None, None)
        keep.edited.add("something")
    assert torch.equal(early, torch.cat([target, source]))
    assert torch.equal(late[0, 0, 0], maps[0, :, 0].amax(0)) and torch.equal(late[1:], source)


def test_keeping_the_background_brings_a_run_nearer_to_its_source():
    apart, kept = run(Replace(TRUCK)), run(Replace(TRUCK, keep_background=("truck", "car")))
    far = [float((clip.latents - clip.source.latents).abs().mean()) for clip in (apart, kept)]
    assert far[1] < far[0] and np.isfinite(far).all()


# What it refuses


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Swap("truck", "car", source=TRUCK, window=(0.5, 1.5)), r"window=\(0.5, 1.5\)"),
        (lambda: Swap("truck", "car", source=TRUCK, window=(0.8, 0.2)), "first <= last"),
        (lambda: Swap("truck", "car", source=TRUCK, place="top"), "down, mid, up"),
        (lambda: Reweight("car", -1.0), "factor=-1.0"),
        (lambda: Reweight("car", 2.0, keep_background=("car", "car")), "needs a source"),
        (lambda: run(Swap("bus", "car", source=TRUCK)), "'bus' is not in the prompt 'a truck"),
        (lambda: run(Swap("truck", "bus", source=TRUCK)), "'bus' is not in the prompt 'a car"),
        (lambda: run(Replace("a truck drives to the left on the road")), "9 words and .* has 6.*Refine"),
        (lambda: run(Refine("moon shines")), "shares no word"),
        (lambda: run(Swap("truck", "car", source=TRUCK, resolution=5)), "resolution=5"),
    ],
)
def test_wrong_input_says_what_is_possible(make, message):
    with pytest.raises(ValueError, match=message):
        make()
