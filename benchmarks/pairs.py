"""Timing two ways of doing a thing in turn, so that a machine that slows down slows both."""

import time
from collections.abc import Callable

import numpy as np


def ratios(costly: Callable[[], object], plain: Callable[[], object], pairs: int) -> dict:
    """Seconds of both ways, `pairs` times after a warm-up of the costly one, and the ratio in each pair."""
    _seconds(costly)
    seconds = [(_seconds(costly), _seconds(plain)) for _ in range(pairs)]
    found = [one / other for one, other in seconds]
    return {"seconds with, without": seconds, "median ratio": float(np.median(found)), "ratios": found}


def _seconds(run: Callable[[], object]) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start
