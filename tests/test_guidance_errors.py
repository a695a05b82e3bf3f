"""What guidance refuses, and what it says."""

import math
from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch
from models_for_tests import PATH, PROMPT, run_of, tiny
from steering_for_tests import TIMESTEP, begun, image_noise, level

from xattn_helpers import Guidance, generate
from xattn_helpers.backbones.noise import Level


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"energy": "boxes"}, "energy='boxes'.: energy must be 'box', 'shape', .*, or a function of maps"),
        ({"energy": {"box": float("nan")}}, "energy=.*nan.*: energy must be .* with finite weights"),
        ({"law": "linear"}, "law='linear'.: law must be 'equal', '1 - abar'"),
        ({"schedule": "never"}, "schedule='never'.: schedule must be 'paper'.* or a function"),
        ({"strength": -1.0}, "strength=-1.0"),
        ({"strength": math.nan}, "strength=nan"),
        ({"strength": math.inf}, "strength=inf"),
        ({"repeats": 0}, "repeats=0.: repeats must be an integer from 1 to 1000"),
        ({"shape": "star"}, "shape='star'.: shape must be 'box' or 'disc'"),
        ({"frame_of": "first"}, "frame_of='first'.: frame_of must be 'own', 'released' or a function"),
        ({"word": ["burger", "water"]}, "1 given for 2 words"),
        ({"target": [(0.1, 0.2)]}, "target must be a track, or maps"),
    ],
)
def test_wrong_knobs_say_what_is_possible(options, message):
    with pytest.raises(ValueError, match=message):
        Guidance(**({"word": "burger", "target": PATH} | options))


@pytest.mark.parametrize(
    ("word", "target", "knobs", "message"),
    [
        ("shark", PATH, {}, "'shark' is not in the prompt"),
        ("burger", PATH, {"cells": 5}, "no site of attention has cells.5; possible are"),
        ("burger", PATH, {"cells": ()}, r"no site of attention has cells.\(\)"),
        ("burger", PATH, {"groups": "top"}, "no site of attention has group.*'top'; possible are .*group down"),
        ("burger", PATH, {"groups": ()}, r"no site of attention has group.*\(\)"),
        ("burger", PATH, {"groups": "mid", "cells": 1}, "has group.*'mid', cells.1"),
        ("burger", torch.zeros(2, 16, 16), {}, r"shape \(2, 16, 16\) given; needed is \(1 frames"),
        ([["burger"], ["water"]], [[PATH], [PATH]], {}, "lists for 2 prompts given; this run has 1"),
        ("burger", PATH, {"frame_of": lambda frame, frames: frame + 1}, r"gives frames \[1\]; possible are 0 to 0"),
        ("burger", PATH, {"frame_of": lambda frame, frames: frame - 1}, r"gives frames \[-1\]; possible are"),
        ("burger", PATH, {"strength": 1e6}, "strength=1000000.0 with law='equal' moves a latent by .* at step 0"),
    ],
)
def test_what_does_not_fit_the_run_says_what_is_possible(word, target, knobs, message):
    with pytest.raises(ValueError, match=message):
        generate(tiny(1), PROMPT, steps=1, edits=Guidance(word, target, **knobs), progress=False)


@pytest.mark.parametrize("device", ["cpu", "mps"])
def test_a_graph_needs_a_cuda_gpu(device):
    run = replace(run_of(tiny(1)), model=SimpleNamespace(device=torch.device(device)))
    with pytest.raises(ValueError, match=f"graphed=True needs a CUDA GPU; the model is on {device}"):
        with Guidance("burger", PATH, graphed=True).attach(run):
            pass


def test_a_step_of_ten_standard_deviations_is_the_largest_that_is_taken():
    free = begun(strength=1.0, law="1 - abar", limit=math.inf, model=tiny(1))
    free.update(image_noise(), level(), 0)
    of_one = free.updates[0][0].change  # in proportion to the strength
    begun(strength=9.9 / of_one, law="1 - abar", model=tiny(1)).update(image_noise(), level(), 0)
    with pytest.raises(ValueError, match="moves a latent by 10 standard deviations .*limit=10.0"):
        begun(strength=10.1 / of_one, law="1 - abar", model=tiny(1)).update(image_noise(), level(), 0)


def test_a_step_that_leaves_no_picture_names_the_ways_out():
    steering = begun(strength=30.0, law="(1 - abar) / abar", limit=5.0, model=tiny(1))
    with pytest.raises(ValueError, match=r"another law \(possible are 'equal'.*higher limit=5.0"):
        steering.update(image_noise(), tiny().noise.level(999), 0)
    (update,) = steering.updates[0]
    assert update.change > 5
    higher = begun(strength=30.0, law="(1 - abar) / abar", limit=update.change, model=tiny(1))
    assert higher.update(image_noise(), tiny().noise.level(999), 0).isfinite().all()


def test_a_law_without_a_finite_step_says_so():
    """At the first step of flow matching there is no signal: sigma^2 / alpha^2 is infinite."""
    steering = begun(law="(1 - abar) / abar", model=tiny(1))
    with pytest.raises(ValueError, match=r"law='\(1 - abar\) / abar' has no finite step.*possible are 'equal'"):
        steering.update(image_noise(), Level(TIMESTEP, alpha=0.0, sigma=1.0), 0)


def test_a_gradient_that_is_not_finite_is_an_error():
    guidance = Guidance("burger", PATH, energy=lambda maps, targets: maps.sum((-2, -1)) / 0.0)
    with pytest.raises(FloatingPointError, match='step 0: .* not finite in float32; load the model with dtype="float'):
        generate(tiny(1), PROMPT, steps=1, edits=guidance, progress=False)
