"""How sure a figure is: `Estimate`, a value with its 95 % interval, of a mean, a rate, groups or a difference."""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
from jaxtyping import Float
from scipy.stats import binomtest, rankdata

from ..arguments import UNCHECKED, checked
from ..descriptions import shown
from ..kinds import Count, Digits
from .resampling import AT_ONCE, LEVEL, Statistic, draws, interval, of_groups

RESAMPLES = 9999  # of a bootstrap; of means, which are computed for all resamples at once
GROUPED_RESAMPLES = 2000  # of any other statistic, which is called for each
LEAST_ROWS = 3  # with fewer, a statistic of groups is not told

Values = Annotated[Sequence[float] | Float[np.ndarray, " n"], UNCHECKED]


@dataclass(frozen=True)
class Estimate:
    """A figure with the ends of its 95 % interval, and how many values it rests on; NaN where there is nothing."""

    value: float
    low: float
    high: float
    n: int

    @classmethod
    def mean(cls, values: Iterable[float]) -> "Estimate":
        """The mean, with percentiles of a bootstrap of 9,999 resamples (Efron 1979); NaN and None are left out.

        One value, or values that are all the same, have an interval without width.
        """
        present = _floats(values)
        present = present[~np.isnan(present)]
        if not len(present):
            return _empty_estimate(0)
        middle = present.mean()
        if np.ptp(present) == 0:
            return cls(float(middle), float(middle), float(middle), len(present))
        return cls(float(middle), *interval(present[draws(len(present), RESAMPLES)].mean(1)), len(present))

    @classmethod
    def rate(cls, hits: Iterable[bool | float]) -> "Estimate":
        """The share of hits, with Wilson's interval (1927), which stays honest when all or none are hits.

        Raises ValueError for what is neither True nor False (or 1 nor 0), such as NaN.
        """
        hits = list(_iterable(hits, "hits"))
        for hit in hits:
            if not isinstance(hit, Hashable) or hit not in (True, False):
                raise ValueError(f"hits has {hit!r}: each must be True or False")
        if not hits:
            return _empty_estimate(0)
        count = int(sum(hits))
        bounds = binomtest(count, len(hits)).proportion_ci(LEVEL, method="wilson")
        return cls(count / len(hits), float(bounds.low), float(bounds.high), len(hits))

    @classmethod
    @checked
    def grouped(
        cls,
        values: Annotated[Iterable[float] | Iterable[Sequence[float]], UNCHECKED],
        groups: Annotated[Iterable[Hashable] | None, UNCHECKED] = None,
        statistic: Statistic | None = None,
        resamples: Count = GROUPED_RESAMPLES,
    ) -> "Estimate":
        """A figure of values that resemble each other within a group: whole groups are resampled.

        `values` is (n,) or, for a statistic of several columns, (n, columns); `groups` names the group of each row and
        may be left out where each row is its own. Rows with a NaN are left out. Without a statistic the figure is the
        mean of the groups' means, and its n the number of groups. With one, it is `statistic(*columns)`, as
        `spearman(asked, got)`, and its n the number of rows; fewer than three give NaN. A resample in which one of
        several columns is constant has no correlation and is left out. Raises ValueError for lengths that differ.
        """
        rows = _floats(values)
        labels = list(range(len(rows))) if groups is None else list(groups)
        if len(labels) != len(rows):
            raise ValueError(f"values has {len(rows)} rows and groups {len(labels)}: each row needs its group")
        rows = rows[:, None] if rows.ndim == 1 else rows  # (n, columns)
        members = _members(rows, labels)
        if statistic is not None:
            return _of_statistic(rows, members, statistic, resamples)
        if rows.shape[1] > 1:
            raise ValueError(f"values has {rows.shape[1]} columns: pass the statistic that takes them")
        return cls.mean([rows[indices].mean() for indices in members])

    @classmethod
    def difference(cls, values: Mapping[Any, float] | Values, reference: Mapping[Any, float] | Values) -> "Estimate":
        """The mean of values minus reference, in pairs, as `mean`; what only one side has (or is NaN) is left out.

        Both are mappings, whose keys pair them, or sequences of the same length. Raises ValueError for lengths that
        differ, and TypeError for one of each kind.
        """
        if isinstance(values, Mapping) and isinstance(reference, Mapping):
            common = [key for key in values if key in reference]
            values, reference = [values[key] for key in common], [reference[key] for key in common]
        elif isinstance(values, Mapping) or isinstance(reference, Mapping):
            first, second = type(values).__name__, type(reference).__name__
            raise TypeError(f"values is a {first} and reference a {second}: both must be mappings, or both sequences")
        first, second = _floats(values), _floats(reference)
        if first.shape != second.shape:
            raise ValueError(f"values has {len(first)} entries and reference {len(second)}: they must be pairs")
        return cls.mean(first - second)

    @classmethod
    @checked
    def from_dict(cls, stored: Mapping[str, Any]) -> "Estimate":
        """From `as_dict`, or from an older table, in which the value is called "mean".

        Raises ValueError for a dictionary that has neither.
        """
        name = "value" if "value" in stored else "mean"
        missing = {name, "low", "high", "n"} - set(stored)
        if missing:
            names = ", ".join(stored) or "nothing"
            raise ValueError(f"stored has {names}: an estimate must have value, low, high and n")
        return cls(float(stored[name]), float(stored["low"]), float(stored["high"]), int(stored["n"]))

    @checked
    def as_dict(self, digits: Digits | None = None) -> dict[str, float]:
        """For a table: {"value", "low", "high", "n"}, rounded to `digits` after the point where they are given."""
        numbers = {"value": self.value, "low": self.low, "high": self.high}
        if digits is not None:
            numbers = {name: round(number, digits) for name, number in numbers.items()}
        return numbers | {"n": self.n}

    @checked
    def format(self, percent: bool = False, digits: Digits | None = None) -> str:
        """In words: "0.965 (0.931 to 0.983), n = 200"; with percent "96.5 % (93.1 to 98.3), n = 200"."""
        scale, unit, usual = (100, " %", 1) if percent else (1, "", 3)
        digits = usual if digits is None else digits
        value, low, high = (f"{scale * number:.{digits}f}" for number in (self.value, self.low, self.high))
        return f"{value}{unit} ({low} to {high}), n = {self.n}"

    @checked
    def excludes(self, number: float = 0.0) -> bool:
        """Whether the interval leaves out a number: a difference that excludes 0 is not there by chance alone."""
        return self.low > number or self.high < number


def spearman(first: Float[np.ndarray, " n"], second: Float[np.ndarray, " n"]) -> float:
    """The correlation of ranks, in [-1, 1]; NaN where one side is constant.

    As `scipy.stats.spearmanr`, without its p-value, for which thousands of resamples would pay.
    """
    return float(np.corrcoef(rankdata(first), rankdata(second))[0, 1])


def spearmans(
    first: Float[np.ndarray, "resamples n"], second: Float[np.ndarray, "resamples n"]
) -> Float[np.ndarray, " resamples"]:
    """`spearman` of each row, bit for bit: ranks are halves of whole numbers, so that their sums are exact."""
    ranks = [rankdata(side, axis=-1) - (first.shape[-1] + 1) / 2 for side in (first, second)]
    scale = 1 / (first.shape[-1] - 1)
    spreads = [np.sqrt((side * side).sum(-1) * scale) for side in ranks]
    return np.clip((ranks[0] * ranks[1]).sum(-1) * scale / spreads[0] / spreads[1], -1, 1)


AT_ONCE[spearman] = spearmans


def _floats(values: Iterable) -> np.ndarray:
    """Anything countable as floats, None as NaN; raises ValueError for what are no numbers."""
    try:
        return np.asarray(values if isinstance(values, np.ndarray) else list(_iterable(values, "values")), float)
    except (TypeError, ValueError) as error:
        raise ValueError(f"values={shown(values)}: they must be numbers, in rows of one length ({error})") from None


def _iterable(values: Any, name: str) -> Iterable:
    if not isinstance(values, Iterable) or isinstance(values, (str, bytes)):
        raise ValueError(f"{name}={values!r}: it must be a list")
    return values


def _empty_estimate(count: int) -> Estimate:
    return Estimate(np.nan, np.nan, np.nan, count)


def _members(rows: Float[np.ndarray, "n columns"], labels: list) -> list[list[int]]:
    """The rows of each group, groups in the order in which they first come; rows with a NaN are in none."""
    members: dict[Hashable, list[int]] = {}
    for index, label in enumerate(labels):
        if not np.isnan(rows[index]).any():
            members.setdefault(label, []).append(index)
    return list(members.values())


def _of_statistic(
    rows: Float[np.ndarray, "n columns"], members: list[list[int]], statistic: Statistic, resamples: int
) -> Estimate:
    count = sum(map(len, members))
    if count < LEAST_ROWS:
        return _empty_estimate(count)
    statistics = of_groups(rows, members, statistic, resamples)
    with np.errstate(invalid="ignore", divide="ignore"):  # the correlation of a constant is NaN, not a warning
        value = statistic(*rows[np.concatenate(members)].T)
    return Estimate(float(value), *interval(statistics), count)
