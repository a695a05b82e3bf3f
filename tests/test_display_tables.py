"""Tests of `display.tables`: the very characters."""

import math

import numpy as np
import pytest

from xattn_helpers.display import (
    bullets,
    change_text,
    figure_text,
    markdown_table,
    number_text,
    percent_text,
    table_text,
)
from xattn_helpers.measures.statistics import Estimate

IOU = Estimate(0.5512, 0.4149, 0.6631, 48)
LOST = Estimate(-0.123, -0.15, -0.098, 60)
UNSEEN = Estimate(math.nan, math.nan, math.nan, 0)


@pytest.mark.parametrize(
    ("figure", "options", "text"),
    [
        (IOU, {}, "0.55 (0.41 to 0.66)"),
        (IOU, {"spec": ".3f"}, "0.551 (0.415 to 0.663)"),
        (LOST, {"spec": "+.2f"}, "-0.12 (-0.15 to -0.10)"),
        (IOU, {"spec": "+.2f"}, "+0.55 (+0.41 to +0.66)"),
        (IOU, {"spec": ".3g", "percent": True}, "55.1 % (41.5 to 66.3)"),
        (IOU, {"count": True}, "0.55 (0.41 to 0.66), n = 48"),
        (Estimate(0.0, -math.log(2), math.log(2), 9), {"transform": np.exp}, "1.00 (0.50 to 2.00)"),
        ({"mean": 0.5512, "low": 0.4149, "high": 0.6631, "n": 48}, {}, "0.55 (0.41 to 0.66)"),
        (UNSEEN, {"count": True}, "–"),
        (None, {}, "–"),
    ],
)
def test_a_figure_in_words(figure, options, text):
    assert figure_text(figure, **options) == text


def test_with_its_count_a_figure_reads_as_an_estimate_does():
    assert figure_text(IOU, ".3f", count=True) == IOU.format()
    assert figure_text(IOU, ".1f", percent=True, count=True) == IOU.format(percent=True)


def test_a_change_is_bold_where_its_interval_leaves_out_zero():
    before, after = Estimate(0.733, 0.7, 0.75, 60), Estimate(0.61, 0.6, 0.62, 60)
    assert change_text(before, after, LOST) == "0.733 → 0.610<br>**-0.123** (-0.150 to -0.098)"
    vague = {"mean": 0.02, "low": -0.01, "high": 0.05, "n": 60}
    assert change_text(before, after, vague, digits=2) == "0.73 → 0.61<br>+0.02 (-0.01 to +0.05)"


def test_numbers_and_shares():
    assert [number_text(0.128), number_text(math.nan), number_text(None)] == ["0.13", "–", "–"]
    assert [number_text(-1234.5, ".3g"), number_text(0.25, "+.1f")] == ["-1.23e+03", "+0.2"]
    assert [percent_text(0.623), percent_text(0.623, ".1f"), percent_text(math.nan), percent_text(None)] == [
        "62 %", "62.3 %", "–", "–"
    ]  # fmt: skip


def test_a_table_by_hand():
    rows = [["a|b", 3, 0.126], ["two\nlines", IOU, None], [r"c\|d", True, np.float32("nan")]]
    assert table_text(["name", "", "IoU"], rows).splitlines() == [
        "| name |  | IoU |",
        "| --- | --- | --- |",
        r"| a\|b | 3 | 0.13 |",
        "| two<br>lines | 0.55 (0.41 to 0.66) | – |",
        r"| c\|d | True | – |",
    ]
    assert markdown_table(["name", "", "IoU"], iter(rows)).data == table_text(["name", "", "IoU"], rows)
    assert table_text(["a"], []) == "| a |\n| --- |"


def test_a_table_names_the_row_that_does_not_fit():
    with pytest.raises(ValueError, match=r"rows\[1\]: given 1 cells; possible: 2, as in the header"):
        table_text(["a", "b"], [["1", "2"], ["3"]])
    with pytest.raises(ValueError, match="header: given nothing"):
        table_text([], [])


def test_what_is_no_estimate_is_refused():
    with pytest.raises(ValueError, match="low"):
        figure_text({"mean": 0.5})


def test_a_list_of_sentences():
    assert bullets(["first", "second"]).data == "- first\n- second"
    assert bullets(iter(["first"]), "Of two videos:").data == "Of two videos:\n\n- first"
