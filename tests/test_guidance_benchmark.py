"""The measurements of guidance: cases and settings as data, rows of tiny models, and tables of known rows."""

import json
import math

import numpy as np
import pytest
from models_for_tests import tiny
from PIL import Image

from benchmarks import guidance, guidance_cases, guidance_table, resize, resize_sheet, runner, weights
from xattn_helpers import Guidance, zero_shot
from xattn_helpers.pocket.vocabulary import check_prompt
from xattn_helpers.pocket.world import atlas
from xattn_helpers.tokens import find

SOME = ("unguided", "best", "paper, zero-shot", "paper, frame bug")


@pytest.fixture(autouse=True)
def small(tmp_path, monkeypatch):
    """A tiny random model instead of the pocket one, and folders of its own."""
    monkeypatch.setattr(runner, "WORK", tmp_path / "work")
    monkeypatch.setattr(runner, "RESULTS", tmp_path / "results")
    monkeypatch.setattr(weights, "model", lambda name: tiny())
    zero_shot._KEPT.clear()


# Cases


def test_there_are_enough_cases_and_tuning_shares_nothing_with_them():
    table, tuning = guidance_cases.table_cases(), guidance_cases.tuning_cases()
    assert len(table) >= 40 and len({json.dumps(one) for one in table + tuning}) == len(table) + len(tuning)
    for name in ("word", "track", "seed", "prompt"):
        assert not {one[name] for one in table} & {one[name] for one in tuning}
    for one in table + tuning:
        check_prompt(one["prompt"])
        assert find(tiny().tokenizer, one["prompt"], one["word"])
        boxes = guidance_cases.path(one).boxes(16)
        sides = boxes[:, 2:] - boxes[:, :2]
        np.testing.assert_allclose(sides.prod(1) ** 0.5, guidance_cases.SIDE)  # none leaves the picture


def test_asked_boxes_have_the_proportions_of_the_drawings():
    from xattn_helpers.pocket.vocabulary import OBJECTS

    for name, sprite in zip(OBJECTS, atlas(), strict=True):
        if name in guidance_cases.PROPORTIONS:
            there = sprite[3] > 0.5
            ratio = int(there.any(0).sum()) / int(there.any(1).sum())
            assert guidance_cases.PROPORTIONS[name] == pytest.approx(ratio, abs=0.01)
    assert guidance_cases.box("car", 0.9) == (1.0, pytest.approx(0.9 / 1.7**0.5))


def test_no_two_settings_have_one_name():
    names = [name for _, group in guidance_cases.GROUPS for name in group]
    assert len(names) == len(set(names)), "the later one would silently take the place of the earlier one"


@pytest.mark.parametrize("name", guidance_cases.SETTINGS)
def test_every_setting_is_one_of_guidance(name):
    knobs = dict(guidance_cases.SETTINGS[name] or {})
    knobs.pop("target", None)
    Guidance("burger", guidance_cases.path(guidance_cases.table_cases()[0]), **knobs)


# Guidance


def test_a_row_holds_the_measures_of_one_video():
    cases = guidance.cases({name: guidance_cases.SETTINGS[name] for name in SOME}, most=2)
    rows = runner.run("guidance", cases, guidance.measure, batch=3, key="tiny")
    assert [row["setting"] for row in rows] == [name for name in SOME for _ in range(2)]
    free = rows[:2]
    assert all(row["outside"] == 0 and row["scene kept"] for row in free), "the unguided video is its own twin"
    assert all(set(guidance_table.COLUMNS) <= set(row) for row in rows)
    assert all(0 <= row["iou"] <= 1 for row in rows) and any(row["outside"] > 0 for row in rows[2:])
    assert rows[2]["outside"] != rows[4]["outside"] != rows[6]["outside"], "settings differ"
    json.dumps(guidance_table.summary(rows))


def test_rows_do_not_depend_on_what_shares_their_batch():
    cases = guidance.cases({"best": {}}, most=2)
    together = guidance.measure(cases)
    apart = [guidance.measure([case])[0] for case in cases]
    for one, other in zip(together, apart, strict=True):
        assert one["outside"] == pytest.approx(other["outside"], abs=2e-3)


def test_a_setting_that_guidance_refuses_is_a_row_with_the_error_and_spares_the_others():
    cases = guidance.cases({"best": {}, "bad": {"strength": 1e9, "law": "(1 - abar) / abar"}}, most=2)
    rows = guidance.measure(cases)
    assert "failed" not in rows[0] and "failed" not in rows[1]
    assert all(set(row) == {"failed"} and "another law" in row["failed"] for row in rows[2:])


def test_tuning_looks_at_its_own_cases(monkeypatch):
    seen = []
    monkeypatch.setattr(guidance, "measure", lambda chunk: seen.extend(chunk) or [row("", 0, 0.5) for _ in chunk])
    table = guidance.tune({"strength 7": {"strength": 7.0}}, most=2)
    assert {case["word"] for case in seen} <= set(guidance_cases.TUNING) and len(seen) == 2
    assert not runner.RESULTS.exists() and set(table) == {"settings", "cases"}


def test_what_rows_depend_on_is_part_of_their_identity(monkeypatch):
    before = guidance.key()
    monkeypatch.setattr(weights, "key", lambda name: "other")
    assert guidance.key() != before and "'strength': 100.0" in before


def row(setting: str, seed: int, iou: float, **more) -> dict:
    about = {"setting": setting, "prompt": "p", "word": "burger", "track": "stays", "seed": seed, "knobs": {}}
    found = dict.fromkeys(guidance_table.COLUMNS, 0.5) | {"covered": True, "scene kept": True, "single": 1.0}
    return about | found | {"iou": iou} | more


def test_the_table_has_figures_differences_and_failures():
    rows = [row("best", 0, 0.6), row("best", 1, 0.8, single=math.nan), row("8 only", 0, 0.5), row("8 only", 1, 0.4)]
    about = (*guidance_table.ABOUT, "knobs")
    broken = [{name: one[name] for name in about} | {"failed": "too far"} for one in rows[:2]]
    rows += [one | {"setting": "eq. 4 literally"} for one in broken]
    table = guidance_table.summary(rows)["settings"]
    assert set(table) == {"best", "8 only", "eq. 4 literally"} and table["8 only"]["group"] == "layers"
    assert table["best"]["figures"]["mIoU"]["mean"] == 0.7 and table["8 only"]["mIoU minus best"]["mean"] == -0.25
    assert table["best"]["figures"]["one instance"]["mean"] == 0.5, "no object is not one object"
    failed = table["eq. 4 literally"]
    assert (failed["failed"], failed["cases"], failed["failure"], failed["ious"]) == (2, 2, "too far", [None, None])
    guidance_table.show({"settings": table})


def test_an_object_that_stands_is_counted():
    rows = [row("best", seed, 0.5, travelled=way) for seed, way in enumerate((0.1, 0.9, math.nan))]
    figure = guidance_table.figures(rows)["stays where it was"]
    assert figure["mean"] == 0.5 and figure["n"] == 2


def test_stored_cases_come_back():
    rows = [row("best", 3, 0.61), row("paper", 4, 0.2) | {"ap50": math.nan}]
    back = guidance_table.read_cases(guidance_table.compact(rows))
    assert back[0]["iou"] == 0.61 and back[0]["seed"] == 3 and back[0]["setting"] == "best"
    assert math.isnan(back[1]["ap50"]) and back[1]["scene kept"] == 1.0


# Resize


def test_sizes_in_words_are_relative_to_the_unguided_video(monkeypatch):
    boxes = np.array([[0.1, 0.1, 0.3, 0.5], [0.3, 0.1, 0.5, 0.5], [np.nan] * 4])
    monkeypatch.setattr(resize, "detect", lambda video, word: (boxes, None))
    free = zero_shot.unguided(tiny(), "a ball rolls on the grass")
    side, path = resize.wanted({"word": "ball", "asked": "bigger"}, free)
    assert side == pytest.approx(1.75 * 0.08**0.5)
    half = side / 2
    np.testing.assert_allclose(path.centres(2), [[0.3, 0.3]] * 2 if half < 0.3 else [[half, half]] * 2)
    assert resize.wanted({"word": "ball", "asked": 0.2}, free)[0] == 0.2
    monkeypatch.setattr(resize, "detect", lambda video, word: (boxes * np.nan, None))
    side, path = resize.wanted({"word": "ball", "asked": "big"}, free)
    assert side == pytest.approx(1.35 * 0.35) and path.keys == ((0.5, 0.5),)


def test_a_box_that_would_leave_the_picture_is_moved_in():
    path = resize.standing("car", 0.6, np.array([[0.0, 0.0, 0.1, 0.1]]))
    x0, y0, x1, y1 = path.boxes(1)[0]
    assert (x0, y0) == pytest.approx((0, 0), abs=1e-9)
    assert (x1 - x0) * (y1 - y0) == pytest.approx(0.36) and (x1 - x0) / (y1 - y0) == pytest.approx(1.7)


def test_sizes_of_the_world_by_hand():
    # A ball is .25 x .85, lifted to the least size, to .53 x .85; a fish is 1.37 times as wide as high.
    assert resize.of_world("ball") == pytest.approx((0.22, 0.53 * 0.85))
    assert resize.of_world("fish") == pytest.approx((0.22 / 1.37**0.5, 0.53 * 0.85 / 1.37**0.5))
    asked = (0.2, 0.3, 0.4, 0.5)
    assert [resize.exists({"word": "ball", "side": side}) for side in asked] == [False, True, True, False]


def test_agreement_of_sizes_by_hand():
    def rows(*got):
        asked = (0.2, 0.3, 0.4, 0.5, 0.6)
        return [
            {"word": "ball", "seed": index % 2, "side": side, "size": size}
            for index, (side, size) in enumerate(zip(asked, got, strict=True))
        ]

    good = rows(0.22, 0.33, 0.36, 0.5, math.nan)
    assert resize.rank_correlation(good)["mean"] == 1
    assert resize.rank_correlation(rows(0.4, 0.3, 0.2, 0.1, 0.05))["mean"] == -1
    error = resize.relative_error(good)
    assert error["mean"] == pytest.approx(0.1) and error["n"] == 4
    # Drawn are pairs of the two seeds: the first has errors .1 and .1, the second .1 and 0.
    assert error["low"] == pytest.approx(0.05) and error["high"] == pytest.approx(0.1)
    assert math.isnan(resize.relative_error(good[:1])["mean"])


def test_resizing_runs_and_its_table_is_stored():
    chosen = [case for case in resize.cases(most=1) if case["asked"] in ("original", "big", 0.28, 0.6)]
    rows = runner.run("resize", chosen, resize.measure, batch=5)
    assert {row["setting"] for row in rows} == set(resize.SETTINGS)
    rows = [row | {"free covered": row["asked"] != "big"} for row in rows]
    table = resize.summary(rows)
    resize.show(table)
    kept = table["best"]["scene kept"]
    assert kept["all"]["n"] == 4 and kept["object before"]["n"] == 3 and kept["words"]["n"] == 2
    runner.store("resize", table)
    assert len(runner.load_table("resize")["best"]["cases"]) == 4


def test_a_size_that_guidance_refuses_is_counted_and_spares_the_others():
    found = resize.cases(1, {"best": {}, "far": {"strength": 1e9, "law": "(1 - abar) / abar"}})
    rows = resize.measure(found[:2] + found[-2:])
    assert [sorted(row) == ["failed", "side"] for row in rows] == [False, False, True, True]


def test_the_sheet_shows_the_unguided_video_and_all_sizes(tmp_path, monkeypatch):
    (found,) = resize_sheet.rows(("burger",))
    assert len(found) == len(resize_sheet.NAMES) and all(one.shape == found[0].shape for one in found)
    red = [(one == (255, 0, 0)).all(-1).sum() for one in found]
    assert red[0] == 0 and 0 < red[1] < red[3] < red[5], "the asked boxes grow"
    monkeypatch.setattr(resize_sheet, "FILE", tmp_path / "sheet.webp")
    monkeypatch.setattr(resize_sheet, "SHOWN", ("burger",))
    resize_sheet.draw([found])
    assert Image.open(tmp_path / "sheet.webp").width > 300


def test_sizes_are_tuned_on_other_objects_and_seeds(monkeypatch):
    seen = []
    monkeypatch.setattr(resize.runner, "run", lambda name, cases, *_: seen.extend(cases) or [])
    monkeypatch.setattr(resize, "show", lambda table: None)
    assert list(resize.tune({"any": {"strength": 1.0}}, most=3)) == ["any"]
    assert len(seen) == 3 * 10
    for name in ("word", "seed", "prompt"):
        assert not {case[name] for case in seen} & {case[name] for case in resize.cases()}
