"""Figures and sentences of lesson 04: what is drawn and said are the numbers of the table and of the clips."""

import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from xattn_helpers import track
from xattn_helpers.edits.edit import Update
from xattn_helpers.measures.statistics import Estimate
from xattn_helpers.studies import load_rows
from xattn_helpers.studies.resize import SEEDS, figures, table

SIDES = (0.2, 0.3, 0.4, 0.5)


def rows(setting, *sizes, seed=0):
    made = []
    for side, size in zip(SIDES, sizes, strict=True):
        lost = math.isnan(size)
        row = {"setting": setting, "word": "ball", "seed": seed, "asked": str(side), "side": side, "size": size}
        row |= {"failed": "", "covered": not lost, "single": 0.0 if lost else 1.0, "scene kept": True}
        made.append(row | {"unguided covered": True, "unguided size": 0.3 + 0.01 * len(made)})
    return made


def both():
    return rows("defaults", 0.2, 0.3, 0.4, math.nan) + rows("paper", 0.3, 0.3, 0.31, 0.32) + rows("new", *SIDES)


def summary(every):
    return table.summary(every, dict.fromkeys(("defaults", "paper", "new"), {}))


def test_each_panel_has_the_sizes_of_its_setting():
    figure = figures.asked_and_got(both())
    assert [axis.get_title() for axis in figure.axes] == ["gradient alone", "the paper's setting"]
    dots = [axis.lines[0] for axis in figure.axes]
    np.testing.assert_allclose(dots[0].get_xydata(), [(0.2, 0.2), (0.3, 0.3), (0.4, 0.4)])
    np.testing.assert_allclose(dots[1].get_ydata(), [0.3, 0.3, 0.31, 0.32])


def test_medians_are_of_tenths_by_what_was_asked():
    asked, detected = np.arange(20.0)[::-1], 2 * np.arange(20.0)[::-1]
    detected[0] = 1000  # of the largest
    points = figures.medians(asked, detected)
    np.testing.assert_allclose(points[0], np.arange(0.5, 20, 2))
    np.testing.assert_allclose(points[1, :-1], 2 * points[0, :-1])
    assert points[1, -1] == (36 + 1000) / 2, "of two values the median is their mean"
    np.testing.assert_allclose(figures.medians([0.2], [0.3]), [[0.2], [0.3]])


def test_sentences_are_those_of_the_table_and_name_what_it_lacks():
    first, second, deaf, missing = figures.lines(summary(both()), both())
    assert first.startswith("**gradient alone**: rank correlation 1.00") and "lost 25 % (" in first
    assert "median error 0 %" in first and "slope 1.00" in first
    assert second.startswith("**the paper's setting**") and "lost 0 % (" in second
    assert "hears no wish: rank correlation" in deaf and "slope 0." in deaf
    assert missing == "not in the stored table yet: shape and bias; old defaults; equal, 0.08"


def test_each_panel_is_told_with_its_knobs_and_its_number_of_videos():
    made = table.summary(both(), {"defaults": {}, "paper": {"strength": 9.0}, "new": {}})
    assert figures.settings_lines(made, both()) == [
        "gradient alone: as Guidance.for_size, 4 videos", "the paper's setting: {'strength': 9.0}, 4 videos",
    ]  # fmt: skip


def test_a_whole_table_lacks_nothing():
    every = rows(table.BEST, *SIDES) + both() + rows("old defaults", *SIDES)
    every += rows("equal, 0.08", 0.2, math.nan, math.nan, 0.5)
    knobs = dict.fromkeys((table.BEST, "defaults", "old defaults", "paper", "new", "equal, 0.08"), {})
    lines = figures.lines(table.summary(every, knobs), every)
    assert len(lines) == 6 and not any("not in" in line for line in lines)
    assert lines[0].startswith("**bias and gradient**")
    assert lines[4].startswith("**gradient alone, steps of .08 in place of .055**") and "lost 50 % (" in lines[4]


@pytest.mark.parametrize(
    "order, error, words",
    [
        ((0.95, 0.92, 0.97), (0.1, 0.09, 0.12), ("met", "met")),
        ((0.91, 0.88, 0.94), (0.16, 0.14, 0.18), ("the bound in it", "missed")),
        ((0.8, 0.7, 0.91), (0.14, 0.13, 0.151), ("missed", "the bound in it")),
    ],
)
def test_bounds_are_judged_by_the_interval(order, error, words):
    part = {"rank correlation": {"all": Estimate(*order, 9)}, "median relative error": {"all": Estimate(*error, 9)}}
    judged = figures.verdicts({"settings": {table.BEST: part}})
    assert tuple(text.rpartition(", ")[2].removeprefix("but the interval has ") for text in judged) == words


def test_a_sheet_has_a_row_for_each_way_with_boxes():
    free = SimpleNamespace(video=np.zeros((3, 32, 32, 3), np.uint8))
    paths = {"small": track([(0.5, 0.5)], size=0.3), "big": track([(0.5, 0.5)], size=0.8)}
    figure = figures.sheet(free, {"a": [free, free], "b": [free, free]}, paths)
    shown = [axis.images[0].get_array() for axis in figure.axes]
    red = [int((picture == (255, 0, 0)).all(-1).sum()) for picture in shown]
    assert red[:3] == red[3:] and red[0] == 0 < red[1] < red[2]


def test_pulls_are_drawn_in_red_and_blue_and_stop_short_of_extremes():
    values = torch.zeros(10, 10)
    values[0, 0], values[1, :5], values[2, :5] = -100, 1, -1
    target = {"box": torch.eye(10)}
    figure = figures.pulls(target, {"box": {"energy": values}}, values)
    drawn = figure.axes[1].images[0].get_array()
    assert drawn.max() == 1 and drawn.min() == -1 and figure.axes[1].get_title() == "energy"


def test_lengths_are_those_of_the_updates():
    updates = [Update(0, (0.5, 0.7), 0.3), Update(2, (0.1, 0.3), 0.2)]
    left, right = figures.lengths({"clip": SimpleNamespace(updates=updates)}).axes
    np.testing.assert_allclose(left.lines[0].get_xydata(), [(1, 0.6), (3, 0.2)])
    np.testing.assert_allclose(right.lines[0].get_ydata(), [0.3, 0.2])


def test_what_lesson_04_says_of_the_four_objects_of_its_sheet_is_in_the_stored_rows():
    shown = {}
    for row in load_rows("resize"):
        if row["setting"] == "defaults" and row["seed"] == SEEDS[0]:
            shown[row["word"], row["asked"]] = row
    changes = {}
    for word in ("burger", "ball", "duck", "shark"):
        ends = [shown[word, wish] for wish in ("smaller", "bigger")]
        changes[word] = [row["size"] / row["unguided size"] for row in ends]
    assert all(smaller < 0.85 and bigger > 1.3 for smaller, bigger in list(changes.values())[:3])
    assert changes["shark"][0] > 1 and changes["shark"][1] > 1.3
    assert all(shown[word, "smaller"]["size"] > 1.4 * shown[word, "smaller"]["side"] for word in ("ball", "duck"))
    assert shown["ball", "bigger"]["size"] < 0.8 * shown["ball", "bigger"]["side"]
