"""Timing on the CPU: a number of threads of its own, and two ways in turn, so that a slow moment slows both."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

import numpy as np
import torch

from .rows import Row


@contextmanager
def threads(count: int) -> Iterator[None]:
    """Let torch compute on `count` threads inside the block."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def time_pairs(costly: Callable[[], object], plain: Callable[[], object], pairs: int) -> list[Row]:
    """Seconds of both ways, `pairs` times in turn, after a warm-up of the costly one."""
    seconds(costly)
    return [{"seconds with": seconds(costly), "seconds without": seconds(plain)} for _ in range(pairs)]


def seconds(run: Callable[[], object]) -> float:
    """How long a function takes."""
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def spread(values: Sequence[float]) -> dict[str, float]:
    """The median of some times or ratios, the smallest and the largest, and how many there are."""
    return {
        "median": float(np.median(values)),
        "smallest": float(min(values)),
        "largest": float(max(values)),
        "n": len(values),
    }


def spread_text(times: Mapping[str, float]) -> str:
    """A spread of seconds: the median, and in brackets the smallest and the largest."""
    return f"{times['median']:.1f} ({times['smallest']:.1f} to {times['largest']:.1f})"


def ratios(rows: Sequence[Row]) -> dict[str, float]:
    """The spread of what the costly way takes over the plain one, in each pair."""
    return spread([row["seconds with"] / row["seconds without"] for row in rows])
