"""Figures of the guidance table: numbers computed by hand on tables of known rows."""

import math

import numpy as np
import pytest
from scipy.stats import spearmanr
from studies_for_tests import failed, row

from xattn_helpers.studies.guidance import figures, table
from xattn_helpers.studies.guidance.settings import FACTORS, SETTINGS


@pytest.fixture
def rows():
    rows = [row("unguided", 0, 0.1, outside=0.0), row("unguided", 1, 0.1, outside=0.0)]
    rows += [row("defaults", 0, 0.6), row("defaults", 1, 0.8), row("paper", 0, 0.3), row("paper", 1, 0.5)]
    rows += [row("8 x 8 only", 0, 0.5), failed("8 x 8 only", 1), row("16 x 16 only", 0, 0.7)]
    rows += [row("16 x 16 only", 1, 0.9), row("as released", 0, 0.1), row("as released", 1, 0.1)]
    return rows + [failed("eq. 4 literally", 0), failed("eq. 4 literally", 1)]


@pytest.fixture
def settings(rows):
    return table.summary(rows)["settings"]


def test_groups_are_found(settings):
    assert figures.group(settings, "layers") == ["8 x 8 only", "16 x 16 only"]
    assert figures.group(settings, "law", "main") == ["unguided", "defaults", "paper", "eq. 4 literally"]


def test_a_setting_is_held_against_what_it_was_made_from():
    settings = table.summary([row(name, 0, 0.5) for name in SETTINGS])["settings"]
    compared = figures.references(settings, "frames", "law", "energy")
    assert list(compared) == [name for group in ("law", "energy", "frames") for name in FACTORS[group]]
    assert {name for name, base in compared.items() if base == "paper"} == {
        "paper, equal steps", "paper, each head by itself", "paper, signed", "as released", "as released, strength 15",
        "as released, strength 150",
    }  # fmt: skip


def test_differences_are_paired_and_agree_with_the_stored_ones(settings, rows):
    change = figures.difference(rows, "paper")
    assert change.value == pytest.approx(-0.3) and change.n == 2
    assert change == settings["paper"]["mIoU minus defaults"]
    single = figures.difference(rows, "8 x 8 only", "paper")
    assert single.value == pytest.approx((0.5 - 0.3 + 0 - 0.5) / 2) and single.n == 2, "what failed counts 0"
    assert figures.difference(rows, "eq. 4 literally").value == pytest.approx(-0.7)


def test_rank_correlation_agrees_with_scipy_and_leaves_out_nans():
    rng = np.random.default_rng(0)
    first = rng.integers(0, 9, 30).astype(float)  # with ties
    second = first + rng.normal(0, 4, 30)
    figure = figures.rank_correlation([*first, math.nan, 3.0], [*second, 100.0, math.nan])
    assert figure.value == pytest.approx(spearmanr(first, second).statistic) and figure.n == 30
    assert -1 <= figure.low < figure.value < figure.high <= 1
    assert figures.rank_correlation(first, first**3).low == pytest.approx(1)
    assert figures.rank_correlation(first, -first).high == pytest.approx(-1)


@pytest.mark.parametrize("first", [[1, 2, math.nan], [1, 1, 1]])
def test_rank_correlation_of_too_little_is_nan(first):
    assert math.isnan(figures.rank_correlation(first, [1, 2, 3]).value)


def test_a_forest_has_a_row_for_each_setting_and_reference(settings):
    compared = {"8 x 8 only": "defaults", "eq. 4 literally": "defaults", "as released": "paper"}
    drawn = figures.forest(settings, compared)
    left = drawn.axes[0]
    assert [label.get_text() for label in left.get_yticklabels()] == [
        "the defaults", "8 x 8 only  -0.45", "eq. 4 literally", "the paper's setting", "as released  -0.30",
    ]  # fmt: skip
    assert [text.get_text().strip() for text in left.texts] == ["1 of 2 failed", "2 of 2 failed"]
    assert [ax.get_title() for ax in drawn.axes[1:]] == ["scene kept", "one instance", "outside change"]
    dots = [line.get_xdata()[0] for line in left.lines if line.get_marker() == "o"]
    assert dots == [0, pytest.approx(-0.45), pytest.approx(math.nan, nan_ok=True), 0, pytest.approx(-0.3)]


def test_a_forest_refuses_a_reference_that_the_table_does_not_have(settings):
    with pytest.raises(ValueError, match="possible are 'defaults' and the setting's base 'defaults'"):
        figures.forest(settings, {"8 x 8 only": "paper"})


def test_pareto_keeps_what_no_point_beats():
    points = [[1, 1], [2, 2], [3, 0], [2, 2], [2, 1], [math.nan, 9]]
    assert figures.pareto(points).tolist() == [False, True, True, True, False, False]
    rng = np.random.default_rng(0)
    cloud = rng.integers(0, 5, (40, 3))
    slow = [not any((b >= a).all() and (b > a).any() for b in cloud) for a in cloud]
    assert figures.pareto(cloud).tolist() == slow


def test_points_that_lie_close_together_are_numbered_together():
    places = np.array([[0.0, 0.1], [0.01, 0.11], [0.02, 0.12], [0.5, 0.6], [0.9, 0.61]])
    texts = figures._numbers(places, np.ones(2))
    assert [text for text, _ in texts] == ["1–3", "4", "5"]
    np.testing.assert_allclose(texts[0][1], [0.02, 0.12])


def test_the_trade_off_names_the_pareto_optimal_settings(settings):
    drawn = figures.trade_off(settings, {"outside": -1, "scene kept": 1})
    named = [[text.get_text().split(maxsplit=1)[1] for text in ax.get_legend().get_texts()] for ax in drawn.axes]
    assert named == [["unguided", "16 x 16 only"], ["16 x 16 only"]], "least change, most control; all scenes are kept"


def test_extremes_put_the_choice_that_matters_most_first(settings):
    choices = {
        "steady": ["16 x 16 only"],
        "law": ["eq. 4 literally"],
        "layers": ["paper", "16 x 16 only", "8 x 8 only"],
    }
    ordered = figures.extremes(settings, choices)
    assert [choice[0] for choice in ordered] == ["layers", "steady"], "a choice of failures only has no extremes"
    first = ordered[0]
    assert (first[1], first[3]) == ("8 x 8 only", "16 x 16 only") and first[4].value == pytest.approx(0.1)
