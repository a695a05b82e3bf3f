"""Tiny models of all families, videos for them, and edits of these videos in four steps."""

from dataclasses import replace

import numpy as np
import torch
from models_for_tests import PROMPT, tiny
from transformers_for_tests import tiny_transformer

from xattn_helpers import edit_video
from xattn_helpers.edits import blending


def small(frames=3):
    """The tiny model, for videos of 16 x 16 pixels."""
    return replace(tiny(frames), defaults=replace(tiny(frames).defaults, height=16, width=16))


MODELS = {
    "unet": small, "image": lambda: small(1), "wan": lambda: tiny_transformer("wan"),
    "ltx": lambda: tiny_transformer("ltx"),
}  # fmt: skip
TARGET = "a ball floats on the water"
OPTIONS = {"steps": 4, "skip": 0.3, "check_prompt": False, "progress": False}


def given(model, seed=0):
    """A video of the size that the model makes."""
    made = model.defaults
    shape = (made.frames, made.height, made.width, 3)
    return np.random.default_rng(seed).integers(0, 255, shape, dtype=np.uint8)


def edit(model, source=PROMPT, target=TARGET, **options):
    return edit_video(model, given(model), source, target, **(OPTIONS | options))


def difference(clip):
    return float((clip.latents - clip.source.latents).abs().max())


def object_in_the_left_half(monkeypatch):
    """Whatever its maps say: the mask of a kept background is 1 there."""

    def left(maps, size, threshold):
        mask = torch.zeros(size)
        mask[..., : size[-1] // 2] = 1
        return mask

    monkeypatch.setattr(blending, "shape_of", left)
    monkeypatch.setattr("xattn_helpers.editing.shape_of", left)
