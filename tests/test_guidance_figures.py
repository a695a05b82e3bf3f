"""Figures of the guidance table: numbers computed by hand on tables of known rows."""

import math

import numpy as np
import pytest
from scipy.stats import spearmanr

from benchmarks import guidance_figures as figures
from benchmarks import guidance_table
from benchmarks.guidance_cases import FACTORS, SETTINGS


def row(setting: str, seed: int, iou: float, **more) -> dict:
    about = {"setting": setting, "prompt": "p", "word": "burger", "track": "stays", "seed": seed, "knobs": {}}
    found = dict.fromkeys(guidance_table.COLUMNS, 0.5) | {"covered": True, "scene kept": True, "single": 1.0}
    return about | found | {"iou": iou} | more


def failed(setting: str, seed: int) -> dict:
    there = row(setting, seed, 0.0)
    return {name: there[name] for name in (*guidance_table.ABOUT, "knobs")} | {"failed": "too far"}


@pytest.fixture
def settings():
    rows = [row("unguided", 0, 0.1, outside=0.0), row("unguided", 1, 0.1, outside=0.0)]
    rows += [row("best", 0, 0.6), row("best", 1, 0.8), row("paper", 0, 0.3), row("paper", 1, 0.5)]
    rows += [row("8 only", 0, 0.5), failed("8 only", 1), row("16 only", 0, 0.7), row("16 only", 1, 0.9)]
    rows += [failed("eq. 4 literally", 0), failed("eq. 4 literally", 1)]
    return guidance_table.summary(rows)["settings"]


def test_groups_are_found(settings):
    assert figures.group(settings, "layers") == ["8 only", "16 only"]
    assert figures.group(settings, "law", "main") == ["unguided", "best", "paper", "eq. 4 literally"]


def test_a_setting_is_held_against_what_it_was_made_from():
    rows = [row(name, 0, 0.5, knobs=knobs) for name, knobs in SETTINGS.items()]
    settings = guidance_table.summary(rows)["settings"]
    found = figures.references(settings, "frames", "law", "energy")
    assert list(found) == [name for one in ("law", "energy", "frames") for name in FACTORS[one]]
    made_from_papers = {name for name, one in found.items() if one == "paper"}
    assert made_from_papers == {"paper, eq. 4 literally", "signed", "paper, frame bug", "as released"}


def test_differences_are_paired_and_agree_with_the_stored_ones(settings):
    found = figures.difference(settings, "paper")
    assert found["mean"] == pytest.approx(-0.3) and found["n"] == 2
    assert found["mean"] == pytest.approx(settings["paper"]["mIoU minus best"]["mean"])
    assert figures.difference(settings, "8 only", "paper") == pytest.approx(dict.fromkeys(("mean", "low", "high"), 0.2)
                                                                            | {"n": 1})  # fmt: skip
    assert math.isnan(figures.difference(settings, "eq. 4 literally")["mean"])


def test_rank_correlation_agrees_with_scipy_and_leaves_out_nans():
    rng = np.random.default_rng(0)
    one = rng.integers(0, 9, 30).astype(float)  # with ties
    other = one + rng.normal(0, 4, 30)
    found = figures.rank_correlation([*one, math.nan, 3.0], [*other, 100.0, math.nan])
    assert found["mean"] == pytest.approx(spearmanr(one, other).statistic) and found["n"] == 30
    assert -1 <= found["low"] < found["mean"] < found["high"] <= 1
    assert figures.rank_correlation(one, one**3)["low"] == pytest.approx(1)
    assert figures.rank_correlation(one, -one)["high"] == pytest.approx(-1)


@pytest.mark.parametrize("one", [[1, 2, math.nan], [1, 1, 1]])
def test_rank_correlation_of_too_little_is_nan(one):
    assert math.isnan(figures.rank_correlation(one, [1, 2, 3])["mean"])


def test_a_forest_has_a_row_for_each_setting_and_reference(settings):
    drawn = figures.forest(settings, {"8 only": "best", "eq. 4 literally": "best", "16 only": "paper"})
    left = drawn.axes[0]
    names = [label.get_text() for label in left.get_yticklabels()]
    assert names == ["best (the defaults)", "8 only  -0.10", "eq. 4 literally", "the paper's setting", "16 only  +0.40"]
    assert [text.get_text().strip() for text in left.texts] == ["1 of 2 failed", "2 of 2 failed"]
    assert [ax.get_title() for ax in drawn.axes[1:]] == ["scene kept", "one instance", "outside change"]


def test_pareto_keeps_what_nothing_beats():
    points = [[1, 1], [2, 2], [3, 0], [2, 2], [2, 1], [math.nan, 9]]
    assert figures.pareto(points).tolist() == [False, True, True, True, False, False]
    rng = np.random.default_rng(0)
    many = rng.integers(0, 5, (40, 3))
    slow = [not any((b >= a).all() and (b > a).any() for b in many) for a in many]
    assert figures.pareto(many).tolist() == slow


def test_the_trade_off_names_the_pareto_optimal_ones(settings):
    drawn = figures.trade_off(settings, {"outside": -1, "scene kept": 1})
    named = [[text.get_text().split(maxsplit=1)[1] for text in ax.get_legend().get_texts()] for ax in drawn.axes]
    assert named == [["unguided", "16 only"], ["16 only"]], "least change, most control; and all scenes are kept"


def test_extremes_put_the_choice_that_matters_most_first(settings):
    choices = {"steady": ["16 only"], "law": ["eq. 4 literally"], "layers": ["paper", "16 only", "8 only"]}
    rows = figures.extremes(settings, choices)
    assert [one[0] for one in rows] == ["layers", "steady"], "a choice of failures only has no extremes"
    assert (rows[0][1], rows[0][3]) == ("paper", "16 only") and rows[0][4]["mean"] == pytest.approx(0.1)
