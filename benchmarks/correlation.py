"""Rank correlation, and figures of pairs of numbers with intervals from resamples of groups of pairs."""

from collections.abc import Callable

import numpy as np
from scipy.stats import rankdata

RESAMPLES = 2000


def spearman(one: np.ndarray, other: np.ndarray) -> float:
    """The correlation of ranks: `scipy.stats.spearmanr` without its p-value, for which thousands of resamples pay."""
    return float(np.corrcoef(rankdata(one), rankdata(other))[0, 1])


def resampled(measured: Callable[[np.ndarray, np.ndarray], float], groups: list[list[tuple[float, float]]]) -> dict:
    """A figure of all pairs, with percentiles of 2,000 resamples of groups; NaN for fewer than three pairs.

    Pairs that resemble each other belong into one group. A resample in which one side has one value only is left out.
    """
    count = sum(map(len, groups))
    if count < 3:
        return {"mean": np.nan, "low": np.nan, "high": np.nan, "n": count}
    draws = np.random.default_rng(0).integers(0, len(groups), (RESAMPLES, len(groups)))
    resamples = (np.array([pair for index in draw for pair in groups[index]]).T for draw in draws)
    values = [measured(*both) for both in resamples if np.ptp(both, axis=1).all()]
    low, high = np.percentile(values, [2.5, 97.5]) if values else (np.nan, np.nan)
    every = np.array([pair for group in groups for pair in group]).T
    return {"mean": float(measured(*every)), "low": float(low), "high": float(high), "n": count}
