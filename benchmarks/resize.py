"""Asked size against got size: `python -m benchmarks resize`, the paper's Figure 4 with numbers.

The asked box has the proportions of the object's drawing and stands where the object stands on average in the unguided
video, moved in where it would leave the picture. Asked are five sizes in parts of the picture, and five in words,
relative to the unguided size. Got is the size of the detected box: the side of a square as large, mean over frames.
Some of what is asked for exists nowhere in the pocket world, whose sharks are never as small as its balls; figures for
the rest are told apart. So are those of objects that the unguided video has, in more than half of its frames: what
is not there has no size to change.
"""

from collections.abc import Callable

import numpy as np

from xattn_helpers.adherence import size
from xattn_helpers.metrics import centres, detect
from xattn_helpers.pocket.captions import one_object
from xattn_helpers.pocket.clips import LEAST_SIZE, MOST_SIZE
from xattn_helpers.pocket.vocabulary import OBJECTS as DRAWINGS
from xattn_helpers.pocket.vocabulary import SIZES as SIZE_WORDS
from xattn_helpers.targets import Track, track
from xattn_helpers.zero_shot import Unguided

from . import runner, weights
from .correlation import resampled, spearman
from .guidance import MODEL, along, batch, key, twins
from .guidance_cases import OBJECTS, PAPER, PROPORTIONS, TUNING, box

NAME = "resize"
WORDS = {"smaller": 0.5, "small": 0.75, "original": 1.0, "big": 1.35, "bigger": 1.75}  # times the unguided size
SIZES = (0.2, 0.28, 0.35, 0.45, 0.6)  # in parts of the picture
SHOWN = ("burger", "ball", "shark", "duck", "fish", "balloon", "rocket", "boat")
SEEDS, TUNING_SEEDS = tuple(range(10, 18)), (110, 111, 112)
EQUAL_STEPS = {"law": "norm", "strength": 7.0, "schedule": "always"}
# "fine maps" were chosen on four of the tuning objects, equal steps on all eight, where strengths of 7 and 10 came out
# even; lesson 04 tells the story.
SETTINGS = {
    "best": {}, "equal steps": EQUAL_STEPS, "equal steps, 10": EQUAL_STEPS | {"strength": 10.0},
    "fine maps": {"resolution": 16, "strength": 500.0}, "paper": PAPER,
}  # fmt: skip
STATISTICS = {"rank correlation": ("≥", 0.9), "median relative error": ("≤", 0.15)}  # and what the project asks for
RATES = {"seen": None, "one instance": ("≥", 0.85), "scene kept": ("≥", 0.9)}
NAMES = {"best": "this series' defaults", "paper": "the paper's setting"}
LEAST, MOST = 0.08, 0.8  # of the picture: what can be asked for


def cases(
    most: int | None = None, settings: dict = SETTINGS, shown: tuple[str, ...] = SHOWN, seeds: tuple[int, ...] = SEEDS
) -> list[dict]:
    """Every asked size of the first `most` pairs of an object and a seed, under every setting."""
    pairs, where = [(word, seed) for seed in seeds for word in shown][:most], OBJECTS | TUNING
    return [
        {"setting": name, "prompt": one_object(word, where[word][1], where[word][0]), "word": word, "seed": seed,
         "asked": asked, "knobs": knobs}
        for name, knobs in settings.items() for word, seed in pairs for asked in (*SIZES, *WORDS)
    ]  # fmt: skip


def of_world(word: str) -> tuple[float, float]:
    """The smallest and the largest size that a caption may mean, before perspective, as the side of a square."""
    longest = max(box(word, 0.1)) / 0.1  # long side over the side of a square as large
    least, most = (each * DRAWINGS[word].size for each in (SIZE_WORDS["small"][0], SIZE_WORDS["big"][1]))
    return max(LEAST_SIZE, least) / longest, min(MOST_SIZE, most) / longest


def exists(row: dict) -> bool:
    """Whether the pocket world has the asked size of an object."""
    least, most = of_world(row["word"])
    return least <= row["side"] <= most


def standing(word: str, side: float, boxes: np.ndarray) -> Track:
    """A box of a size at the mean place of boxes (frames, 4), or in the middle if these are all NaN."""
    place = np.full(2, 0.5) if np.isnan(boxes).all() else np.nanmean(centres(boxes), 0)
    half = np.array(box(word, side)) / 2
    return track([tuple(np.clip(place, half, 1 - half).clip(0, 1))], size=box(word, side))


def wanted(case: dict, free: Unguided) -> tuple[float, Track]:
    """The asked side and box; a size in words is relative to the unguided video, and 0.35 where that has no object."""
    boxes = detect(free.clip.video, case["word"])[0]
    own = size(boxes)
    side = WORDS[case["asked"]] * (0.35 if np.isnan(own) else own) if case["asked"] in WORDS else case["asked"]
    side = float(np.clip(side, LEAST, MOST))
    return side, standing(case["word"], side, boxes)


def measure(chunk: list[dict]) -> list[dict]:
    """Make the guided videos, those of one setting together, and describe them."""
    free = twins(chunk)
    sides, paths = zip(*(wanted(case, one) for case, one in zip(chunk, free, strict=True)), strict=True)
    return [{"side": side} | row for side, row in zip(sides, along(chunk, free, list(paths)), strict=True)]


def rank_correlation(rows: list[dict]) -> dict:
    """Spearman's, of asked and got side; videos without the object are left out."""
    return _statistic(spearman, rows)


def relative_error(rows: list[dict]) -> dict:
    """Median of |got / asked - 1|."""
    return _statistic(lambda asked, got: float(np.median(np.abs(got / asked - 1))), rows)


def _statistic(measured, rows: list[dict]) -> dict:
    """A figure over videos, with percentiles of 2,000 resamples of objects with their seeds.

    The videos of one object and seed begin from the same noise and resemble each other: they are drawn together.
    """
    series = {}
    for row in rows:
        if not np.isnan(row["size"]):
            series.setdefault((row["word"], row["seed"]), []).append((row["side"], row["size"]))
    found = resampled(measured, list(series.values()))
    return {name: value if name == "n" else round(value, 4) for name, value in found.items()}


def tune(settings: dict[str, dict], most: int | None = None) -> dict:
    """The table of any settings on the tuning objects and seeds, printed, not stored: to choose settings by."""
    rows = runner.run("resize_tuning", cases(most, settings, tuple(TUNING), TUNING_SEEDS), measure, batch(40), key())
    table = summary(rows, settings)
    show(table)
    return table


def summary(rows: list[dict], settings: dict = SETTINGS) -> dict:
    """For each setting how the sizes agree, for all that was asked and for parts of it, and every pair."""
    table = {}
    for setting, knobs in settings.items():
        every = [row for row in rows if row["setting"] == setting]
        there = [row for row in every if "failed" not in row]
        groups = {"all": there, "words": [row for row in there if row["asked"] in WORDS]}
        groups["numbers"] = [row for row in there if row["asked"] not in WORDS]
        groups["of the world"] = [row for row in there if exists(row)]
        groups["object before"] = [row for row in there if row["free covered"]]
        table[setting] = {
            "knobs": knobs, "failed": len(every) - len(there),
            "rank correlation": {name: rank_correlation(some) for name, some in groups.items()},
            "median relative error": {name: relative_error(some) for name, some in groups.items()},
            "seen": _rates(groups, lambda row: row["covered"]),
            "scene kept": _rates(groups, lambda row: row["scene kept"]),
            "one instance": _rates(groups, lambda row: row["single"] > 0.5),
            "cases": [[row["word"], row["seed"], row["asked"], *_numbers(row)] for row in there],
        }
    return table


def _rates(groups: dict[str, list[dict]], holds: Callable[[dict], bool]) -> dict[str, dict]:
    """How often something holds, in each group of rows."""
    return {name: runner.rate([holds(row) for row in some]) for name, some in groups.items()}


def _numbers(row: dict) -> list[float]:
    """Asked, got and unguided size."""
    return [round(row[name], 4) for name in ("side", "size", "free size")]


def show(table: dict) -> None:
    """Print the settings, a line each."""
    for setting, row in table.items():
        texts = [
            f"{one}, {of}: {runner.show(row[one][of], percent=one in RATES)}"
            for one in STATISTICS | RATES for of in ("all", "of the world", "object before")
        ]  # fmt: skip
        print(setting, *texts, f"{row['failed']} failed", sep=" | ")


def stored() -> str:
    """The stored table in Markdown: what was asked for, and each setting."""
    table = runner.load_table(NAME)
    rows = [
        [name, "{} {:g}".format(*bound) if bound else ""]
        + [runner.show(row[name]["all"], percent=name in RATES) for row in table.values()]
        for name, bound in (STATISTICS | RATES).items()
    ]
    return runner.markdown(["asked and got sizes", "asked", *(NAMES.get(name, name) for name in table)], rows)


def main(most: int | None = None) -> None:
    """Measure, print and store; `most` limits the pairs of an object and a seed."""
    proportions = {word: PROPORTIONS[word] for word in SHOWN}
    chosen = cases(most)
    table = summary(runner.run(NAME, chosen, measure, batch(40), f"{key()} {proportions} {WORDS}"))
    show(table)
    seeds = sorted({case["seed"] for case in chosen})
    runner.store(NAME, table, most, weights={MODEL: weights.key(MODEL)}, seeds=seeds)
