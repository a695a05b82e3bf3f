"""Bias against softmax(logits + b), worked out by hand, and in whole runs."""

import math
from dataclasses import FrozenInstanceError, replace

import numpy as np
import pytest
import torch
from maps_for_tests import CAR, SWAP, TRUCK, edited, random_maps
from models_for_tests import PATH, PROMPT, run_of, tiny

from xattn_helpers import Bias, Guidance, capture, generate, track
from xattn_helpers.edits.bias import Biasing

LEFT = track([(0.25, 0.5)], size=(0.5, 1.0))  # as a box, the left half of the picture
SOFT = torch.tensor([0.0, 0.25, 0.5, 1.0]).expand(2, 4, 4)  # from left to right


def by_hand(maps: torch.Tensor, tokens: dict[int, torch.Tensor]) -> torch.Tensor:
    """softmax(logits + b), with b (frames, height, width) for some tokens of maps (frames, heads, h, w, tokens)."""
    logits = maps.log()
    for token, bias in tokens.items():
        logits[..., token] += bias[:, None]
    return logits.softmax(-1)


@pytest.mark.parametrize(
    ("target", "wanted"),
    [
        (LEFT, torch.tensor([3.0, 3.0, -2.0, -2.0])),
        (SOFT, torch.tensor([-2.0, -0.75, 0.5, 3.0])),
    ],
)
def test_a_number_is_added_to_the_logits_of_the_word(target, wanted):
    before = random_maps(2)
    after = edited(Bias("car", target, inside=3.0, outside=-2.0, shape="box"), before)
    torch.testing.assert_close(after[1], by_hand(before[1], {2: wanted.expand(2, 4, 4)}))
    assert torch.equal(after[0], before[0]), "the unconditional half is as it was"


def test_rows_sum_to_one_and_the_other_words_keep_their_proportions():
    before = random_maps(2)
    after = edited(Bias("car", LEFT, shape="box"), before)[1]
    torch.testing.assert_close(after.sum(-1), torch.ones_like(after.sum(-1)))
    torch.testing.assert_close(after[..., 5] / after[..., 6], before[1, ..., 5] / before[1, ..., 6])
    assert (after[..., :2, 2] > 0.9).all() and (after[..., 2:, 2] < 0.01).all()


def test_several_words_and_several_prompts():
    before, prompts = random_maps(4), [CAR, "a small car drives on the road"]
    edit = Bias([["car"], ["car", "road"]], [[LEFT], [LEFT, SOFT]], inside=2.0, outside=-1.0, shape="box")
    after = edited(edit, before, prompts=prompts)
    left = torch.tensor([2.0, 2.0, -1.0, -1.0]).expand(2, 4, 4)
    torch.testing.assert_close(after[2], by_hand(before[2], {2: left}))
    torch.testing.assert_close(after[3], by_hand(before[3], {3: left, 7: -1 + 3 * SOFT}))
    assert torch.equal(after[:2], before[:2])


def test_a_word_of_several_tokens_has_the_number_at_each():
    before = random_maps(2)
    after = edited(Bias("on the", LEFT, inside=2.0, outside=-1.0, shape="box"), before)
    left = torch.tensor([2.0, 2.0, -1.0, -1.0]).expand(2, 4, 4)
    torch.testing.assert_close(after[1], by_hand(before[1], {4: left, 5: left}))


def test_without_classifier_free_guidance_there_is_no_unconditional_half():
    before = random_maps(1)
    after = edited(Bias("car", LEFT, inside=2.0, outside=2.0), before, guided=False)
    torch.testing.assert_close(after[0], by_hand(before[0], {2: torch.full((2, 4, 4), 2.0)}))


def test_sources_are_not_biased():
    before, model = random_maps(4), tiny()
    run = run_of(model, CAR, sources=[TRUCK])
    call = replace(run.call(0), halves=("unconditional", "conditional"), clips=2)
    after = Biasing(Bias("car", LEFT), run)(before, model.sites[0], call)
    changed = (after != before).any(-1).flatten(1).any(1)
    assert changed.tolist() == [False, False, True, False]


@pytest.mark.parametrize("value", [200.0, -200.0])
def test_the_largest_numbers_are_no_error(value):
    after = edited(Bias("car", LEFT, inside=value, outside=value), random_maps(2))[1]
    assert after.isfinite().all()
    torch.testing.assert_close(after[..., 2], torch.full_like(after[..., 2], float(value > 0)))
    torch.testing.assert_close(after.sum(-1), torch.ones_like(after.sum(-1)))


@pytest.mark.parametrize(
    ("until", "steps", "inside"), [(0.5, 4, [0, 1]), (0.0, 4, []), (1.0, 3, [0, 1, 2]), (0.3, 5, [0, 1])]
)
def test_it_ends_with_its_share_of_the_steps(until, steps, inside):
    before, changed = random_maps(2), []
    for index in range(steps):
        if not torch.equal(edited(Bias("car", LEFT, until=until), before, index, steps), before):
            changed.append(index)
    assert changed == inside


def test_for_sizes_it_is_light_and_ends_after_a_quarter_of_the_steps():
    before, wanted = random_maps(2), torch.tensor([4.0, 4.0, -4.0, -4.0])
    bias = Bias.for_size("car", LEFT, shape="box")
    by_step = [edited(bias, before, index, 8) for index in range(8)]
    torch.testing.assert_close(by_step[1][1], by_hand(before[1], {2: wanted.expand(2, 4, 4)}))
    assert [not torch.equal(after, before) for after in by_step] == [True] * 2 + [False] * 6
    assert Bias.for_size("car", LEFT, until=1.0, cells=1) == Bias("car", LEFT, 4.0, -4.0, until=1.0, cells=1)


# In whole runs


def latents_of(edits=(), prompt=CAR, frames=1, **options) -> torch.Tensor:
    return generate(tiny(frames), prompt, **({"steps": 2, "progress": False, "edits": edits} | options)).latents


@pytest.mark.parametrize("frames", [1, 3])
def test_no_number_is_no_change(frames):
    free = latents_of(frames=frames)
    nothing = latents_of(Bias("car", LEFT, 0.0, 0.0, until=1.0), frames=frames)
    torch.testing.assert_close(nothing, free, atol=1e-4, rtol=1e-5)
    assert (latents_of(Bias("car", LEFT), frames=frames) - free).abs().max() > 1e-2


def test_the_word_is_attended_to_inside_and_not_outside():
    bias = Bias("burger", PATH, inside=50.0, outside=-50.0, shape="box")
    with capture(tiny(3), every_step=True) as attention:
        clip = generate(tiny(3), PROMPT, steps=2, edits=bias, progress=False)
    inside = PATH.mask(3, 16, 16).bool()
    early, late = (attention.maps("burger", cells=1, step=step) for step in (0, 1))
    assert early[inside].min() > 0.99 and early[~inside].max() < 0.01
    assert late[inside].min() < 0.9, "until half of the steps"
    assert clip.video.shape[0] == 3 and clip.updates == ()


@pytest.mark.parametrize(
    ("knobs", "groups", "cells"), [({"groups": "up"}, {"up"}, {1, 2}), ({"cells": 4}, {"mid"}, {4})]
)
def test_only_sites_of_the_groups_and_cells_are_changed(knobs, groups, cells):
    model = tiny(1)
    with capture(model) as attention:
        generate(model, CAR, steps=1, edits=Bias("car", LEFT, 50.0, 50.0, until=1.0, **knobs), progress=False)
    sites = [site for site in model.sites if float(attention.maps("car", site=site).min()) > 0.999]
    assert {site.group for site in sites} == groups and {model.backbone.cells(site) for site in sites} == cells


def test_edits_act_in_their_order():
    bias, before = Bias("car", LEFT, inside=3.0, outside=3.0), random_maps(4)
    run = run_of(tiny(), CAR, steps=10, sources=[TRUCK])
    call = replace(run.call(0), halves=("unconditional", "conditional"), clips=2)
    with SWAP.attach(run) as swapping:
        swapped = swapping(before, tiny().sites[0], call)
        biased = Biasing(bias, run)(swapped, tiny().sites[0], call)
    torch.testing.assert_close(biased[2], by_hand(swapped[2], {2: torch.full((2, 4, 4), 3.0)}))
    for edits, is_the_sources in ((["bias", "swap"], True), (["swap", "bias"], False)):
        chosen = [{"bias": bias, "swap": SWAP}[name] for name in edits]
        with capture(tiny(1)) as attention:
            latents_of(chosen)
        same = torch.allclose(attention.maps("car"), attention.maps("truck", batch=1))
        assert same == is_the_sources, "what comes later has the last word"


def test_it_goes_together_with_guidance():
    edits = [Bias("burger", PATH), Guidance("burger", PATH, schedule="always")]
    clip = generate(tiny(1), PROMPT, steps=2, edits=edits, progress=False)
    assert len(clip.updates) == 2
    alone = generate(tiny(1), PROMPT, steps=2, edits=edits[1], progress=False)
    assert clip.updates[0].energy[0] < alone.updates[0].energy[0], "guidance sees what the bias has done"


# A description


def test_it_is_frozen_and_takes_numbers_of_numpy():
    bias = Bias("car", LEFT, inside=np.float32(3), outside=np.int64(-2), until=np.float64(0.5), cells=np.int64(1))
    with pytest.raises(FrozenInstanceError):
        bias.inside = 1.0  # type: ignore
    assert torch.equal(latents_of(bias, steps=1), latents_of(Bias("car", LEFT, 3.0, -2.0, cells=1), steps=1))


@pytest.mark.parametrize(
    ("knobs", "message"),
    [
        ({"inside": math.nan}, "inside=nan.: inside must be a number from -10000 to 10000"),
        ({"outside": -math.inf}, "outside=-inf.: outside must be a number"),
        ({"until": 1.5}, "until=1.5.: until must be a number from 0 to 1"),
        ({"until": -0.5}, "until=-0.5"),
        ({"until": math.nan}, "until=nan"),
        ({"shape": "star"}, "shape='star'.: shape must be 'box' or 'disc'"),
        ({"cells": 5}, "no site .* possible are down_blocks.0"),
        ({"groups": "top"}, "no site .* possible are down_blocks.0"),
        ({"word": "bus"}, "'bus' is not in the prompt"),
    ],
)
def test_wrong_knobs_say_what_is_possible(knobs, message):
    with pytest.raises(ValueError, match=message):
        latents_of(Bias(**({"word": "car", "target": LEFT} | knobs)), steps=1)
