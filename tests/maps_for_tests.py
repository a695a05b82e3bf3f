"""Hand-made attention maps, and an edit of them without a network."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch
from models_for_tests import run_of, tiny
from torch import Tensor

from xattn_helpers import Swap
from xattn_helpers.attention.processor import Maps
from xattn_helpers.backbones.backbone import HALVES, LISTENERS

CAR, TRUCK = "a car drives on the road", "a truck drives on the road"
SWAP = Swap("truck", "car", source=TRUCK)


def random_maps(batch: int, seed: int = 0, side: int = 4) -> Maps:
    """Rows that sum to one, (batch, 2 frames, 2 heads, side, side, 20 tokens)."""
    scores = torch.randn(batch, 2, 2, side, side, 20, generator=torch.Generator().manual_seed(seed))
    return scores.softmax(-1)


def edited(
    edit: Any, before: Maps, index: int = 0, steps: int = 10, prompts: Sequence[str] = (CAR,), guided: bool = True
) -> Maps:
    """What an edit makes of the maps of a call; with `guided`, those of both halves of classifier-free guidance."""
    model = tiny()
    sources = [edit.source] if edit.source else []
    run = run_of(model, prompts, steps, sources)
    halves = HALVES if guided else HALVES[1:]
    call = replace(run.call(index), halves=halves, clips=len(before) // len(halves))
    with edit.attach(run):
        maps: Tensor | None = before
        for entry in LISTENERS.get():
            if entry.listener.edits and maps is not None:
                maps = entry.listener(maps, model.sites[0], call)
    assert maps is not None
    return maps
