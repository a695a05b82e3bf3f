"""Boxes and estimates by hand, for tests of measures."""

import numpy as np

from xattn_helpers.measures.boxes import Boxes
from xattn_helpers.measures.statistics import Estimate

OBJECTS, SCENES = ("burger", "ball"), ("on the road", "at night")  # of the detector `random_detector`

# Multiples of 1/8, whose areas are exact: an IoU of 0.5 is neither a little more nor less.
SQUARE = (0.25, 0.25, 0.75, 0.75)
UPPER_HALF = (0.25, 0.25, 0.75, 0.5)
BESIDE = (0.5, 0.25, 1.0, 0.75)  # 1/8 of 1/4 + 1/4 - 1/8 is common


def boxes(*rows: tuple[float, ...] | list[float] | None) -> Boxes:
    """Boxes (frames, 4); None is a frame without one."""
    return np.array([row if row else [np.nan] * 4 for row in rows], float)


def bounds(estimate: Estimate) -> tuple[float, float]:
    """The ends of the interval."""
    return estimate.low, estimate.high


def is_nothing(estimate: Estimate) -> bool:
    """Whether neither a value nor an interval is told."""
    return bool(np.isnan([estimate.value, estimate.low, estimate.high]).all())
