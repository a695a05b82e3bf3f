"""Estimates against formulas, tables of the binomial distribution, and scipy's own bootstrap."""

import math
import warnings

import numpy as np
import pytest
from measures_for_tests import bounds, is_nothing
from scipy.stats import bootstrap, spearmanr

from xattn_helpers.measures.statistics import Estimate, spearman

NAN = math.nan


# Means


def test_the_interval_of_a_mean_holds_95_percent_of_its_resamples():
    """Of 16 draws from 8 zeros and 8 ones, the sum is binomial: P(<= 3) = .011, P(<= 4) = .038, P(<= 5) = .105.

    So the 2.5 % point is 4 of 16, and the 97.5 % point 12; of 90 % they would be 5 and 11, of 99 % 3 and 13.
    """
    assert Estimate.mean([0] * 8 + [1] * 8) == Estimate(0.5, 4 / 16, 12 / 16, 16)


def test_a_mean_agrees_with_scipys_bootstrap():
    values = np.random.default_rng(5).normal(3, 1, 40)
    reference = bootstrap((values,), np.mean, method="percentile", rng=0).confidence_interval
    estimate = Estimate.mean(values)
    assert estimate.value == pytest.approx(values.mean()) and estimate.n == 40
    assert bounds(estimate) == pytest.approx((reference.low, reference.high), rel=1e-12)
    assert Estimate.mean(values) == estimate, "the same values always have the same interval"


def test_the_interval_of_a_mean_shrinks_with_more_values_as_the_normal_approximation_does():
    values = np.random.default_rng(0).normal(3, 1, 400)
    low, high = bounds(Estimate.mean(values))
    assert high - low == pytest.approx(2 * 1.96 * values.std() / 20, rel=0.05)


def test_a_mean_of_nothing_of_one_value_and_of_equal_values():
    assert is_nothing(Estimate.mean([])) and Estimate.mean([]).n == 0
    assert is_nothing(Estimate.mean([NAN, None]))
    assert Estimate.mean([2.0]) == Estimate(2, 2, 2, 1)
    assert Estimate.mean([1, 1, NAN, 1]) == Estimate(1, 1, 1, 3)


def test_what_is_missing_is_neither_counted_nor_resampled():
    assert Estimate.mean([1, NAN, 2, 3, None]) == Estimate.mean([1, 2, 3])
    assert Estimate.mean(value for value in (1, 2, 3)) == Estimate.mean(np.array([1, 2, 3]))


# Rates


@pytest.mark.parametrize("hits, count", [(10, 20), (7, 11), (0, 5)])
def test_a_rate_has_wilsons_interval(hits, count):
    share, z = hits / count, 1.959964  # of the normal distribution's 97.5 %
    middle = share + z**2 / (2 * count)
    half = z * math.sqrt(share * (1 - share) / count + z**2 / (4 * count**2))
    scale = 1 + z**2 / count
    estimate = Estimate.rate([True] * hits + [False] * (count - hits))
    assert (estimate.value, estimate.n) == (share, count)
    assert bounds(estimate) == pytest.approx(((middle - half) / scale, (middle + half) / scale), abs=1e-6)


def test_a_rate_of_nothing_is_nan_and_of_all_is_not_certain():
    assert is_nothing(Estimate.rate([])) and Estimate.rate([]).n == 0
    certain = Estimate.rate([True] * 20)
    assert (certain.value, certain.high) == (1, 1) and certain.low == pytest.approx(0.8389, abs=1e-4)
    assert Estimate.rate(np.array([True, False])).value == 0.5 == Estimate.rate([1, 0]).value


@pytest.mark.parametrize("hit", [NAN, None, 0.5, "yes"])
def test_a_rate_refuses_what_is_neither_true_nor_false(hit):
    with pytest.raises(ValueError, match=f"hits has {hit!r}: each must be True or False"):
        Estimate.rate([True, hit])


# Groups


def test_a_mean_of_groups_counts_every_group_alike():
    by_hand = Estimate.mean([0.1, 0.7, 0.4])
    values = [0.0, 0.7, 0.2, 0.4, 0.1, NAN]
    assert Estimate.grouped(values, ["a", "b", "a", "c", "a", "d"]) == by_hand, "a group of NaN is none"


def test_a_statistic_of_groups_resamples_whole_groups():
    """Two groups of eight, one of zeros and one of ones: a resample has both, or twice the same one in half of them."""
    values, groups = [0.0] * 8 + [1.0] * 8, ["zeros"] * 8 + ["ones"] * 8
    assert Estimate.grouped(values, groups, np.mean) == Estimate(0.5, 0, 1, 16)
    alone = Estimate.grouped(values, statistic=np.mean)
    assert (alone.low, alone.high) == (4 / 16, 12 / 16), "as the mean's own, where each row is its own group"


def test_a_statistic_of_pairs_agrees_with_scipys_bootstrap():
    rng = np.random.default_rng(1)
    asked = rng.normal(size=15)
    got = asked + rng.normal(size=15)
    options = {"paired": True, "vectorized": False, "method": "percentile", "n_resamples": 500, "rng": 0}
    reference = bootstrap((asked, got), spearman, **options).confidence_interval
    estimate = Estimate.grouped(zip(asked, got, strict=True), statistic=spearman, resamples=500)
    assert estimate.value == pytest.approx(spearmanr(asked, got).statistic) and estimate.n == 15
    assert bounds(estimate) == pytest.approx((reference.low, reference.high), abs=1e-12)


def test_a_statistic_is_resampled_two_thousand_times():
    values = np.random.default_rng(2).normal(size=9)
    calls = []

    def counted(sample):
        calls.append(len(sample))
        return sample.sum()

    Estimate.grouped(values, statistic=counted)
    assert calls == [9] * 2001, "and once for the value itself"


def test_groups_of_pairs_by_hand():
    """Errors of the first group are .1 and .1, of the second .1 and 0: the median is .1, or .05 of the second alone."""
    pairs = [(1, 1.1), (2, 2.2), (1, 1.1), (2, 2.0)]

    def median_error(asked, got):
        return np.median(np.abs(got / asked - 1))

    estimate = Estimate.grouped(pairs, ["first", "first", "second", "second"], median_error)
    assert (estimate.value, *bounds(estimate)) == pytest.approx((0.1, 0.05, 0.1)) and estimate.n == 4


def test_rows_with_a_nan_are_left_out_and_fewer_than_three_rows_tell_nothing():
    pairs = [(1, 2), (2, 3), (3, 9), (4, NAN)]
    estimate = Estimate.grouped(pairs, statistic=spearman, resamples=50)
    assert estimate.n == 3 and estimate.value == pytest.approx(1)
    few = Estimate.grouped(pairs[:2], statistic=spearman)
    assert is_nothing(few) and few.n == 2
    assert is_nothing(Estimate.grouped([], [])) and is_nothing(Estimate.grouped([], [], spearman))


def test_a_constant_has_no_correlation_and_no_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        estimate = Estimate.grouped([(1, 2), (1, 3), (1, 4)], statistic=spearman, resamples=50)
        alike = Estimate.grouped([(0, 0), (0, 0), (1, 1), (0, 0)], statistic=spearman, resamples=50)
    assert is_nothing(estimate) and estimate.n == 3
    assert bounds(alike) == pytest.approx((1, 1)), "resamples without the one pair that differs are left out"


def test_groups_that_do_not_fit_are_an_error():
    with pytest.raises(ValueError, match="values has 3 rows and groups 2: each row needs its group"):
        Estimate.grouped([1, 2, 3], ["a", "b"])
    with pytest.raises(ValueError, match="values has 2 rows and groups 3: each row needs its group"):
        Estimate.grouped([1, 2], ["a", "b", "c"])
    with pytest.raises(ValueError, match="values has 2 columns: pass the statistic"):
        Estimate.grouped([(1, 2), (3, 4), (5, 6)], ["a", "b", "c"])


def test_spearman_is_scipys():
    rng = np.random.default_rng(0)
    first, second = rng.integers(0, 5, (2, 30))  # with ties
    assert spearman(first, second) == pytest.approx(spearmanr(first, second).statistic)


# Differences


def test_a_difference_is_paired_and_has_the_sign_of_the_first():
    measured, reference = {"p": 0.7, "q": 0.5, "new": 1.0}, {"q": 0.4, "p": 0.5, "old": 9.0, "r": 3.0}
    assert Estimate.difference(measured, reference) == Estimate.mean([0.7 - 0.5, 0.5 - 0.4])
    assert Estimate.difference([3, None, 2, 9], [1, 5, 2, NAN]) == Estimate.mean([2, 0])
    assert is_nothing(Estimate.difference({}, reference))


def test_pairs_that_do_not_fit_are_an_error():
    with pytest.raises(ValueError, match="values has 3 entries and reference 1: they must be pairs"):
        Estimate.difference([1, 2, 3], [1])
    with pytest.raises(TypeError, match="values is a dict and reference a list"):
        Estimate.difference({"p": 1}, [1])
