"""Bootstraps (Efron 1979): groups of rows are drawn again and again, and the percentiles of a statistic are taken."""

from collections.abc import Callable, Hashable, Iterator
from functools import lru_cache

import numpy as np
from jaxtyping import Float, Int

LEVEL = 0.95  # of all intervals
SEED = 0  # of the resamples: the same values always have the same interval
KEPT = 2**21  # draws of so many numbers are kept, 16 MiB: figures of a table have the same number of values
BLOCK = 250  # resamples that are computed at once: as fast as all of them, and in little memory

Statistic = Callable[..., float]  # of one array (rows,) for each column
AtOnce = Callable[..., Float[np.ndarray, " resamples"]]  # of one array (resamples, rows) for each column
# Statistics by which a function gives those of many resamples, the same bit for bit: to call each takes ten times as
# long. Every other statistic is called for each resample.
AT_ONCE: dict[Hashable, AtOnce] = {}


def draws(count: int, resamples: int) -> Int[np.ndarray, "resamples count"]:
    """Which of `count` things each resample takes; the numbers of `scipy.stats.bootstrap` with the same seed."""
    return _remembered(count, resamples) if count * resamples <= KEPT else _drawn(count, resamples)


def _drawn(count: int, resamples: int) -> Int[np.ndarray, "resamples count"]:
    return np.random.default_rng(SEED).integers(0, count, (resamples, count))


@lru_cache(maxsize=4)
def _remembered(count: int, resamples: int) -> Int[np.ndarray, "resamples count"]:
    drawn = _drawn(count, resamples)
    drawn.flags.writeable = False  # everybody gets the same ones
    return drawn


def interval(statistics: Float[np.ndarray, " resamples"] | list[float]) -> tuple[float, float]:
    """The percentiles that hold LEVEL of the statistics between them."""
    if not len(statistics):
        return np.nan, np.nan
    tail = (1 - LEVEL) / 2
    low, high = np.percentile(statistics, [100 * tail, 100 * (1 - tail)])
    return float(low), float(high)


def of_groups(
    rows: Float[np.ndarray, "n columns"], members: list[list[int]], statistic: Statistic, resamples: int
) -> list[float]:
    """The statistic of each resample of whole groups; `members` are the rows of each.

    A resample in which one of several columns is constant has no correlation and is left out.
    """
    at_once = AT_ONCE.get(statistic) if isinstance(statistic, Hashable) else None
    statistics: list[float] = []
    for block in _blocks(rows, members, draws(len(members), resamples)):
        if rows.shape[1] > 1:
            block = block[:, np.ptp(block, axis=-1).all(0)]
        statistics.extend(at_once(*block) if at_once else [statistic(*sample) for sample in block.swapaxes(0, 1)])
    return statistics


def _blocks(
    rows: Float[np.ndarray, "n columns"], members: list[list[int]], drawn: Int[np.ndarray, "resamples groups"]
) -> Iterator[Float[np.ndarray, "columns resamples length"]]:
    """The resamples, of one length in a block, which they need not have where groups differ in size."""
    sizes = np.array([len(group) for group in members])
    padded = np.full((len(members), sizes.max()), -1)
    for row, group in zip(padded, members, strict=True):
        row[: len(group)] = group
    lengths = sizes[drawn].sum(1)
    for length in np.unique(lengths):
        alike = drawn[lengths == length]
        for begin in range(0, len(alike), BLOCK):
            indices = padded[alike[begin : begin + BLOCK]].reshape(len(alike[begin : begin + BLOCK]), -1)
            yield np.ascontiguousarray(rows[indices[indices >= 0].reshape(len(indices), length)].transpose(2, 0, 1))
