"""The table of the study of guidance, of known rows."""

import math

import pytest
from studies_for_tests import failed, row

from xattn_helpers.measures.statistics import Estimate
from xattn_helpers.studies.guidance import GuidanceStudy, crossing, table


def test_the_table_has_figures_differences_and_failures():
    rows = [row("defaults", 0, 0.6), row("defaults", 1, 0.8, single=math.nan), row("8 x 8 only", 0, 0.5)]
    rows += [failed("8 x 8 only", 1), row("paper", 0, 0.1), row("as released", 0, 0.4)]
    rows += [failed("eq. 4 literally", 0), failed("eq. 4 literally", 1)]
    made = table.summary(rows)["settings"]
    assert made["8 x 8 only"]["group"] == "layers" and made["8 x 8 only"]["guidance"] == {"cells": 2}
    assert made["defaults"]["figures"]["mIoU"].value == pytest.approx(0.7)
    change = made["8 x 8 only"]["mIoU minus defaults"]
    assert change == Estimate(pytest.approx(-0.45), pytest.approx(-0.8), pytest.approx(-0.1), 2), "a failure counts 0"
    assert made["as released"]["mIoU minus base"].value == pytest.approx(0.3)
    assert made["as released"]["mIoU minus defaults"].value == pytest.approx(-0.2)
    assert made["defaults"]["figures"]["one instance"].value == 0.5, "no object is not one object"
    refused = made["eq. 4 literally"]
    assert (refused["failed"], refused["cases"], refused["failure"]) == (2, 2, "too far")
    assert refused["figures"]["mIoU"].n == 0 and refused["figures"]["lost"].value == 1
    assert refused["figures"]["mIoU, lost 0"].value == 0 and refused["mIoU minus base"].value == pytest.approx(-0.7)
    assert "2 of 2 failed: too far" in table.line("eq. 4 literally", refused)


def test_a_lost_object_counts_nothing():
    rows = [row("defaults", 0, 0.6), row("defaults", 1, 0.2, covered=False), row("defaults", 2, 0.6)]
    figures = table.figures(rows)
    assert figures["mIoU"].value == 0.6 and figures["mIoU of all"].value == pytest.approx(1.4 / 3)
    assert figures["mIoU, lost 0"].value == pytest.approx(0.4)
    assert figures["lost"].value == pytest.approx(1 / 3) and figures["coverage"].value == pytest.approx(2 / 3)


def test_an_object_that_stands_is_counted():
    rows = [row("defaults", seed, 0.5, travelled=way) for seed, way in enumerate((0.1, 0.9, 0.8, math.nan))]
    figure = table.figures(rows)["stays where it was"]
    assert figure.value == pytest.approx(1 / 3) and figure.n == 3


def test_where_an_object_stands_is_told_by_the_nearer_end():
    ends = [(0.1, 0.5, 0.1), (0.5, 0.1, 0.2), (0.1, 0.5, 0.9), (math.nan, 0.1, math.nan)]
    rows = []
    for seed, (first, last, way) in enumerate(ends):
        about = {"from first target": first, "from last target": last, "travelled": way}
        rows.append(row("defaults", seed, 0.5, **about))
    figures = table.figures(rows)
    assert figures["stays where it was"].value == pytest.approx(2 / 3)
    assert (
        figures["stays at the first target"].value == figures["stays at the last target"].value == pytest.approx(1 / 3)
    )


def test_intervals_are_over_cases_and_over_objects():
    rows = [row("defaults", seed, 0.9, word="ball") for seed in range(3)] + [row("defaults", 3, 0.1, word="car")]
    figures = table.figures(rows)
    assert figures["mIoU, lost 0"].value == pytest.approx(0.7) and figures["mIoU, lost 0"].n == 4
    over_objects = figures["mIoU, lost 0, over objects"]
    assert over_objects.value == pytest.approx(0.5) and over_objects.n == 2


def test_the_winner_and_the_correction_are_told():
    rows = []
    for seed in range(12):
        rows += [row("defaults", seed, 0.7), row("8 x 8 only", seed, 0.7 + 0.01 * (-1) ** seed)]
        rows.append(row("paper", seed, 0.2 + 0.01 * seed))
    made = table.summary(rows)
    assert made["winner"]["settings"] == 3 and made["winner"]["cases"] == 12
    assert made["winner"]["mIoU"] == pytest.approx(0.7)
    assert made["correction"] == {"compared": 2, "different": 1, "not different": ["8 x 8 only"]}


def test_of_a_pair_of_energy_and_law_the_best_strength_is_told_on_other_cases():
    pair = [*crossing.pair_settings("shape", "1 - abar")]
    rows = [row("defaults", seed, 0.7) for seed in range(4)]
    for setting, iou in zip(pair, (0.3, 0.6, 0.5), strict=True):
        rows += [row(setting, seed, iou) for seed in range(4)]
    made = table.summary(rows)["energy by law"]
    assert made == {"shape, 1 - abar": {"mIoU": pytest.approx(0.6), "strength": 100.0, "picked": 1.0, "cases": 4}}


def test_one_instance_means_most_of_the_frames():
    rows = [row("defaults", seed, 0.5, single=share) for seed, share in enumerate((0.5, 0.9, 0.94, 1.0))]
    figures = table.figures(rows)
    assert figures["one instance"].value == 0.75 and figures["one instance in 15 of 16 frames"].value == 0.5


def test_landmarks_stand_beside_what_was_asked():
    rows = [row(name, seed, 0.5) for name in table.LANDMARKS for seed in (0, 1)]
    text = GuidanceStudy().markdown(table.summary(rows))
    assert "| mIoU, lost 0 | ≥ 0.72 | 0.500 (0.500 to 0.500), n = 2 |" in text and text.count("\n") == 1 + len(
        table.BOUNDS
    )
