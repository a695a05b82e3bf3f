"""What is asked under each condition, as data. No object, track or seed is one of `tuning`."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ...edits.targets import Track, track
from ...pocket.world.captions import two_objects
from ..guidance.cases import SIDE, TRACKS, box, table_cases
from ..rows import Case

COUNT = 24  # cases of each condition
SECOND_SEEDS = 20  # where the seeds of two objects begin
SLOW = 0.4  # of the way
PAIR_SIDE = 0.3  # of the boxes of two objects
PAIRS = (  # two objects, and where both belong
    ("shark", "fish", "in the ocean"), ("turtle", "shark", "in the ocean"), ("boat", "duck", "on the water"),
    ("burger", "boat", "on the water"), ("car", "truck", "on the road"), ("balloon", "bird", "in the sky"),
    ("rocket", "balloon", "in the sky"), ("bird", "rocket", "at night"), ("ball", "bird", "on the grass"),
    ("truck", "turtle", "in the desert"), ("duck", "ball", "on the beach"), ("burger", "car", "on the grass"),
)  # fmt: skip
Keys = list[tuple[float, float]]
PAIR_TRACKS: dict[str, tuple[tuple[Keys, Keys], ...]] = {
    "two objects": (
        ([(0.26, 0.25), (0.26, 0.75)], [(0.74, 0.75), (0.74, 0.25)]),
        ([(0.25, 0.27), (0.75, 0.27)], [(0.75, 0.73), (0.25, 0.73)]),
    ),
    "crossing tracks": (
        ([(0.26, 0.25), (0.74, 0.75)], [(0.74, 0.25), (0.26, 0.75)]),
        ([(0.22, 0.5), (0.78, 0.5)], [(0.5, 0.78), (0.5, 0.22)]),
    ),
}


@dataclass(frozen=True)
class Condition:
    """How the box and the way of a table case are changed."""

    sides: Callable[[str], tuple[float, float]]  # of an object's box
    way: Callable[[Keys], Keys] = list


def _slow(keys: Keys) -> Keys:
    """A part of the way, about its middle."""
    points = np.array(keys)
    middle = points.mean(0)
    return [tuple(point) for point in (middle + SLOW * (points - middle)).tolist()]


def _fast(keys: Keys) -> Keys:
    """There, back, and there again: three times as fast."""
    return keys * 2


CONDITIONS: dict[str, Condition | None] = {  # None: two objects
    "boxes of the object": Condition(box),
    "square boxes": Condition(lambda word: (SIDE, SIDE)),
    "small": Condition(lambda word: box(word, 0.24)),
    "large": Condition(lambda word: box(word, 0.5)),
    "slow": Condition(box, _slow),
    "fast": Condition(box, _fast),
    "two objects": None,
    "crossing tracks": None,
}


def condition_cases(condition: str) -> list[Case]:
    """The cases of a condition, without a setting: those of the table, or pairs of objects."""
    if CONDITIONS[condition] is not None:
        return [case | {"other": ""} for case in table_cases()[:COUNT]]
    cases: list[Case] = []
    for number in range(COUNT):
        first, second, scene = PAIRS[number % len(PAIRS)]
        about: Case = {"prompt": two_objects(first, second, scene), "word": first, "other": second}
        cases.append(about | {"track": f"pair {(number + number // len(PAIRS)) % 2}", "seed": SECOND_SEEDS + number})
    return cases


def words_of(case: Case) -> list[str]:
    """The objects of a case."""
    return [str(case["word"])] + [str(case["other"])] * bool(case["other"])


def tracks_of(case: Case) -> list[Track]:
    """Where the objects of a case shall be, each box inside of the picture."""
    condition = CONDITIONS[str(case["condition"])]
    if condition is None:
        pair = PAIR_TRACKS[str(case["condition"])][int(str(case["track"]).split()[1])]
        return [_inside(keys, box(word, PAIR_SIDE)) for word, keys in zip(words_of(case), pair, strict=True)]
    return [_inside(condition.way(TRACKS[str(case["track"])]), condition.sides(str(case["word"])))]


def _inside(keys: Keys, sides: tuple[float, float]) -> Track:
    """A track whose boxes do not leave the picture."""
    half = np.array(sides) / 2
    inside = np.clip(np.array(keys), half, 1 - half)
    return track([tuple(point) for point in inside.tolist()], size=sides)
