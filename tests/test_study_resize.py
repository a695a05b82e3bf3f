"""The study of sizes: what is asked, agreement by hand, rows and the sheet of tiny models."""

import json
import math

import numpy as np
import pytest
from models_for_tests import tiny
from PIL import Image
from studies_for_tests import look_at_paint, paint, use_tiny_models

from xattn_helpers import size_edits
from xattn_helpers.studies import load_rows, load_table, resize, resize_sheet, running
from xattn_helpers.studies.guidance import steered
from xattn_helpers.studies.resize import table
from xattn_helpers.studies.store import store

BOXES = np.array([[0.1, 0.1, 0.3, 0.5], [0.3, 0.1, 0.5, 0.5], [np.nan] * 4])


@pytest.fixture(autouse=True)
def small(tmp_path, monkeypatch):
    use_tiny_models(monkeypatch)
    monkeypatch.setattr(running, "WORK", tmp_path)


def test_every_object_is_asked_for_every_size_with_every_seed():
    cases = resize.ResizeStudy().cases()
    assert len(cases) == len(resize.SETTINGS) * 16 * 8 * 10 == len({json.dumps(case) for case in cases})
    study = resize.ResizeStudy()
    text = str(study.depends(cases[0] | {"asked": "bigger"}))
    assert "1.07, 1.75" in text and study.depends(cases[0]) == study.depends(cases[1]), "a number asks for itself"


def test_the_best_setting_is_what_the_package_gives_for_sizes():
    path = resize.track([(0.5, 0.5)], size=0.4)
    assert resize.SETTINGS[table.BEST].edits("size", ["burger"], [path]) == size_edits([["burger"]], [[path]])
    knobs = resize.knobs_of(resize.SETTINGS[table.BEST])
    assert knobs["energy"] == {"box": 1.0, "shape": 0.6} and knobs["bias"]["inside"] == 4
    assert resize.knobs_of(resize.SETTINGS["defaults"]) == {}


def test_sizes_in_words_are_relative_to_the_unguided_video():
    assert resize.wanted_side("bigger", BOXES) == pytest.approx(1.75 * 0.08**0.5)
    assert resize.wanted_side("0.2", BOXES) == 0.2
    assert resize.wanted_side("big", BOXES * np.nan) == pytest.approx(1.35 * 0.35)
    assert resize.wanted_side("bigger", np.array([[0.0, 0.0, 0.9, 0.9]])) == 0.8, "what can be asked for has an end"


def test_a_box_stands_where_the_object_stands_on_average():
    path = resize.standing(BOXES, (0.3, 0.4))
    np.testing.assert_allclose(path.centres(2), [[0.3, 0.3]] * 2)
    assert resize.standing(BOXES * np.nan, (0.3, 0.4)).keys == ((0.5, 0.5),)


def test_a_box_that_would_leave_the_picture_is_moved_in():
    path = resize.standing(np.array([[0.0, 0.0, 0.1, 0.1]]), resize.box("car", 0.6))
    x0, y0, x1, y1 = path.boxes(1)[0]
    assert (x0, y0) == pytest.approx((0, 0), abs=1e-9)
    assert (x1 - x0) * (y1 - y0) == pytest.approx(0.36) and (x1 - x0) / (y1 - y0) == pytest.approx(1.7)


def test_sizes_of_the_world_by_hand():
    # A ball is .25 x .85, lifted to the least size, to .53 x .85; a fish is 1.37 times as wide as high.
    assert table.of_world("ball") == pytest.approx((0.22, 0.53 * 0.85))
    assert table.of_world("fish") == pytest.approx((0.22 / 1.37**0.5, 0.53 * 0.85 / 1.37**0.5))
    exist = [table.exists({"word": "ball", "side": side}) for side in (0.2, 0.3, 0.4, 0.5)]
    assert exist == [False, True, True, False]


def rows(*sizes):
    asked = (0.2, 0.3, 0.4, 0.5, 0.6)
    pairs = enumerate(zip(asked, sizes, strict=True))
    return [{"word": "ball", "seed": index % 2, "side": side, "size": size} for index, (side, size) in pairs]


def test_agreement_of_sizes_by_hand():
    good = rows(0.22, 0.33, 0.36, 0.5, math.nan)
    assert table.agreement(good)["rank correlation"].value == 1
    assert table.agreement(rows(0.4, 0.3, 0.2, 0.1, 0.05))["rank correlation"].value == pytest.approx(-1)
    error = table.agreement(good)["median relative error"]
    assert error.value == pytest.approx(0.1) and error.n == 4
    # Drawn are pairs of the two seeds: the first has errors .1 and .1, the second .1 and 0.
    assert error.low == pytest.approx(0.05) and error.high == pytest.approx(0.1)
    assert math.isnan(table.agreement(good[:1])["median relative error"].value)


def test_slopes_and_orders_are_those_of_single_series():
    series = [row | {"seed": 0} for row in rows(0.2, 0.3, 0.4, 0.5, 0.6)]
    half = [row | {"seed": 1, "size": row["side"] ** 0.5} for row in series]
    upside_down = [row | {"seed": 2, "size": 1 / row["side"]} for row in series]
    unseen = [row | {"seed": 3, "size": math.nan} for row in series]
    every = series + half + upside_down + unseen
    assert table.slopes(every) == [pytest.approx(1), pytest.approx(0.5), pytest.approx(-1)]
    assert table.orders(every) == [pytest.approx(1), pytest.approx(1), pytest.approx(-1), -1]
    again = [row | {"seed": 4} for row in half]
    assert table.agreement(every + again)["series in order"].value == pytest.approx(0.6)


def test_what_is_asked_of_a_case_is_a_box_at_the_unguided_object(monkeypatch):
    monkeypatch.setattr(steered, "look", look_at_paint)
    view = look_at_paint(paint([(0, 32, 32, 64)]))
    case = {"setting": "paper", "word": "burger", "asked": "small", "seed": 0}
    path, about = resize.ResizeStudy().asked(case, steered.Reference(None, view))
    assert about["side"] == pytest.approx(0.75 * 0.5) and path.keys == ((0.25, 0.75),)


def test_resizing_runs_and_its_table_is_stored(tmp_path):
    study = resize.ResizeStudy(smoke=True)
    chosen = [case for name in resize.SETTINGS for case in resize.sizes_of(name, "burger", 10)[2:6]]
    study.smoke_cases = lambda: chosen
    study.batch = 4
    store(study, running.run(study), tmp_path / "results")
    stored = load_rows("resize", tmp_path / "results")
    assert [row["asked"] for row in stored[:4]] == ["0.35", "0.45", "0.6", "smaller"]
    settings = load_table("resize", tmp_path / "results")["settings"]
    assert set(settings) == set(resize.SETTINGS)
    kept = settings["paper"]["scene kept"]
    assert kept["all"].n == 4 and kept["words"].n == 1 and kept["numbers"].n == 3
    before = sum(row["unguided covered"] for row in stored if row["setting"] == "paper")
    assert kept["object before"].n == before
    assert study.markdown({"settings": settings}).count("\n") == 1 + len(table.STATISTICS | table.RATES)


def test_without_guidance_the_unguided_sizes_are_what_came_out():
    made = []
    for seed in range(3):
        for row in rows(0.2, 0.3, 0.4, 0.5, 0.6):
            about = {"setting": "defaults", "failed": "", "asked": str(row["side"]), "covered": True, "single": 1.0}
            about |= {"scene kept": True, "unguided covered": True, "unguided size": 0.3 + 0.01 * seed}
            made.append(row | about | {"seed": seed})
    summary = table.summary(made, {"defaults": {}})
    assert summary["settings"]["defaults"]["slope"]["all"].value == pytest.approx(1)
    assert summary["no guidance"]["slope"].value == pytest.approx(0, abs=1e-9)


def test_the_sheet_shows_the_unguided_video_and_all_sizes(tmp_path, monkeypatch):
    study = resize.ResizeStudy(smoke=True)
    frames = resize_sheet.row_of(study, "burger")
    assert len(frames) == len(resize_sheet.COLUMNS) and all(frame.shape == frames[0].shape for frame in frames)
    red = [(frame == (255, 0, 0)).all(-1).sum() for frame in frames]
    assert red[0] == 0 and 0 < red[1] < red[3] < red[5], "the asked boxes grow"
    monkeypatch.setattr(resize_sheet, "row_of", lambda study, word: frames)
    monkeypatch.setattr(resize_sheet, "WORK", tmp_path)
    (file,) = resize_sheet.ResizeSheet(smoke=True).write()
    assert file == tmp_path / "smoke" / "resize.webp", "a smoke run leaves the stored picture alone"
    assert Image.open(file).width > 300
    (file,) = resize_sheet.ResizeSheet().write(tmp_path / "docs")
    assert Image.open(file).height > 300, "a row for each object"
    assert tiny().defaults.frames == 3, "the model is left as it was"
