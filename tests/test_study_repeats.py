"""Rows that are measured again: which are drawn, and what counts as the same."""

import math

import pytest

from xattn_helpers.studies import repeats
from xattn_helpers.studies.repeats import Repeats, apart, case_of, farthest, repeatable
from xattn_helpers.studies.store import load_rows


def test_24_rows_are_drawn_from_tables_of_shipped_models():
    cases = Repeats().cases()
    assert len(cases) == 24 and cases == Repeats().cases()
    assert len({(case["table"], case["row"]) for case in cases}) == 24
    assert {case["table"] for case in cases} <= set(repeatable())
    assert {"guidance", "pocket_quality"} <= set(repeatable())
    assert not {"motion_school", "guidance_cost", "full_size", "repeats"} & set(repeatable())


def test_a_drawn_row_is_that_of_its_case():
    study = Repeats()
    for case in study.cases()[:6]:
        inner, row = study.studies[case["table"]], load_rows(case["table"])[case["row"]]
        for name, value in case_of(inner, case["row"]).items():
            assert str(row[name]) == str(value), (case, name)


@pytest.mark.parametrize(
    ("stored", "made", "distance"),
    [
        (0.5, 0.503, 0.003), (1, 1.0, 0), (True, True, 0), (True, False, 1), ("a", "a", 0), ("a", "b", 1),
        (math.nan, math.nan, 0), (None, 0.2, 1), (math.nan, 0.2, 1), (None, None, 0),
    ],
)  # fmt: skip
def test_values_are_compared_by_their_kind(stored, made, distance):
    assert apart(stored, made) == pytest.approx(distance)


def test_the_figure_that_differs_most_is_told_and_times_are_not():
    stored = {"iou": 0.7, "single": 1.0, "seconds": 1.0, "key": "a", "source": 0}
    made = {"iou": 0.71, "single": 0.9, "seconds": 20.0}
    assert farthest(stored, made) == {"figure": "single", "difference": pytest.approx(0.1)}
    assert farthest(stored, {"iou": 0.7}) == {"figure": "", "difference": 0.0}


def test_a_table_by_hand():
    rows = [
        {"table": "guidance", "row": 4, "figure": "iou", "difference": 0.004},
        {"table": "resize", "row": 7, "figure": "size", "difference": 0.2},
    ]
    table = Repeats().summary(rows)
    assert table["the same"].value == 0.5 and table["others"] == {"resize, row 7": "size differs by 0.2"}
    text = Repeats().markdown(table)
    assert text.startswith("1 of 2 rows") and "| resize, row 7 | size differs by 0.2 |" in text


def test_rows_are_measured_by_their_own_study(monkeypatch):
    study = Repeats()
    case = study.cases()[0]
    inner = study.studies[case["table"]]
    stored = load_rows(case["table"])[case["row"]]
    monkeypatch.setattr(inner, "measure", lambda cases: [{name: stored[name] for name in stored}], raising=False)
    assert study.measure([case]) == [{"figure": "", "difference": 0.0}]
    assert repeats.is_same(study.measure([case])[0])
