"""Latents from before the package was rebuilt: the old settings, named explicitly, still give the same.

`data/before_the_move.safetensors` was written by commit 4162296, on a CPU in single precision; for the video, with the
weights of commit c096f91 in the place of its own. It says which weights it was made with: new weights make other clips.
"""

from functools import cache
from pathlib import Path

import pytest
import torch
from safetensors import safe_open

from xattn_helpers import Guidance, Swap, generate, load, track

DATA = Path(__file__).parent / "data" / "before_the_move.safetensors"
PROMPT, CAR, TRUCK = "a burger floats on the water", "a car drives on the road", "a truck drives on the road"
PATH = track([(0.25, 0.25), (0.25, 0.77)], size=0.35)
DEFAULTS = {"law": "1 - abar", "strength": 100.0, "schedule": "first half", "cells": (1, 2), "shape": "disc"}
EQUAL = {"law": "equal", "strength": 1.75 / 32, "schedule": "always", "cells": (1, 2), "shape": "disc"}
PAPER = DEFAULTS | {"energy": "shape", "strength": 60.0, "schedule": "paper", "shape": "box"}
TOLERANCE = 1e-5  # of the largest latent, for the root mean square of differences; single ones differ ten times as much


@cache
def model(name: str):
    loaded = load(name, "cpu", "float32")
    with safe_open(DATA, "pt") as file:
        before = float(file.metadata()[name])
    now = float(sum(weight.double().abs().sum() for weight in loaded.network.parameters()))
    assert now == pytest.approx(before, rel=1e-9), f"{name} has other weights than the stored clips were made with"
    return loaded


def assert_as_before(latents: torch.Tensor, name: str) -> None:
    with safe_open(DATA, "pt") as file:
        before = file.get_tensor(name)
    assert latents.shape == before.shape
    difference = (latents - before) / before.abs().max()
    assert difference.square().mean().sqrt() <= TOLERANCE and difference.abs().max() <= 10 * TOLERANCE, name


@pytest.mark.parametrize(
    ("name", "knobs"),
    [("image", None), ("image with steps of equal length", EQUAL), ("image as in the paper", PAPER)],
)
def test_an_image(name, knobs):
    edits = () if knobs is None else Guidance("burger", PATH, **knobs)
    assert_as_before(generate(model("pocket-t2i"), PROMPT, seed=0, edits=edits, progress=False).latents, name)


def test_a_guided_video():
    guidance = Guidance("burger", PATH, **DEFAULTS)
    clip = generate(model("pocket"), PROMPT, seed=0, steps=4, frames=4, edits=guidance, progress=False)
    assert_as_before(clip.latents, "guided video")


def test_a_swapped_image():
    swap = Swap("truck", "car", source=TRUCK)
    clip = generate(model("pocket-t2i"), CAR, seed=3, edits=swap, progress=False)
    assert_as_before(clip.latents, "swapped image")
    assert_as_before(clip.source.latents, "source of the swap")
