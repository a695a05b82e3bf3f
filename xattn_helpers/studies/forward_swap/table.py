"""The table of `forward_swap`: from one row a case to means over pairs with their intervals."""

import math
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from itertools import product
from typing import Any

import numpy as np
from jaxtyping import Float

from ...measures.resampling import AT_ONCE
from ...measures.statistics import Estimate
from ...pocket.world.drawing import atlas
from ...pocket.world.vocabulary import OBJECTS
from ..rows import Row

IMAGE, VIDEO = "pocket-t2i", "pocket"
PLACES = ("16 down", "16 up", "8 down", "8 up", "4 mid")
PARTS = ("noun", "words", "start", "padding")
GROUPS = ("all", "source larger", "similar", "source smaller")
SIMILAR = (0.9, 1.1)  # the world's size of the source by that of the target
LENGTHS = ("long", "area", "aspect")  # of these, how much of the source's is taken over
RESAMPLES = 9999
KINDS = ("swap", "replace", "words")
COUNTS = (1, 2, 3)  # differing words
DIFFERENCES = {  # name: what is subtracted from what, both of them statistics of a case
    "iou gained": ("iou swapped source", "iou own source"),
    "distance lost": ("distance swapped source", "distance own source"),
    "seen gained": ("swapped seen", "own seen"),
    "single gained": ("swapped single", "own single"),
    "pure gained": ("swapped pure", "own pure"),
    "confidence gained": ("swapped confidence", "own confidence"),
    "misshapen gained": ("misshapen swapped", "misshapen own"),
    "background gained": ("background swapped source", "background own source"),
}
ByPair = dict[tuple, float]
Pairs = Float[np.ndarray, "*resamples pairs"]


def summary(rows: Sequence[Row]) -> dict:
    """The table: what swaps do, by the pair's ratio of sizes; what they take over; where attention goes; words."""
    complete = [row | derived(row) for row in rows]
    table: dict = {kind: {} for kind in (*KINDS, "taken over")}
    for model, kind in product((IMAGE, VIDEO), KINDS):
        members = [row for row in complete if (row["model"], row["kind"]) == (model, kind)]
        if kind == "words":
            table[kind][model] = words_part(members)
        elif members:
            table[kind][model] = swap_part(members)
            taken = {name: taken_over(members, name) for name in LENGTHS}
            table["taken over"].setdefault(model, {})[kind] = taken
    return table


def swap_part(rows: Sequence[Row]) -> dict[str, dict[str, Estimate]]:
    """Figures of all pairs, and of those whose source is larger than the target, similar, and smaller."""
    table = {}
    for group in GROUPS:
        table[group] = figures([row for row in rows if group in ("all", group_of(row))])
    return table


def words_part(rows: Sequence[Row]) -> dict[str, dict[str, Estimate]]:
    """Figures for prompts that differ in one, two and three words, and for what two and three cost beside one."""
    by_count = {count: [row for row in rows if row["differ"] == count] for count in COUNTS}
    table = {str(count): figures(members) for count, members in by_count.items()}
    for count in COUNTS[1:]:
        cost = {}
        for name in table["1"]:
            cost[name] = Estimate.difference(by_pair(by_count[count], name), by_pair(by_count[1], name))
        table[f"{count} minus 1"] = cost
    return table


def figures(rows: Sequence[Row]) -> dict[str, Estimate]:
    """The mean over pairs of every measured and derived statistic."""
    names = set()
    for row in rows:
        names |= {name for name, value in row.items() if isinstance(value, float)}
    return {name: Estimate.mean(by_pair(rows, name).values()) for name in sorted(names)}


def by_pair(rows: Sequence[Row], name: str) -> ByPair:
    """The mean over seeds for each pair; NaN and missing values are left out."""
    values: dict[tuple, list[float]] = {}
    for row in rows:
        value = row.get(name)
        if value is not None and not math.isnan(value):
            values.setdefault((row["source_word"], row["word"], row["source_prompt"]), []).append(value)
    return {pair: float(np.mean(of_seeds)) for pair, of_seeds in values.items()}


def derived(row: Row) -> dict[str, float]:
    """Statistics of a case that follow from those that were measured."""
    if row["kind"] == "words":
        gained = {f"{name} gained": row[f"edited {name}"] - row[f"own {name}"] for name in ("seen", "pure")}
        return gained | {"size beside source": log_ratio(row["edited long"], row["source long"])}
    wanted = world_aspect(row["word"])
    values = {
        "size beside own": log_ratio(row["swapped long"], row["own long"]),
        "size beside source": log_ratio(row["swapped long"], row["source long"]),
        "misshapen own": abs(log_ratio(row["own aspect"], wanted)),
        "misshapen swapped": abs(log_ratio(row["swapped aspect"], wanted)),
    }
    complete = row | values
    for name, (after, before) in DIFFERENCES.items():
        values[name] = complete[after] - complete[before]
    return values


def log_ratio(value: float, reference: float) -> float:
    """The logarithm of a ratio, in which twice as large and half as large cancel."""
    return math.log(value / reference)


@cache
def world_aspect(word: str) -> float:
    """Width by height of an object as the world draws it, upright."""
    inside = atlas()[list(OBJECTS).index(word), 3] > 0.5  # (side, side), where it is opaque
    return int(inside.any(0).sum()) / int(inside.any(1).sum())


def group_of(row: Mapping) -> str:
    """Which of `GROUPS` a pair belongs to, by what the world says about sizes."""
    ratio = OBJECTS[row["source_word"]].size / OBJECTS[row["word"]].size
    low, high = SIMILAR
    return "source larger" if ratio > high else "source smaller" if ratio < low else "similar"


def taken_over(rows: Sequence[Row], name: str) -> dict[str, Estimate]:
    """A line through the pairs, log(swapped / own) = offset + slope * log(source / own), of some length or the aspect.

    A slope of 1: all that the source differs from the target is taken over, 0: nothing of it. The offset is what a swap
    between equals does: below 0 it makes the object smaller (or, of the aspect, narrower).
    """
    ratios = []
    for row in rows:
        offered = log_ratio(row[f"source {name}"], row[f"own {name}"])
        taken = log_ratio(row[f"swapped {name}"], row[f"own {name}"])
        ratios.append(row | {"offered": offered, "taken": taken})
    offers, results = by_pair(ratios, "offered"), by_pair(ratios, "taken")
    pairs = [(offers[pair], results[pair]) for pair in offers if pair in results]
    return {
        "slope": Estimate.grouped(pairs, statistic=slope, resamples=RESAMPLES),
        "offset": Estimate.grouped(pairs, statistic=offset, resamples=RESAMPLES),
    }


def slope(offered: Pairs, taken: Pairs) -> Any:
    """The slope of the line of least squares, of each row where there are several."""
    centred = offered - offered.mean(-1, keepdims=True)
    return (centred * (taken - taken.mean(-1, keepdims=True))).sum(-1) / (centred * centred).sum(-1)


def offset(offered: Pairs, taken: Pairs) -> Any:
    """Where that line crosses 0."""
    return taken.mean(-1) - slope(offered, taken) * offered.mean(-1)


AT_ONCE.update({slope: slope, offset: offset})


def printed(table: Mapping) -> Iterator[str]:
    """The figures, a line each."""
    for model in (IMAGE, VIDEO):
        parts = {kind: table[kind].get(model, {}) for kind in KINDS}
        for kind, lengths in table["taken over"].get(model, {}).items():
            parts[f"{kind}, taken over"] = lengths
        for part, groups in parts.items():
            for group, by_name in groups.items():
                for name, figure in by_name.items():
                    if figure.n:
                        yield f"{model} | {part} | {group} | {name} | {figure.format()}"
