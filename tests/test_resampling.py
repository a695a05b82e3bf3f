"""Bootstraps of groups: statistics of all resamples at once are those of each, bit for bit."""

import numpy as np
import pytest

from xattn_helpers.measures import resampling
from xattn_helpers.measures.resampling import AT_ONCE, draws, of_groups
from xattn_helpers.measures.statistics import spearman
from xattn_helpers.studies.forward_swap.likeness import rank_correlation
from xattn_helpers.studies.forward_swap.table import offset, slope
from xattn_helpers.studies.resize.table import relative_error

STATISTICS = [spearman, rank_correlation, slope, offset, relative_error]
UNEVEN = [[0, 3], [1], [4, 2, 7], [5], [6], [9, 8]]


def resamples(rows, members, count):
    """Each resample by hand, of which those with a constant column are left out."""
    samples = (rows[np.concatenate([members[index] for index in draw])] for draw in draws(len(members), count))
    return [sample for sample in samples if np.ptp(sample, axis=0).all()]


@pytest.mark.parametrize("members", [UNEVEN, [[index] for index in range(10)]], ids=["uneven groups", "rows"])
@pytest.mark.parametrize("statistic", STATISTICS, ids=lambda statistic: statistic.__name__)
def test_all_resamples_at_once_are_each_of_them(statistic, members):
    rows = np.random.default_rng(1).normal(size=(10, 2)).round(1) + 3  # with ties
    expected = [statistic(*sample.T) for sample in resamples(rows, members, 600)]
    assert sorted(of_groups(rows, members, statistic, 600)) == sorted(expected)
    assert statistic in AT_ONCE and set(AT_ONCE) == set(STATISTICS)


def test_constant_resamples_are_left_out():
    rows, members = np.array([[1.0, 2.0], [1.0, 3.0], [2.0, 5.0]]), [[0], [1], [2]]
    expected = resamples(rows, members, 200)
    for statistic in (spearman, lambda first, second: (first * second).sum()):
        assert len(of_groups(rows, members, statistic, 200)) == len(expected) < 190


def test_a_statistic_that_has_no_hash_is_called_for_each_resample():
    class Middle:
        __hash__ = None

        def __call__(self, values):
            return float(np.median(values))

    assert len(of_groups(np.arange(5.0)[:, None], [[0, 1], [2], [3, 4]], Middle(), 30)) == 30


def test_draws_are_the_same_kept_or_not(monkeypatch):
    kept = draws(7, 50)
    monkeypatch.setattr(resampling, "KEPT", 0)
    assert np.array_equal(draws(7, 50), kept) and draws(7, 50) is not draws(7, 50)
    with pytest.raises(ValueError, match="read-only"):
        kept[0] = 0
