"""The study of conditions: its cases, what a row of two objects says, and a run on tiny models."""

import json
import math

import numpy as np
import pytest
from models_for_tests import tiny
from studies_for_tests import row, use_tiny_models

from xattn_helpers.pocket.world.vocabulary import check_prompt, objects_of
from xattn_helpers.studies import conditions, running
from xattn_helpers.studies.conditions import cases, table
from xattn_helpers.studies.guidance.cases import TRACKS
from xattn_helpers.studies.store import load_rows, store
from xattn_helpers.studies.tuning import cases as tuning_cases


@pytest.fixture(autouse=True)
def small(tmp_path, monkeypatch):
    use_tiny_models(monkeypatch)
    monkeypatch.setattr(running, "WORK", tmp_path)


def every_case():
    chosen = []
    for condition in cases.CONDITIONS:
        chosen += [{"condition": condition} | case for case in cases.condition_cases(condition)]
    return chosen


def test_every_condition_has_24_cases_of_the_world_whose_boxes_stay_inside():
    chosen = every_case()
    assert len(chosen) == 24 * len(cases.CONDITIONS) == len({json.dumps(case) for case in chosen})
    for case in chosen:
        check_prompt(case["prompt"])
        for word, asked in zip(cases.words_of(case), cases.tracks_of(case), strict=True):
            assert tiny().text.find(case["prompt"], word)
            boxes = asked.boxes(16)
            np.testing.assert_allclose(boxes[:, 2:] - boxes[:, :2], [asked.sizes[0]] * 16)
    for first, second, scene in cases.PAIRS:
        assert {first, second} <= set(objects_of(scene))


def test_nothing_is_shared_with_the_cases_that_chose_the_defaults():
    tuned = [case for number in range(3) for case in tuning_cases.tuning_cases(number)]
    for case in every_case():
        assert not set(cases.words_of(case)) & {other["word"] for other in tuned}
        assert case["seed"] not in {other["seed"] for other in tuned}
        keys = [list(asked.keys) for asked in cases.tracks_of(case)]
        assert not [own for own in keys if own in tuning_cases.TRACKS.values()]


def test_slow_fast_small_and_large_are_what_they_say():
    about = {"word": "ball", "other": "", "track": "left to right"}
    tracks = {name: cases.tracks_of(about | {"condition": name})[0] for name in list(cases.CONDITIONS)[:6]}
    length = {name: float(np.abs(np.diff(np.array(track.keys), axis=0)).sum()) for name, track in tracks.items()}
    assert length["slow"] == pytest.approx(0.4 * length["square boxes"])
    assert length["fast"] == pytest.approx(3 * length["square boxes"])
    assert tracks["small"].sizes[0] == (0.24, 0.24) and tracks["large"].sizes[0] == (0.5, 0.5)
    assert list(tracks["square boxes"].keys) == TRACKS["left to right"]


def test_crossing_tracks_meet_and_others_do_not():
    for condition, meets in (("two objects", False), ("crossing tracks", True)):
        for case in cases.condition_cases(condition):
            first, second = (asked.centres(17) for asked in cases.tracks_of(case | {"condition": condition}))
            assert bool(np.linalg.norm(first - second, axis=1).min() < 0.1) == meets


def test_a_row_of_two_objects_is_their_mean_and_lost_if_one_is():
    first = row("defaults", 0, 0.8, travelled=1.0) | {"scene kept": True}
    second = row("defaults", 0, 0.2, covered=False, travelled=math.nan)
    made = table.of_two(first, second)
    assert made["iou"] == pytest.approx(0.5) and made["covered"] is False and made["travelled"] == 1.0
    assert made["iou of the first"] == 0.8 and made["iou of the second"] == 0.2 and made["scene kept"] is True
    figures = table.figures([made, row("defaults", 1, 0.6)])
    assert figures["mIoU"].value == pytest.approx(0.3) and figures["lost"].value == 0.5


def test_it_runs_on_tiny_models(tmp_path):
    study = conditions.Conditions(smoke=True)
    wanted = [("defaults", "fast"), ("bias", "crossing tracks")]
    study.smoke_cases = lambda: [
        {"model": "pocket", "setting": setting, "condition": condition} | cases.condition_cases(condition)[0]
        for setting, condition in wanted
    ]
    stored = store(study, running.run(study), tmp_path / "results")
    fast, crossing = load_rows("conditions", tmp_path / "results")
    assert fast["outside"] > 0 and fast["iou of the first"] is None
    assert crossing["iou"] == pytest.approx((crossing["iou of the first"] + crossing["iou of the second"]) / 2)
    study.show(stored)
    assert set(stored["pocket"]) == {"fast", "crossing tracks"}
