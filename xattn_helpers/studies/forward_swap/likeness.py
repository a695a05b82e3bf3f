"""How alike two objects of the world are in shape, and what likeness and size have to do with the damage of a swap."""

from collections.abc import Sequence
from functools import cache

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor

from ...measures.resampling import AT_ONCE
from ...measures.statistics import Estimate, spearman, spearmans
from ...pocket.world.drawing import atlas
from ...pocket.world.vocabulary import OBJECTS
from ..rows import Row
from .table import by_pair, derived, group_of

RESAMPLES = 999  # of a rank correlation
SIDE = 64  # of silhouettes that are compared
LIKE = 0.6  # objects that are at least as alike have a like shape: about the middle of all pairs of the study
DAMAGE = ("seen gained", "pure gained")
KINDS = ("as large, like shape", "as large, unlike shape", "other size, like shape", "other size, unlike shape")


@cache
def likeness(first: str, second: str) -> float:
    """Intersection over union of two objects' silhouettes, centred, with long sides that are equal."""
    shape, reference = silhouette(first), silhouette(second)
    return float((shape & reference).sum() / (shape | reference).sum())


def silhouette(word: str) -> Bool[Tensor, "side side"]:
    """Where the world's drawing of an object is opaque, its long side as long as the picture's."""
    inside = atlas()[list(OBJECTS).index(word), 3] > 0.5
    rows, columns = inside.any(1).nonzero().flatten(), inside.any(0).nonzero().flatten()
    cut = inside[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    height, width = (max(1, round(SIDE * side / max(cut.shape))) for side in cut.shape)
    fine = F.interpolate(cut[None, None].float(), (height, width))[0, 0] > 0.5
    square = torch.zeros(SIDE, SIDE, dtype=torch.bool)
    top, left = (SIDE - height) // 2, (SIDE - width) // 2
    square[top : top + height, left : left + width] = fine
    return square


def kind_of(row: Row) -> str:
    """Which of `KINDS` a pair is: by its size in the world, and by the likeness of its drawings."""
    size = "as large" if group_of(row) == "similar" else "other size"
    return f"{size}, {'like' if likeness(row['source_word'], row['word']) >= LIKE else 'unlike'} shape"


def damage_by_kind(rows: Sequence[Row]) -> dict[str, dict[str, Estimate]]:
    """The damage that swaps do to pairs of each kind: means over pairs. Rows are swaps of one model."""
    table = {}
    for kind in KINDS:
        members = [row | derived(row) for row in rows if kind_of(row) == kind]
        table[kind] = {name: Estimate.mean(by_pair(members, name).values()) for name in DAMAGE}
    return table


def mismatch_and_damage(rows: Sequence[Row], name: str = "seen gained") -> dict[str, Estimate]:
    """Rank correlations, over pairs, of a figure with how unlike the two sizes are, and how unlike the two shapes.

    Below zero: the more unlike the two, the more is lost. Rows are swaps of one model.
    """
    values: dict[str, list[tuple[float, float]]] = {"size": [], "shape": []}
    for (source, target, _), value in by_pair([row | derived(row) for row in rows], name).items():
        values["size"].append((abs(np.log(OBJECTS[source].size / OBJECTS[target].size)), value))
        values["shape"].append((1 - likeness(source, target), value))
    table = {}
    for mismatch, pairs in values.items():
        table[mismatch] = Estimate.grouped(pairs, statistic=rank_correlation, resamples=RESAMPLES)
    return table


def rank_correlation(first: Float[np.ndarray, " pairs"], second: Float[np.ndarray, " pairs"]) -> float:
    """Spearman's; 0 where a side has one value only."""
    return spearman(first, second) if np.ptp(first) and np.ptp(second) else 0.0


AT_ONCE[rank_correlation] = spearmans  # of resamples, which are left out where a side has one value only
