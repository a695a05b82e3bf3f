"""The table of the study of guidance, of known rows."""

import math

import pytest
from studies_for_tests import failed, row

from xattn_helpers.measures.statistics import Estimate
from xattn_helpers.studies.guidance import GuidanceStudy, table


def test_the_table_has_figures_differences_and_failures():
    rows = [row("defaults", 0, 0.6), row("defaults", 1, 0.8, single=math.nan), row("8 x 8 only", 0, 0.5)]
    rows += [failed("8 x 8 only", 1), row("paper", 0, 0.1), row("paper, frame bug", 0, 0.4)]
    rows += [failed("eq. 4 literally", 0), failed("eq. 4 literally", 1)]
    made = table.summary(rows)["settings"]
    assert made["8 x 8 only"]["group"] == "layers" and made["8 x 8 only"]["guidance"] == {"cells": 2}
    assert made["defaults"]["figures"]["mIoU"].value == pytest.approx(0.7)
    assert made["8 x 8 only"]["mIoU minus defaults"] == Estimate(*[pytest.approx(-0.1)] * 3, 1)
    assert made["paper, frame bug"]["mIoU minus base"].value == pytest.approx(0.3)
    assert made["paper, frame bug"]["mIoU minus defaults"].value == pytest.approx(-0.2)
    assert made["defaults"]["figures"]["one instance"].value == 0.5, "no object is not one object"
    refused = made["eq. 4 literally"]
    assert (refused["failed"], refused["cases"], refused["failure"]) == (2, 2, "too far")
    assert refused["figures"]["mIoU"].n == refused["mIoU minus base"].n == 0
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


def test_one_instance_means_most_of_the_frames():
    rows = [row("defaults", seed, 0.5, single=share) for seed, share in enumerate((0.5, 0.9, 0.94, 1.0))]
    figures = table.figures(rows)
    assert figures["one instance"].value == 0.75 and figures["one instance in 15 of 16 frames"].value == 0.5


def test_landmarks_stand_beside_what_was_asked():
    rows = [row(name, seed, 0.5) for name in table.LANDMARKS for seed in (0, 1)]
    text = GuidanceStudy().markdown(table.summary(rows))
    assert "| mIoU | ≥ 0.6 | 0.500 (0.500 to 0.500), n = 2 |" in text and text.count("\n") == 1 + len(table.BOUNDS)
