"""What the maps of one prompt know of its object: a row of `noise_grid`."""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from ...attention.recording import Recording
from ...measures.map_quality import shrink_mask
from ..attention_noise.statistics import counted, leakage, positions_of, statistics
from ..rows import Row

LEAKS = ("in, on", "the", "<start>", "<pad>", "verb")  # tokens that should know nothing of the object


def maps_by_height(attention: Recording) -> dict[int, Float[Tensor, "tokens pictures height width"]]:
    """The mean over steps, heads and the sites of a height; frames of all clips, or images, one after the other."""
    sites: dict[int, list[Tensor]] = {}
    for site in attention.sites():
        maps = attention.probabilities(site).mean(2).flatten(0, 1)  # (pictures, height, width, tokens)
        sites.setdefault(maps.shape[1], []).append(maps)
    return {height: torch.stack(maps).mean(0).movedim(-1, 0) for height, maps in sites.items()}


def describe_maps(
    by_height: Mapping[int, Float[Tensor, "tokens frames height width"]],
    masks: Bool[Tensor, "frames rows columns"], token_roles: Sequence[str],
) -> Row:  # fmt: skip
    """Figures of the noun's map, and the leakage of other kinds of tokens, at each height; masks are of every frame."""
    positions, chosen = positions_of(token_roles), counted(len(masks))
    row: Row = {"seen": float(masks[chosen].any(-1).any(-1).float().mean())}
    for height, maps in by_height.items():
        cells = shrink_mask(masks[chosen], (maps.shape[-2], maps.shape[-1]))
        noun = maps[positions["noun"]].sum(0)[chosen]
        for name, value in statistics(noun, masks[chosen]).items():
            row[f"{name}, {height}"] = value
        for kind in LEAKS:
            if kind in positions:
                row[f"leakage of {kind}, {height}"] = leakage(maps[positions[kind]][:, chosen].mean(0), cells)
    return row


def overlap(first: Bool[np.ndarray, "frames height width"], second: Bool[np.ndarray, "frames height width"]) -> float:
    """Intersection over union of two objects' masks, mean over frames; 0 where one is missing."""
    common, union = (first & second).sum((1, 2)), (first | second).sum((1, 2))
    return float((common / np.maximum(union, 1)).mean())
