"""Guidance on a tiny model, in whole runs: what it changes, and what it leaves alone."""

import copy
import gc
import threading
import weakref
from dataclasses import FrozenInstanceError
from functools import cache

import numpy as np
import pytest
import torch
from models_for_tests import PATH, PROMPT, noise, run_of, tiny
from steering_for_tests import TIMESTEP, begun, image_noise, level

from xattn_helpers import Swap, generate
from xattn_helpers.backbones.model import Model
from xattn_helpers.backbones.noise import Level
from xattn_helpers.edits.graphs import GraphOfRun
from xattn_helpers.edits.guidance import Guidance

TWO = [PROMPT, "a big burger floats on the water"]


def latents_of(edits=(), model: Model | None = None, prompt=PROMPT, **options) -> torch.Tensor:
    return generate(model or tiny(1), prompt, **({"steps": 2, "progress": False, "edits": edits} | options)).latents


@cache
def halved() -> Model:
    """The tiny image model in half precision."""
    model = copy.deepcopy(tiny(1))
    for part in (model.network, model.codec.vae, model.text.encoder):
        part.half()
    return model


def test_zero_strength_is_bit_for_bit_the_unguided_clip():
    clip = generate(tiny(), PROMPT, steps=2, edits=Guidance("burger", PATH, strength=0.0), progress=False)
    assert torch.equal(clip.latents, latents_of(model=tiny())) and clip.updates == ()


def test_guidance_changes_the_clip_and_restores_the_model():
    model, before = tiny(), dict(tiny().network.attn_processors)
    assert (latents_of(Guidance("burger", PATH), model) - latents_of(model=model)).abs().max() > 1e-3
    after = model.network.attn_processors
    assert after.keys() == before.keys()
    assert all(processor is before[name] for name, processor in after.items())


def test_a_clip_tells_its_updates():
    guidance = Guidance([["burger"], ["water"]], [[PATH], [PATH]], schedule=lambda index, steps: index > 0, repeats=2)
    first, second = generate(tiny(), TWO, steps=3, edits=guidance, progress=False)
    assert [update.step for update in first.updates] == [1, 1, 2, 2] == [update.step for update in second.updates]
    assert all(len(update.energy) == 3 and 0 < update.change < 10 for update in first.updates)
    assert first.updates[0].energy != second.updates[0].energy


def test_the_sources_of_a_swap_stay_where_they_are():
    swap, boat = Swap("water", "water", source=PROMPT), "a boat floats on the water"
    clips = []
    for edits in ([swap, Guidance("boat", PATH)], swap):
        clips.append(generate(tiny(1), boat, steps=2, edits=edits, progress=False))
    guided, free = clips
    torch.testing.assert_close(guided.source.latents, free.source.latents, atol=1e-3, rtol=0)
    assert (guided.latents - free.latents).abs().max() > 1e-2
    assert guided.updates and not free.updates and not guided.source.updates


def test_two_guidances_of_a_run_are_both_told():
    edits = [Guidance("burger", PATH, schedule="first half"), Guidance("water", PATH, schedule="always")]
    clip = generate(tiny(1), PROMPT, steps=4, edits=edits, progress=False)
    assert [update.step for update in clip.updates] == [0, 1, 0, 1, 2, 3]


def test_maps_of_seven_to_twenty_rows_are_used_at_every_size():
    cells, model, guidance = {}, tiny(1), Guidance("burger", PATH)
    for rows in (8, 12, 14, 16, 20, 21, 40):
        cells[rows] = sorted({model.backbone.cells(site) for site in guidance.sites(model, (1, rows, 16))})
    assert cells == {8: [1], 12: [1], 14: [1, 2], 16: [1, 2], 20: [1, 2], 21: [2], 40: [2, 4]}
    assert len(guidance.sites(model, (1, 200, 16))) == 7, "all, where none fits"
    (named,) = Guidance("burger", PATH, groups="mid").sites(model)
    assert named.group == "mid", "all that were named, whatever their size"
    assert guidance.sites(model) == guidance.sites(model, (1, 16, 16)) == begun(model=model).sites


# Half precision


def test_half_precision_guides_as_single_precision_does():
    """The energy is small, so that its gradient would be zero in half precision without a scale of the loss."""

    def energy(maps, targets):
        return 1e-5 * (1 - (maps * targets).sum((-2, -1)) / maps.sum((-2, -1))).square()

    moved = {}
    for name, model in (("half", halved()), ("single", tiny(1))):
        steering = begun(model=model, energy=energy, strength=3e6, law="1 - abar")
        latents = image_noise().to(model.dtype)
        gradient = steering.gradient(latents, TIMESTEP)[1]
        assert gradient.dtype == torch.float32 and gradient.abs().max() < 1e-5
        change = steering.update(latents, level(), 0)
        assert change.dtype == model.dtype
        moved[name] = (change - latents).float()
    assert moved["single"].abs().max() > 0.1
    torch.testing.assert_close(moved["half"], moved["single"], atol=0.03 * float(moved["single"].abs().max()), rtol=0)


def test_a_clip_guided_in_half_precision_is_like_that_of_single_precision():
    guidance = Guidance("burger", PATH)
    half, single, free = latents_of(guidance, halved()), latents_of(guidance), latents_of()
    assert half.dtype == torch.float16
    assert (half.float() - single).abs().max() < 0.02 * (free - single).abs().max() + 0.02 * single.abs().max()


# A description that nothing changes


def test_it_is_frozen_and_may_be_used_again():
    guidance = Guidance("burger", PATH)
    with pytest.raises(FrozenInstanceError):
        guidance.strength = 1.0  # type: ignore
    before = dict(vars(guidance))
    first, image, again = (latents_of(guidance, model) for model in (tiny(), tiny(1), tiny()))
    assert vars(guidance) == before and torch.equal(first, again) and image.shape[1] == 1


def test_it_holds_no_model_after_a_run():
    guidance, model = Guidance("burger", PATH), copy.deepcopy(tiny(1))
    latents_of(guidance, model)
    network = weakref.ref(model.network)
    del model
    gc.collect()
    assert network() is None


def test_after_a_run_the_graph_is_given_up():
    with pytest.raises(KeyboardInterrupt):
        with Guidance("burger", PATH).attach(run_of(tiny(1))) as steering:
            steering._graph = GraphOfRun(tiny(1).network, steering.facts, about="a test", is_kept=False)
            steering._graph.graph = object()
            raise KeyboardInterrupt
    assert steering._graph.graph is None


def test_two_threads_share_a_guidance():
    guidance, prompts, results = Guidance("burger", PATH, memory="save"), TWO, {}
    alone = {prompt: latents_of(guidance, prompt=prompt, steps=3) for prompt in prompts}

    def work(prompt):
        results[prompt] = latents_of(guidance, prompt=prompt, steps=3)

    threads = [threading.Thread(target=work, args=(prompt,)) for prompt in prompts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(torch.equal(results[prompt], alone[prompt]) for prompt in prompts)


def test_numbers_of_numpy_are_numbers():
    knobs = {"strength": np.float32(0.5), "cells": np.int64(2), "repeats": np.int64(1), "stop_below": np.float64(-1)}
    plain = {name: number.item() for name, number in knobs.items()}
    assert torch.equal(*(latents_of(Guidance("burger", PATH, **numbers), steps=1) for numbers in (knobs, plain)))


@pytest.mark.parametrize(
    ("make", "length", "guided"),
    [(Guidance.for_track, 0.08, [True, True, False, False]), (Guidance.for_size, 0.055, [True] * 4)],
)
def test_presets_make_steps_of_their_length_once_at_each_guided_step(make, length, guided):
    """At full noise the length is the strength; `track` has the defaults."""
    latents, full = image_noise(), Level(TIMESTEP, alpha=0.0, sigma=1.0)
    lengths = []
    with make("burger", PATH).attach(run_of(tiny(1))) as steering:
        for index in range(4):
            change = steering.update(latents, full, index) - latents
            lengths.append(float(change.square().mean().sqrt()))
    assert lengths == pytest.approx([length * is_guided for is_guided in guided], rel=1e-3)
    assert [update.step for update in steering.updates[0]] == [index for index in range(4) if guided[index]]


@pytest.mark.parametrize(("knobs", "count"), [({}, 1), ({"memory": "save"}, 2)])
def test_a_gradient_computes_the_network_once_unless_it_saves_memory(knobs, count):
    steering, ran = begun(model=tiny(1), **knobs), []
    handle = tiny(1).network.down_blocks[0].resnets[0].conv1.register_forward_hook(lambda *_: ran.append("down"))
    steering.gradient(image_noise(), TIMESTEP)
    handle.remove()
    assert len(ran) == count


@pytest.mark.parametrize("make", [Guidance.for_track, Guidance.for_size])
def test_presets_take_knobs(make):
    guidance = make("burger", PATH, strength=0.25, shape="box")
    assert isinstance(guidance, Guidance) and (guidance.strength, guidance.shape) == (0.25, "box")
    assert guidance.word == "burger" and guidance.target is PATH


def test_drawn_maps_guide_as_the_track_that_drew_them():
    drawn = begun(target=PATH.mask(3, 16, 16, "disc"), cells=1).gradient(noise(tiny()), TIMESTEP)
    torch.testing.assert_close(drawn, begun(cells=1).gradient(noise(tiny()), TIMESTEP))
