"""Comparing many settings on the same cases: is a difference real, and does the best stay the best?"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import numpy as np
from jaxtyping import Float
from pydantic import BeforeValidator, Field
from scipy.stats import permutation_test, rankdata

from ..arguments import checked
from ..kinds import Count, Share
from .boxes import as_array
from .resampling import SEED

HALVES = 4000  # random halves of the cases
FLIPS = 9999  # random signs of the differences; with fewer cases than 14, all that there are



def _as_floats(values: Any) -> Any:
    """Numbers of any kind as an array of floats."""
    array = as_array(values)
    return array.astype(float) if array.dtype.kind in "iuf" else array


Scores = Annotated[
    Float[np.ndarray, "settings cases"], BeforeValidator(_as_floats),
    Field(description="numbers (settings, cases), of two cases or more"),
]  # fmt: skip
Differences = Annotated[
    Float[np.ndarray, " cases"], BeforeValidator(_as_floats), Field(description="numbers, one for each case")
]  # fmt: skip


@checked
def sign_flip(differences: Differences) -> float:
    """The p-value of paired differences: how often random signs give a mean as far from 0 (Fisher 1935).

    Differences that are NaN are left out; of fewer than two, and of zeros alone, it is 1.
    """
    present = differences[~np.isnan(differences)]
    if len(present) < 2 or not present.any():
        return 1.0  # of one difference, either sign is as far from 0
    result = permutation_test(
        (present,), np.mean, permutation_type="samples", n_resamples=FLIPS, vectorized=True, rng=SEED
    )
    return float(result.pvalue)


@checked
def holm(p_values: Mapping[str, Share]) -> dict[str, float]:
    """P-values corrected for their number, in the same order (Holm 1979): below 0.05, one false in twenty families.

    The smallest of m is multiplied by m, the next by m - 1, and so on; none becomes smaller than one before it.
    """
    adjusted: dict[str, float] = {}
    largest = 0.0
    for place, name in enumerate(sorted(p_values, key=lambda name: p_values[name])):
        largest = max(largest, min(1.0, (len(p_values) - place) * p_values[name]))
        adjusted[name] = largest
    return {name: adjusted[name] for name in p_values}


@checked
def split_half(scores: Scores, halves: Count = HALVES) -> dict[str, Any]:
    """What the best setting of one half of the cases is worth on the other half, over random halves.

    `scores` (settings, cases), larger is better. Means over the halves: "own half" and "other half" are the winner's
    scores, "loss" the first minus the second, "rank" its place on the other half, from 1; "picked" is the share of the
    halves that each setting wins. Raises ValueError for fewer than two cases, and for scores that are not finite.
    """
    if scores.shape[1] < 2 or not scores.size or not np.isfinite(scores).all():
        raise ValueError(f"scores has shape {scores.shape}: it must be finite, of one setting and two cases or more")
    count = scores.shape[1]
    order = np.random.default_rng(SEED).permuted(np.tile(np.arange(count), (halves, 1)), axis=1)
    first, second = order[:, : count // 2], order[:, count // 2 :]
    chosen, unseen = scores[:, first].mean(-1), scores[:, second].mean(-1)  # (settings, halves)
    winners = chosen.argmax(0)
    halves_index = np.arange(halves)
    seen_mean, unseen_mean = chosen[winners, halves_index].mean(), unseen[winners, halves_index].mean()
    ranks = rankdata(-unseen, axis=0)[winners, halves_index]
    return {
        "own half": float(seen_mean),
        "other half": float(unseen_mean),
        "loss": float(seen_mean - unseen_mean),
        "rank": float(ranks.mean()),
        "picked": (np.bincount(winners, minlength=len(scores)) / halves).tolist(),
    }


def matrix(values: Mapping[str, Mapping[Any, float]]) -> tuple[Sequence[str], np.ndarray]:
    """{setting: {case: score}} as the names of the settings and an array (settings, cases) of the cases all have."""
    names = list(values)
    common = [case for case in values[names[0]] if all(case in part for part in values.values())]
    return names, np.array([[values[name][case] for case in common] for name in names], float)
