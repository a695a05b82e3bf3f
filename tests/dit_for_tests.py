"""Weights for `load("pocket-dit")`: a small random network of its layout beside the shipped parts."""

from dataclasses import replace
from functools import cache
from pathlib import Path

import torch
from diffusers import FlowMatchEulerDiscreteScheduler, WanTransformer3DModel

from xattn_helpers.backbones.catalogue import CHECKPOINTS
from xattn_helpers.pocket import WEIGHTS
from xattn_helpers.pocket.networks import build_video_transformer
from xattn_helpers.studies import models


def write_dit(folder: Path) -> Path:
    """The shipped parts with a random transformer of two blocks, as the trainer stores it: in half precision."""
    for part in ("vae", "text_encoder", "tokenizer"):
        (folder / part).symlink_to(WEIGHTS / part)
    torch.manual_seed(0)
    config = dict(build_video_transformer().config) | {"num_layers": 2}
    network = WanTransformer3DModel.from_config(config)
    for name, weight in network.named_parameters():
        weight.data *= 3 if "attn2.to_v" in name else 1  # attention that matters
        weight.data = weight.data.half()
    network.save_pretrained(folder / "transformer")
    FlowMatchEulerDiscreteScheduler(shift=3.0).save_pretrained(folder / "scheduler_dit")
    return folder


def use_dit(monkeypatch, folder: Path, **changes) -> None:
    """`load("pocket-dit")` looks into a folder, and may make fewer frames."""
    checkpoint = replace(CHECKPOINTS["pocket-dit"], source=str(folder), **changes)
    monkeypatch.setitem(CHECKPOINTS, "pocket-dit", checkpoint)
    for name in ("model", "weights_of"):  # studies load a model once, and shall not keep this one
        monkeypatch.setattr(models, name, cache(getattr(models, name).__wrapped__))
