"""The table of `forward_swap`: from one row a case to means over pairs with their intervals, and back to cases."""

import math
from itertools import product

import numpy as np
from scipy.stats import bootstrap

from xattn_helpers.pocket.vocabulary import OBJECTS
from xattn_helpers.pocket.world import atlas

from . import runner

IMAGE, VIDEO = "pocket-t2i", "pocket"
PLACES = ("16 down", "16 up", "8 down", "8 up", "4 mid")
PARTS = ("noun", "words", "start", "padding")
GROUPS = ("all", "source larger", "similar", "source smaller")
SIMILAR = (0.9, 1.1)  # the world's size of the source by that of the target
LENGTHS = ("long", "area", "aspect")  # of these, how much of the source's is taken over
DIFFERENCES = {  # name: what is subtracted from what, both of them statistics of a case
    "iou gained": ("iou swapped source", "iou own source"),
    "distance lost": ("distance swapped source", "distance own source"),
    "seen gained": ("swapped seen", "own seen"),
    "one gained": ("swapped one", "own one"),
    "pure gained": ("swapped pure", "own pure"),
    "confidence gained": ("swapped confidence", "own confidence"),
    "misshapen gained": ("misshapen swapped", "misshapen own"),
    "background gained": ("background swapped source", "background own source"),
}
ABOUT = {
    "swap": ("model", "source_word", "word", "seed"), "replace": ("model", "source_word", "word", "seed"),
    "words": ("model", "source_word", "word", "differ", "seed"),
}  # fmt: skip


def summary(measured: list[dict]) -> dict:
    """The table: what swaps do, by the pair's ratio of sizes; what they take over; where attention goes; words."""
    rows = [row | derived(row) for row in measured]
    table = {part: {} for part in ABOUT} | {"taken over": {}}
    for model, kind in product((IMAGE, VIDEO), ABOUT):
        mine = [row for row in rows if (row["model"], row["kind"]) == (model, kind)]
        if kind == "words":
            table[kind][model] = _words(mine)
        elif mine:
            groups = {group: [row for row in mine if group in ("all", group_of(row))] for group in GROUPS}
            table[kind][model] = {group: _figures(some) for group, some in groups.items()}
            table["taken over"].setdefault(model, {})[kind] = {name: taken_over(mine, name) for name in LENGTHS}
    table["cases"] = {kind: _compact(kind, [row for row in measured if row["kind"] == kind]) for kind in ABOUT}
    return table


def derived(row: dict) -> dict:
    """Statistics of a case that follow from those that were measured."""
    if row["kind"] == "words":
        gained = {f"{name} gained": row[f"edited {name}"] - row[f"own {name}"] for name in ("seen", "pure")}
        return gained | {"size beside source": _log(row["edited long"], row["source long"])}
    wanted = world_aspect(row["word"])
    found = {
        "size beside own": _log(row["swapped long"], row["own long"]),
        "size beside source": _log(row["swapped long"], row["source long"]),
        "misshapen own": abs(_log(row["own aspect"], wanted)),
        "misshapen swapped": abs(_log(row["swapped aspect"], wanted)),
    }
    both = row | found
    return found | {name: both[after] - both[before] for name, (after, before) in DIFFERENCES.items()}


def world_aspect(word: str) -> float:
    """Width by height of an object as the world draws it, upright."""
    inside = atlas()[list(OBJECTS).index(word), 3] > 0.5  # (side, side), where it is opaque
    return int(inside.any(0).sum()) / int(inside.any(1).sum())


def group_of(row: dict) -> str:
    """Which of `GROUPS` a pair belongs to, by what the world says about sizes."""
    ratio = OBJECTS[row["source_word"]].size / OBJECTS[row["word"]].size
    low, high = SIMILAR
    return "source larger" if ratio > high else "source smaller" if ratio < low else "similar"


def taken_over(rows: list[dict], name: str) -> dict[str, dict]:
    """A line through the pairs, log(swapped / own) = offset + slope * log(source / own), of some length or the aspect.

    A slope of 1: all that the source differs from the target is taken over, 0: nothing of it. The offset is what a swap
    between equals does: below 0 it makes the object smaller (or, of the aspect, narrower).
    """
    whose = {"x": "source", "y": "swapped"}
    changed = [
        row | {axis: _log(row[f"{who} {name}"], row[f"own {name}"]) for axis, who in whose.items()} for row in rows
    ]
    xs, ys = (_by_pair(changed, axis) for axis in "xy")
    both = tuple(np.array([values[pair] for pair in xs if pair in ys]) for values in (xs, ys))

    def slope(x, y, axis=-1):
        x, y = (values - values.mean(axis, keepdims=True) for values in (x, y))
        return (x * y).sum(axis) / (x * x).sum(axis)

    def offset(x, y, axis=-1):
        return y.mean(axis) - slope(x, y, axis) * x.mean(axis)

    found = {}
    for what, statistic in (("slope", slope), ("offset", offset)):
        options = {"paired": True, "vectorized": True, "method": "percentile", "rng": 0}
        bounds = bootstrap(both, statistic, **options).confidence_interval
        values = {"mean": statistic(*both), "low": bounds.low, "high": bounds.high}
        found[what] = {key: round(float(value), 4) for key, value in values.items()} | {"n": len(both[0])}
    return found


def _words(rows: list[dict]) -> dict:
    """Figures for prompts that differ in one, two and three words, and for what two and three cost beside one."""
    by_count = {count: [row for row in rows if row["differ"] == count] for count in (1, 2, 3)}
    found = {str(count): _figures(some) for count, some in by_count.items()}
    for count in (2, 3):
        found[f"{count} minus 1"] = {}
        for name in found["1"]:
            few, many = (_by_pair(by_count[each], name) for each in (1, count))
            found[f"{count} minus 1"][name] = _figure({pair: many[pair] - few[pair] for pair in few if pair in many})
    return found


def _figures(rows: list[dict]) -> dict[str, dict | None]:
    names = sorted({name for row in rows for name, value in row.items() if isinstance(value, float)})
    return {name: _figure(_by_pair(rows, name)) for name in names}


def _log(value: float, other: float) -> float:
    return math.log(value / other)


def _by_pair(rows: list[dict], name: str) -> dict[tuple, float]:
    """The mean over seeds for each pair, NaNs left out."""
    found = {}
    for row in rows:
        value = row.get(name, math.nan)
        if value == value:
            found.setdefault((row["source_word"], row["word"], row["source"].split(" ", 2)[2]), []).append(value)
    return {pair: float(np.mean(values)) for pair, values in found.items()}


def _figure(by_pair: dict[tuple, float]) -> dict | None:
    if not by_pair:
        return None
    found = runner.mean(list(by_pair.values()))
    return {key: round(float(found[key]), 4) for key in ("mean", "low", "high")} | {"n": int(found["n"])}


def _compact(kind: str, rows: list[dict]) -> list[str]:
    """Every case as a line of comma-separated values, the names of the columns first."""
    names = list(dict.fromkeys(name for row in rows for name, value in row.items() if isinstance(value, float)))
    lines = [",".join([*ABOUT[kind], *names])]
    for row in rows:
        numbers = [f"{row.get(name, math.nan):.4f}" for name in names]
        lines.append(",".join([*(str(row[name]) for name in ABOUT[kind]), *numbers]))
    return lines


def read_cases(lines: list[str]) -> list[dict]:
    """The stored cases as dictionaries, numbers as numbers."""
    columns, *rows = [line.split(",") for line in lines]
    texts = {"model", "source_word", "word"}
    return [
        {name: part if name in texts else int(part) if name in ("seed", "differ") else float(part)
         for name, part in zip(columns, row, strict=True)}
        for row in rows
    ]  # fmt: skip


def show(table: dict) -> None:
    """Print the table."""
    for model in (IMAGE, VIDEO):
        parts = {kind: table[kind].get(model, {}) for kind in ABOUT}
        parts |= {f"{kind}, taken over": groups for kind, groups in table["taken over"].get(model, {}).items()}
        for part, groups in parts.items():
            for group, name, figure in ((g, n, f) for g, figures in groups.items() for n, f in figures.items() if f):
                print(model, part, group, name, runner.show(figure, percent=False), sep=" | ")
