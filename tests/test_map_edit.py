"""What all edits of maps share: when, where, renormalising, and keeping the background."""

from dataclasses import replace

import pytest
import torch
from maps_for_tests import CAR, SWAP, TRUCK, edited, random_maps
from models_for_tests import run_of, tiny

from xattn_helpers import Replace, Reweight, Swap, generate
from xattn_helpers.backbones.backbone import LISTENERS
from xattn_helpers.edits import map_edit


def swap(**knobs) -> Swap:
    return Swap("truck", "car", source=TRUCK, **knobs)


@pytest.mark.parametrize(
    ("window", "steps", "inside"),
    [
        ((0, 0.3), 10, [0, 1, 2]),
        ((0.5, 1), 10, [5, 6, 7, 8, 9]),
        ((0.2, 0.5), 10, [2, 3, 4]),
        ((0, 0), 10, []),
        ((0, 1), 3, [0, 1, 2]),
        ((0, 0.6), 4, [0, 1]),  # 2.4 steps
    ],
)
def test_only_steps_inside_the_window_are_edited(window, steps, inside):
    before = random_maps(4)
    changed = []
    for index in range(steps):
        if not torch.equal(edited(swap(window=window), before, index, steps), before):
            changed.append(index)
    assert changed == inside


@pytest.mark.parametrize(
    ("knobs", "groups", "cells"),
    [
        ({}, {"down", "mid", "up"}, {1, 2, 4}),
        ({"groups": "mid"}, {"mid"}, {4}),
        ({"groups": ("down", "up"), "cells": 2}, {"down", "up"}, {2}),
        ({"cells": (1, 4)}, {"down", "mid", "up"}, {1, 4}),
    ],
)
def test_only_sites_of_the_groups_and_cells_are_edited(knobs, groups, cells):
    model = tiny(1)
    with swap(**knobs).attach(run_of(model, CAR, sources=[TRUCK])):
        (entry,) = LISTENERS.get()
    sites = [site for site in model.sites if site.name in entry.names]
    assert {site.group for site in sites} == groups and {model.backbone.cells(site) for site in sites} == cells


def test_without_classifier_free_guidance_there_is_no_unconditional_half():
    before = random_maps(2)
    after = edited(SWAP, before, guided=False)
    assert torch.equal(after[0, ..., 2], before[1, ..., 2]) and torch.equal(after[1], before[1])


def test_a_call_of_the_unconditional_half_alone_is_left_as_it_is():
    model, before = tiny(), random_maps(2)
    run = run_of(model, CAR, sources=[TRUCK])
    call = replace(run.call(0), halves=("unconditional",), clips=2)
    with SWAP.attach(run) as state:
        assert torch.equal(state(before, model.sites[0], call), before)


def test_a_call_by_hand_is_as_the_first_step():
    """It has no index, and is edited where the window begins with the run."""
    model, before = tiny(), random_maps(2)
    run = run_of(model, CAR, sources=[TRUCK])
    call = replace(run.call(0), index=None, clips=2)
    edits = {(0, 0.3): True, (0.3, 1): False}
    for window, is_edited in edits.items():
        with swap(window=window).attach(run) as state:
            assert torch.equal(state(before, model.sites[0], call), before) != is_edited


def test_renormalised_rows_sum_to_one_and_others_do_not():
    before = random_maps(4)
    plain, whole = edited(SWAP, before), edited(swap(renormalise=True), before)
    assert not torch.allclose(plain[2].sum(-1), torch.ones(()), atol=1e-3)
    torch.testing.assert_close(whole.sum(-1), torch.ones_like(whole.sum(-1)))
    torch.testing.assert_close(whole[2], plain[2] / plain[2].sum(-1, keepdim=True))


def test_a_window_of_no_steps_changes_nothing():
    clips = []
    for edits in (Reweight("car", 0.0, window=(0, 0)), ()):
        clips.append(generate(tiny(1), CAR, steps=1, edits=edits, progress=False).latents)
    torch.testing.assert_close(*clips, atol=1e-4, rtol=0)


# The background


def background(steps: int = 10, window=(0.0, 1.0)) -> map_edit.Background:
    edit = swap(keep_background=("truck", "car"), window=window)
    with edit.attach(run_of(tiny(), CAR, steps, sources=[TRUCK])) as state:
        return state


def seen(state: map_edit.Background, target: torch.Tensor, source: torch.Tensor, gradient: bool = False) -> None:
    """Show maps (height, width) of the target's "car" and the source's "truck"."""
    maps = torch.zeros(4, 1, 1, *target.shape, 20)  # with both halves of classifier-free guidance
    maps[2, ..., 2], maps[3, ..., 2] = target, source
    maps[:2, ..., 2] = 100.0  # nobody may look here
    call = state.run.call(0, gradient)
    state(maps, tiny().sites[0], replace(call, halves=("unconditional", "conditional"), clips=2))


def corner(first: int, last: int) -> torch.Tensor:
    maps = torch.zeros(16, 16)
    maps[first:last, first:last] = 1.0
    return maps


def latents() -> torch.Tensor:
    """A target of ones and a source of zeros."""
    return torch.cat([torch.ones(1, 4, 1, 16, 16), torch.zeros(1, 4, 1, 16, 16)])


def test_outside_of_the_objects_is_the_source():
    state = background()
    seen(state, target=corner(8, 16), source=corner(0, 4))
    blended = state.update(latents(), None, 5)
    assert torch.equal(blended[0, 0, 0], corner(8, 16) + corner(0, 4)) and torch.equal(blended[1:], latents()[1:])


@pytest.mark.parametrize(("value", "is_object"), [(0.28, False), (0.32, True)])
def test_three_tenths_of_the_largest_value_are_object(value, is_object):
    state = background()
    maps = corner(8, 16)
    maps[0, 0] = value
    seen(state, target=maps, source=corner(8, 16))
    assert bool(state.update(latents(), None, 5)[0, 0, 0, 0, 0]) == is_object


@pytest.mark.parametrize(("index", "kept"), [(0, False), (2, False), (3, True), (7, True), (8, False), (9, False)])
def test_the_background_is_kept_from_a_fifth_of_the_steps_to_the_end_of_the_window(index, kept):
    state = background(window=(0.0, 0.8))
    seen(state, target=corner(8, 16), source=corner(8, 16))
    assert torch.equal(state.update(latents(), None, index), latents()) != kept


def test_maps_add_up_over_sites_and_steps_and_those_of_guidance_do_not():
    state = background()
    seen(state, target=corner(0, 16), source=corner(0, 1), gradient=True)
    assert state.total is None and torch.equal(state.update(latents(), None, 5), latents())
    seen(state, target=corner(8, 16), source=corner(8, 16))
    seen(state, target=corner(0, 4), source=corner(8, 16))
    blended = state.update(latents(), None, 5)
    assert torch.equal(blended[0, 0, 0], corner(8, 16) + corner(0, 4))


def test_objects_are_looked_for_in_maps_that_are_not_edited_yet():
    edit, before = Replace(TRUCK, keep_background=("truck", "car")), random_maps(4, side=16)
    run = run_of(tiny(), CAR, sources=[TRUCK])
    call = replace(run.call(0), halves=("unconditional", "conditional"), clips=2)
    with edit.attach(run) as state:
        maps = before
        for entry in sorted(LISTENERS.get(), key=lambda entry: not entry.listener.edits):  # the others look afterwards
            maps = entry.listener(maps, tiny().sites[0], call)
    assert torch.equal(maps[2], before[3])
    for total, of_clip in zip(state.total[0], (before[3], before[2]), strict=True):  # the truck's, and the car's
        torch.testing.assert_close(total, of_clip[..., 2].mean(1))


def test_keeping_the_background_brings_a_run_nearer_to_its_source():
    distances = []
    for edit in (Replace(TRUCK), Replace(TRUCK, keep_background=("truck", "car"))):
        clip = generate(tiny(1), CAR, steps=4, edits=edit, progress=False)
        distances.append(float((clip.latents - clip.source.latents).abs().mean()))
    assert 0 < distances[1] < distances[0]


# What it refuses


@pytest.mark.parametrize("window", [(0.5, 1.5), (0.8, 0.2), (-0.1, 1), (0.5,), 0.5, (0, float("nan")), (0, 0.5, 1)])
def test_a_window_is_two_shares(window):
    with pytest.raises(ValueError, match=r"window=.* must be \(first, last\) with 0 <= first <= last <= 1"):
        swap(window=window)


def test_wrong_knobs_say_what_is_possible():
    with pytest.raises(ValueError, match="groups: none given"):
        swap(groups=())
    with pytest.raises(ValueError, match="needs a source"):
        Reweight("car", 2.0, keep_background=("car", "car"))


@pytest.mark.parametrize("knobs", [{"groups": "top"}, {"cells": 5}, {"keep_background": ("bus", "car")}])
def test_what_the_run_does_not_have_says_what_is_possible(knobs):
    with pytest.raises(ValueError, match="possible are down_blocks.0|'bus' is not in the prompt 'a truck"):
        generate(tiny(1), CAR, steps=1, edits=swap(**knobs), progress=False)
