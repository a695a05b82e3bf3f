"""Laws, schedules and orders of frames, at the ends and by hand."""

import math
from typing import get_args

import pytest

from xattn_helpers.backbones.noise import Level
from xattn_helpers.edits.energies import ENERGIES, Name
from xattn_helpers.edits.steps import FRAMES, LAWS, SCHEDULES, FrameOf, Law, Schedule, by_name
from xattn_helpers.edits.targets import EASINGS, SHAPES, Easing, Shape

ENDS = {999: 0.0046602, 20: 0.98131}  # abar at the ends of the schedule that Stable Diffusion and ModelScope share


def level(abar: float) -> Level:
    return Level(0.0, abar**0.5, (1 - abar) ** 0.5)


@pytest.mark.parametrize(
    ("name", "first", "last"),
    [
        ("(1 - abar) / abar", 213.6, 0.01904),
        ("1 - abar", 0.9953, 0.01869),
        ("sqrt(1 - abar)", 0.9977, 0.1367),
        ("equal", 0.9977, 0.1367),
    ],
)
def test_laws_at_the_ends_of_the_schedule(name, first, last):
    assert [LAWS[name](level(abar)) for abar in ENDS.values()] == pytest.approx([first, last], rel=1e-3)


@pytest.mark.parametrize(("sigma", "share"), [(1.0, 1.0), (0.5, 0.5), (0.2, 0.04 / 0.68), (0.0, 0.0)])
def test_laws_of_flow_matching(sigma, share):
    """x = (1 - sigma) x0 + sigma noise: the share of noise in the variance takes the place of 1 - abar."""
    flow = Level(1000 * sigma, 1 - sigma, sigma)
    assert LAWS["1 - abar"](flow) == pytest.approx(share)
    assert LAWS["equal"](flow) == LAWS["sqrt(1 - abar)"](flow) == pytest.approx(share**0.5)
    ratio = sigma**2 / (1 - sigma) ** 2 if sigma < 1 else math.inf
    assert LAWS["(1 - abar) / abar"](flow) == pytest.approx(ratio)


@pytest.mark.parametrize(
    ("name", "steps", "guided"),
    [
        ("paper", 8, [0, 1, 2, 4, 6]),
        ("paper", 12, [0, 1, 2, 4, 6, 8, 10]),
        ("released", 10, [0, 1, 2, 3, 4, 6, 8]),
        ("released", 20, [*range(9), 10, 12, 14, 16]),
        ("first quarter", 8, [0, 1]),
        ("first half", 8, [0, 1, 2, 3]),
        ("first half", 5, [0, 1, 2]),
        ("always", 3, [0, 1, 2]),
    ],
)
def test_schedules(name, steps, guided):
    assert [index for index in range(steps) if SCHEDULES[name](index, steps)] == guided


def test_frames_of_the_released_code():
    """Frame f of 16 is held against the target of frame 8 + f // 2, so that each later frame has two targets."""
    assert [FRAMES["released"](frame, 16) for frame in range(16)] == [8, 8, 9, 9, 10, 10, 11, 11, 12, 12] + [
        13, 13, 14, 14, 15, 15,
    ]  # fmt: skip
    assert [FRAMES["own"](frame, 3) for frame in range(3)] == [0, 1, 2]


def test_names_and_functions():
    assert by_name("always", SCHEDULES) is SCHEDULES["always"]
    assert by_name(max, SCHEDULES) is max
    names = {Law: LAWS, Schedule: SCHEDULES, FrameOf: FRAMES, Name: ENERGIES, Shape: SHAPES, Easing: EASINGS}
    for possible, functions in names.items():
        assert get_args(possible) == tuple(functions), "what is checked is what there is"
