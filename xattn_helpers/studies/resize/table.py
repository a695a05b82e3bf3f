"""The table of `resize`: how sizes agree with what was asked, for all wishes and for parts of them.

Some of what is asked for exists nowhere in the pocket world, whose sharks are never as small as its balls; figures for
the rest are told apart ("of the world"). So are those of objects that the unguided video has, in more than half of its
frames ("object before"): what is not there has no size to change.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from jaxtyping import Float

from ...display.tables import table_text
from ...measures.resampling import AT_ONCE
from ...measures.statistics import Estimate, spearman
from ...pocket.world.actors import LARGEST, SMALLEST
from ...pocket.world.vocabulary import OBJECTS as THINGS
from ...pocket.world.vocabulary import SIZES as SIZE_WORDS
from ..guidance.cases import box
from ..guidance.table import is_single
from ..rows import Row

WORDS = {"smaller": 0.5, "small": 0.75, "original": 1.0, "big": 1.35, "bigger": 1.75}  # times the unguided size
SIZES = (0.2, 0.28, 0.35, 0.45, 0.6)  # in parts of the picture
DIGITS = 4
LEAST_SIZES = 3  # of a series whose slope or order is told
IN_ORDER = 0.94  # least rank correlation of a series of ten that counts as being in order
STATISTICS = {"rank correlation": ("≥", 0.9), "median relative error": ("≤", 0.15)}  # and what the project asks for
RATES = {"seen": None, "one instance": ("≥", 0.85), "scene kept": ("≥", 0.9)}
BEST = "shape and bias"  # what this series takes for sizes
NAMES = {  # of settings, for readers
    BEST: "bias and gradient", "defaults": "gradient alone", "old defaults": "earlier defaults",
    "paper": "the paper's setting",
}  # fmt: skip
PARTS: dict[str, Callable[[Row], bool]] = {
    "all": lambda row: True,
    "words": lambda row: row["asked"] in WORDS,
    "numbers": lambda row: row["asked"] not in WORDS,
    "of the world": lambda row: exists(row),
    "object before": lambda row: row["unguided covered"],
}
HOLDS: dict[str, Callable[[Row], bool]] = {
    "seen": lambda row: row["covered"],
    "one instance": lambda row: is_single(row, 0.5),
    "scene kept": lambda row: row["scene kept"],
}


def summary(rows: Sequence[Row], knobs: Mapping[str, Mapping | None]) -> dict:
    """The table {"settings": {name: figure: part: ...}, "no guidance": {figure: ...}}; knobs are those of each setting.

    "No guidance" takes the unguided sizes for what came out: objects differ in size, and half of the wishes are
    multiples of it, so that a model that ignores every wish has a rank correlation as well.
    """
    settings = {}
    for name in dict.fromkeys(row["setting"] for row in rows):
        members = [row for row in rows if row["setting"] == name]
        done = [row for row in members if not row["failed"]]
        settings[name] = {"guidance": knobs[name], "cases": len(members), "failed": len(members) - len(done)}
        settings[name] |= figures(done)
    first = rows[0]["setting"]
    deaf = [row | {"size": row["unguided size"]} for row in rows if row["setting"] == first and not row["failed"]]
    return {"settings": settings, "no guidance": agreement(deaf)}


def figures(rows: Sequence[Row]) -> dict[str, dict[str, Estimate]]:
    """For each figure its parts."""
    table: dict[str, dict[str, Estimate]] = {}
    for part, belongs in PARTS.items():
        members = [row for row in rows if belongs(row)]
        for name, figure in agreement(members).items():
            table.setdefault(name, {})[part] = figure
        for name, holds in HOLDS.items():
            table.setdefault(name, {})[part] = Estimate.rate(holds(row) for row in members)
    return table


def agreement(rows: Sequence[Row]) -> dict[str, Estimate]:
    """How sizes agree with wishes; intervals resample objects with their seeds.

    The videos of one object and seed begin from the same noise and resemble each other: they are drawn together.
    """
    return {
        "rank correlation": statistic_of(rows, spearman),
        "median relative error": statistic_of(rows, relative_error),
        "slope": Estimate.mean(slopes(rows)),
        "series in order": Estimate.rate(order >= IN_ORDER for order in orders(rows)),
    }


def statistic_of(rows: Sequence[Row], statistic: Callable[..., float]) -> Estimate:
    """A statistic of asked and detected sides; videos without the object are left out."""
    pairs = [(row["side"], row["size"]) for row in rows]
    return Estimate.grouped(pairs, [(row["word"], row["seed"]) for row in rows], statistic)


def relative_error(asked: Float[np.ndarray, " n"], detected: Float[np.ndarray, " n"]) -> float:
    """Median of |detected / asked - 1|."""
    return float(relative_errors(asked, detected))


def relative_errors(
    asked: Float[np.ndarray, "*resamples n"], detected: Float[np.ndarray, "*resamples n"]
) -> Float[np.ndarray, "*resamples"]:
    """That of each row."""
    return np.median(np.abs(detected / asked - 1), axis=-1)


AT_ONCE[relative_error] = relative_errors


def series(rows: Sequence[Row]) -> dict[tuple, Float[np.ndarray, "2 sizes"]]:
    """Asked and detected sides of each object and seed; videos without the object are left out."""
    pairs: dict[tuple, list] = {}
    for row in rows:
        sides = pairs.setdefault((row["word"], row["seed"]), [])
        if not np.isnan(row["size"]):
            sides.append((row["side"], row["size"]))
    return {key: np.array(sides, float).reshape(-1, 2).T for key, sides in pairs.items()}


def slopes(rows: Sequence[Row]) -> list[float]:
    """For each series d log detected / d log asked: 1 is obedience, 0 a model that does not listen."""
    values = []
    for sides in series(rows).values():
        if sides.shape[1] >= LEAST_SIZES:
            wishes, results = np.log(sides)
            slope = np.polyfit(wishes, results, 1)[0]
            values.append(round(float(slope), DIGITS) + 0.0)  # without the -0 that rounding leaves
    return values


def orders(rows: Sequence[Row]) -> list[float]:
    """The rank correlation of each series, -1 where the object is seen in fewer than three of its videos."""
    values = []
    for sides in series(rows).values():
        values.append(spearman(*sides) if sides.shape[1] >= LEAST_SIZES and np.ptp(sides, axis=1).all() else -1.0)
    return values


def of_world(word: str) -> tuple[float, float]:
    """The smallest and the largest size that a caption may mean, before perspective, as the side of a square."""
    longest = max(box(word, 0.1)) / 0.1  # long side over the side of a square as large
    low, high = SIZE_WORDS["small"][0] * THINGS[word].size, SIZE_WORDS["big"][1] * THINGS[word].size
    return max(SMALLEST, low) / longest, min(LARGEST, high) / longest


def exists(row: Row) -> bool:
    """Whether the pocket world has the asked size of an object."""
    smallest, largest = of_world(row["word"])
    return smallest <= row["side"] <= largest


def markdown(table: dict) -> str:
    """What was asked for, and each setting."""
    settings = table["settings"]
    rows = []
    for name, bound in (STATISTICS | RATES).items():
        texts = [part[name]["all"].format(percent=name in RATES) for part in settings.values()]
        rows.append([name, "{} {:g}".format(*bound) if bound else "", *texts])
    return table_text(["asked and detected sizes", "asked", *(NAMES.get(name, name) for name in settings)], rows)
