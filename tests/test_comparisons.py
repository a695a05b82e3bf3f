"""Comparisons of many settings: p-values counted out, Holm's by hand, and halves in which the best is known."""

from itertools import product

import numpy as np
import pytest

from xattn_helpers.measures.comparisons import holm, matrix, sign_flip, split_half


def test_a_p_value_is_the_share_of_signs_with_a_mean_as_far_from_0():
    differences = np.array([0.3, 0.1, 0.4, -0.1, 0.2])
    own, as_far = abs(differences.mean()), 0
    for signs in product((-1, 1), repeat=5):
        as_far += abs((differences * signs).mean()) >= own - 1e-12
    assert sign_flip(differences) == pytest.approx(as_far / 2**5)
    assert sign_flip([*differences, np.nan]) == sign_flip(differences)


def test_of_nothing_and_of_one_difference_there_is_no_evidence():
    assert sign_flip([]) == sign_flip([0.0, 0.0]) == sign_flip([0.5]) == 1.0


def test_without_an_effect_p_values_are_spread_evenly():
    rng = np.random.default_rng(1)
    values = [sign_flip(rng.normal(0, 1, 10)) for _ in range(200)]
    assert 0.02 < np.mean(np.array(values) < 0.05) < 0.1 and sign_flip(rng.normal(1, 1, 60)) < 0.001


def test_holm_by_hand():
    assert holm({"a": 0.01, "b": 0.04, "c": 0.03, "d": 0.6}) == {
        "a": pytest.approx(0.04), "b": pytest.approx(0.09), "c": pytest.approx(0.09), "d": pytest.approx(0.6)
    }  # fmt: skip
    assert holm({"a": 0.9, "b": 0.8}) == {"a": 1.0, "b": 1.0}


def test_a_winner_that_is_always_best_loses_nothing():
    scores = np.array([[0.5, 0.5, 0.5, 0.5], [0.9, 0.9, 0.9, 0.9], [0.1, 0.9, 0.1, 0.9]])
    halves = split_half(scores)
    assert halves["picked"][1] > 0.8 and halves["rank"] < 1.3
    same = split_half(scores[:2])
    assert same["picked"] == [0.0, 1.0] and same["rank"] == 1 and same["loss"] == pytest.approx(0)
    assert same["own half"] == same["other half"] == pytest.approx(0.9)


def test_the_best_of_equals_is_luck_and_lost_on_the_other_half():
    scores = np.random.default_rng(0).normal(0.5, 0.1, (40, 60))
    halves = split_half(scores)
    assert halves["loss"] > 0.02 and 10 < halves["rank"] < 30
    assert halves["own half"] == pytest.approx(halves["other half"] + halves["loss"])
    assert sum(halves["picked"]) == pytest.approx(1)


def test_of_two_cases_a_half_is_one_case():
    halves = split_half([[1.0, 0.0], [0.0, 1.0]])
    assert halves["own half"] == 1 and halves["other half"] == 0 and halves["rank"] == 2


def test_a_matrix_has_the_cases_that_all_settings_have():
    names, scores = matrix({"a": {1: 0.1, 2: 0.2, 3: 0.3}, "b": {3: 0.6, 2: 0.4}})
    assert names == ["a", "b"] and scores.tolist() == [[0.2, 0.3], [0.4, 0.6]]
