"""How good the pocket models and their detector are: everything in it that needs no trained model."""

import math

import numpy as np
import pytest
import torch
from dit_for_tests import use_dit, write_dit

from xattn_helpers.pocket.world.captions import held_out
from xattn_helpers.studies import detector_quality, quality_table
from xattn_helpers.studies.detector_quality import BATCH, BATCHES, DetectorQuality
from xattn_helpers.studies.pocket_quality import COUNTS, PocketQuality, obeys
from xattn_helpers.studies.rows import cell


def boxes(*rows):
    return np.array([row if row else [np.nan] * 4 for row in rows], float)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_dit(tmp_path_factory.mktemp("weights"))


@pytest.fixture
def dit(monkeypatch, folder):
    """Weights of the video transformer, which makes three frames."""
    use_dit(monkeypatch, folder, frames=3)


# The models


def test_motions_are_told_apart():
    left, still = boxes((0.6, 0.4, 0.8, 0.6), None, (0.2, 0.4, 0.4, 0.6)), boxes(*[(0.4, 0.4, 0.6, 0.6)] * 3)
    closer = boxes((0.4, 0.4, 0.6, 0.6), (0.3, 0.3, 0.7, 0.7))
    assert obeys(left, "to the left") and not obeys(left, "to the right") and not obeys(left, "stays still")
    assert obeys(left[::-1], "to the right") and not obeys(left, "up")
    assert obeys(left[:, [1, 0, 3, 2]], "up") and obeys(left[::-1][:, [1, 0, 3, 2]], "down")
    assert obeys(still, "stays still") and not obeys(still, "closer")
    assert obeys(closer, "closer") and obeys(closer[::-1], "away") and not obeys(closer, "stays still")


@pytest.mark.parametrize(
    ("step", "motion", "obeyed"),
    [(0.11, "to the right", True), (0.09, "to the right", False), (0.05, "stays still", True),
     (0.07, "stays still", False)],
)  # fmt: skip
def test_how_far_is_far_enough(step, motion, obeyed):
    moved = boxes((0.4, 0.4, 0.6, 0.6), (0.4 + step, 0.4, 0.6 + step, 0.6))
    assert obeys(moved, motion) is obeyed


def test_a_motion_of_what_is_not_seen_twice_is_not_obeyed():
    assert obeys(boxes(None, (0, 0, 1, 1), None), "up") is False


def test_quality_is_asked_with_held_out_captions_of_each_kind(dit):
    cases = PocketQuality().cases()
    counts = {}
    for case in cases:
        counts[case["model"], case["kind"]] = counts.get((case["model"], case["kind"]), 0) + 1
        assert held_out(case["prompt"]) and case["word"] in case["prompt"]
        assert bool(case["second"]) == (case["kind"] == "two") and case["second"] in case["prompt"]
        assert bool(case["motion"]) == (case["kind"] == "motion") and case["motion"] in case["prompt"]
    expected = {("pocket", kind): count for kind, count in COUNTS.items()}
    expected |= {("pocket-t2i", kind): COUNTS[kind] for kind in ("one", "two")}
    expected |= {("pocket-dit", kind): count for kind, count in COUNTS.items()}
    assert counts == expected
    assert PocketQuality().cases() == cases, "the same every time"
    kinds = [(case["model"], case["kind"]) for case in PocketQuality(smoke=True).chosen()]
    assert kinds == list(expected)


def test_a_model_without_weights_is_left_out(monkeypatch, tmp_path):
    use_dit(monkeypatch, tmp_path)
    assert {case["model"] for case in PocketQuality().cases()} == {"pocket", "pocket-t2i"}


def test_the_transformer_is_measured_like_the_others(dit):
    study = PocketQuality(smoke=True)
    cases = [case for case in study.chosen() if case["model"] == "pocket-dit"]
    assert study.key(cases[0]) == PocketQuality(smoke=True).key(cases[0])
    for case in cases:
        (row,) = study.measure([case])
        assert 0 <= row["present"] <= 1 and row["obeyed"] in ((True, False) if case["motion"] else (None,))
        assert [name for name in row if name.startswith("auroc")] == ["auroc, 2 cells"]


ABOUT = {"model": "pocket", "scene": "on the water", "motion": "", "obeyed": None, "second": "", "second present": None}
AUROC = {"auroc, 1 cells": 0.9, "auroc, 2 cells": 1.0, "auroc, 4 cells": math.nan}
ROWS = [
    {"kind": "one", "word": "ball", "present": 1.0, "single": 1.0, "scene seen": "on the water"},
    {"kind": "one", "word": "dog", "present": 0.2, "single": 0.5, "scene seen": "on the road"},
    {"kind": "two", "word": "ball", "second": "dog", "present": 1.0, "second present": 0.1, "single": 1.0,
     "scene seen": "x"},
    {"kind": "motion", "word": "dog", "present": 1.0, "single": 0.9, "scene seen": "on the water", "motion": "up",
     "obeyed": True},
]  # fmt: skip


def test_the_summary_counts():
    table = PocketQuality().summary([ABOUT | AUROC | row for row in ROWS])
    figures = table["pocket"]
    assert figures["object present, one object"].value == pytest.approx(2 / 3)
    assert figures["both objects present"].value == 0 and figures["right scene"].value == 0.5
    assert figures["exactly one instance"].value == pytest.approx(2 / 3)
    assert figures["exactly one instance in 15 of 16 frames"].value == pytest.approx(1 / 3)
    assert figures["motion obeyed"] == figures["motion obeyed: up"] and figures["motion obeyed"].value == 1
    assert figures["AUROC of the noun's map, 16 x 16"].value == pytest.approx(0.9)
    assert "AUROC of the noun's map, 4 x 4" not in figures
    assert figures["prompts with 'dog' complete"].n == 3 and "prompts with 'shark' complete" not in figures
    assert table["pocket-t2i"] == table["pocket-dit"] == {}


def test_tables_show_the_measured_models_and_a_dash_where_one_has_no_cases():
    rows = [ABOUT | AUROC | {"auroc, 4 cells": 0.5} | row for row in ROWS]
    rows += [row | {"model": "pocket-t2i"} for row in rows[:3]]
    table = PocketQuality().summary(rows)
    asked = PocketQuality().markdown(table).splitlines()
    assert asked[2] == (
        "| object present, one object | ≥ 95% | 66.7 % (20.8 to 93.9), n = 3 | 50.0 % (9.5 to 90.5), n = 2 |"
    )
    assert asked[-1].startswith("| motion obeyed | ≥ 80% | 100.0 %") and asked[-1].endswith("| – |")
    assert quality_table.motion_table(table).splitlines()[-1].startswith("| up | 100.0 %")
    assert len(quality_table.objects_table(table).splitlines()) == 4
    assert "| AUROC of the noun's map, 16 x 16 | 0.900" in quality_table.auroc_table(table)


def test_the_transformer_has_bounds_of_its_own_before_its_column():
    rows = [ABOUT | AUROC | {"auroc, 4 cells": 0.5} | row for row in ROWS]
    only = {"auroc, 1 cells": None, "auroc, 4 cells": None}
    rows += [row | only | {"model": "pocket-dit", "obeyed": None if row["obeyed"] is None else False} for row in rows]
    table = PocketQuality().summary(rows)
    asked = PocketQuality().markdown(table).splitlines()
    assert asked[0] == "| held-out prompts | asked | video | asked of the transformer | video transformer |"
    assert asked[3].startswith("| both objects present | ≥ 80% | 0.0 %") and "| ≥ 90% | 0.0 %" in asked[3]
    motions = quality_table.motion_table(table).splitlines()
    assert motions[0] == "| motion phrase obeyed | video | video transformer |"
    assert motions[-1].startswith("| up | 100.0 %") and "| 0.0 % (" in motions[-1]
    fine, middle, _ = quality_table.auroc_table(table).splitlines()[2:]
    assert fine.endswith("| – |") and middle.endswith("| 1.000 (1.000 to 1.000), n = 4 |")


# The detector


def test_detections_are_compared_with_the_truth():
    labels = torch.zeros(20, 20, dtype=torch.long)
    labels[:10, :10], labels[15:, 15:], labels[19, 0] = 3, 7, 5  # 5 is too small to count
    detected = torch.zeros_like(labels)
    detected[:10, :5], detected[15:, 15:] = 3, 2
    row = detector_quality.compare_labels(detected, labels)
    assert row == {"iou 1": 0.5, "named 1": True, "iou 2": 0.0, "named 2": False}
    assert detector_quality.compare_labels(detected * 0, labels)["named 1"] is False
    assert detector_quality.compare_labels(detected, labels * 0) == {}


def test_figures_are_over_objects_and_over_frames():
    frames = [
        {"picture": "as drawn", "iou 1": 1.0, "named 1": True, "iou 2": 0.5, "named 2": False, "scene": True},
        {"picture": "as drawn", "iou 1": None, "named 1": None, "iou 2": None, "named 2": None, "scene": False},
    ]
    figures = DetectorQuality().summary(frames)["as drawn"]
    assert (figures["iou"].value, figures["iou"].n) == (0.75, 2)
    assert (figures["named rightly"].value, figures["scene"].value, figures["scene"].n) == (0.5, 0.5, 2)


def test_every_new_frame_is_a_case_and_frames_of_a_batch_are_together():
    study = DetectorQuality()
    cases = study.cases()
    assert len(cases) == 2 * BATCH * BATCHES and len({tuple(map(cell, case.values())) for case in cases}) == len(cases)
    assert study.group(cases[0]) == study.group(cases[BATCH - 1]) != study.group(cases[BATCH])
    assert {case["picture"] for case in study.smoke_cases()} == set(detector_quality.PICTURES)
