"""The study of guidance: cases and settings as data, rows of painted videos and tiny models."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from models_for_tests import tiny
from studies_for_tests import look_at_paint, paint, use_tiny_models

from xattn_helpers import Bias, Guidance
from xattn_helpers.edits.edit import Update
from xattn_helpers.pocket.world.drawing import atlas
from xattn_helpers.pocket.world.vocabulary import OBJECTS, check_prompt
from xattn_helpers.sampling import Clip
from xattn_helpers.studies import load_rows, running
from xattn_helpers.studies.guidance import GuidanceStudy, cases, settings, steered
from xattn_helpers.studies.guidance.settings import PAPER, SETTINGS, Setting
from xattn_helpers.studies.store import store

SHOWN = ("unguided", "defaults", "paper, zero-shot", "as released", "bias")


@pytest.fixture(autouse=True)
def small(tmp_path, monkeypatch):
    use_tiny_models(monkeypatch)
    monkeypatch.setattr(running, "WORK", tmp_path)


# Cases and settings


def test_there_are_enough_cases_and_no_box_leaves_the_picture():
    chosen = cases.table_cases()
    assert len(chosen) == 97 == len({json.dumps(case) for case in chosen})
    for case in chosen:
        check_prompt(case["prompt"])
        assert tiny().text.find(case["prompt"], case["word"])
        boxes = cases.path(case).boxes(16)
        sides = boxes[:, 2:] - boxes[:, :2]
        np.testing.assert_allclose(sides.prod(1) ** 0.5, cases.SIDE)


def test_asked_boxes_have_the_proportions_of_the_drawings():
    for name, sprite in zip(OBJECTS, atlas(), strict=True):
        if name in cases.PROPORTIONS:
            inside = sprite[3] > 0.5
            ratio = int(inside.any(0).sum()) / int(inside.any(1).sum())
            assert cases.PROPORTIONS[name] == pytest.approx(ratio, abs=0.01)
    assert cases.box("car", 0.9) == (1.0, pytest.approx(0.9 / 1.7**0.5))


def test_every_setting_is_made_of_edits_that_exist():
    path = cases.path(cases.table_cases()[0])
    kinds = {}
    for name, setting in SETTINGS.items():
        kinds[name] = [type(edit) for edit in setting.edits("track", ["burger"], [path])]
    assert kinds.pop("unguided") == [] and kinds.pop("bias") == [Bias]
    assert kinds.pop("defaults and bias") == [Guidance, Bias]
    assert all(made == [Guidance] for made in kinds.values())


def test_a_setting_changes_something_and_bases_name_all_that_they_depend_on():
    texts = {name: setting.depends("track") for name, setting in SETTINGS.items()}
    assert len(set(texts.values())) == len(texts), "no two settings are the same"
    assert SETTINGS["as released"].guidance == PAPER | {"frame_of": "released"}
    assert SETTINGS["8 x 8 only"].base == "defaults" and SETTINGS["as released"].base == "paper"
    for base in (PAPER, settings.OLD_DEFAULTS):
        assert set(base) == {"energy", "strength", "law", "schedule", "shape", "cells"}


def test_two_settings_of_one_name_are_an_error():
    with pytest.raises(ValueError, match="b has x"):
        settings.in_one({"a": {"x": Setting()}, "b": {"x": Setting({})}})


def test_what_rows_depend_on_holds_defaults_knobs_and_the_track():
    study = GuidanceStudy()
    case = {"setting": "defaults"} | cases.table_cases()[0]
    text = str(study.depends(case))
    assert "law='equal'" in text and "strength=" in text and "Track(" in text
    assert study.depends(case) != study.depends(case | {"setting": "up only"})
    assert study.depends(case) != study.depends(case | {"track": "stays"})
    code = "".join(study.code)
    assert "describe" in code and "adherence" in code and "summary" not in code


# Rows


def clip_of(video, updates=()):
    return Clip(video, torch.zeros(0), "a burger", 0, updates=updates)


def reference_of(video, maps=None):
    """An unguided run whose maps are those given, at 16 x 16."""
    maps = torch.rand(len(video), 16, 16) if maps is None else maps
    run = SimpleNamespace(clip=clip_of(video), maps=lambda word: {8: maps[:, :8, :8], 16: maps})
    return steered.Reference(run, look_at_paint(video))


@pytest.fixture
def painted(monkeypatch):
    monkeypatch.setattr(steered, "look", look_at_paint)


SEEN = [[(0, 16, 16, 32)], [(16, 16, 32, 32)], [(32, 16, 48, 32), (48, 48, 64, 64)], [(48, 16, 64, 48)]]
FREE = [[(0, 48, 32, 64)], [(0, 48, 32, 64)], None, None]


def test_a_row_is_about_the_steered_video_and_not_about_its_twin(painted):
    video = paint(*SEEN)
    asked = np.array([[0.0, 0.25, 0.25, 0.5], [0.25, 0.25, 0.5, 0.5], [0.5, 0.25, 1, 1], [0.75, 0.5, 1, 1]])
    updates = (Update(0, (1.0,), 1.0), Update(0, (1.0,), 1.0), Update(2, (1.0,), 1.0))
    row = steered.describe(clip_of(video, updates), "burger", asked, reference_of(paint(*FREE)), "cpu")
    last = 0.25 * 0.25 / (0.25 * 0.5 + 0.25 * 0.5 - 0.25 * 0.25)
    assert row["iou"] == pytest.approx((1 + 1 + 1 + last) / 4)
    assert row["covered"] and not row["unguided covered"]
    assert row["start"] == 0 and row["end"] == pytest.approx(0.25 / 2**0.5)
    assert row["growth"] == pytest.approx(2**0.5), "the last box is twice as large as the first"
    sizes = [0.25, 0.25, (0.5 * 0.75) ** 0.5, (0.25 * 0.5) ** 0.5]
    assert row["size"] == pytest.approx(np.mean(sizes)) and row["unguided size"] == pytest.approx((0.5 * 0.25) ** 0.5)
    assert row["single"] == 0.75 and row["guided steps"] == 2


def test_a_kept_scene_is_that_of_the_twin(painted):
    asked = np.tile([0.0, 0.25, 0.25, 0.5], (4, 1))
    for scene, kept in ((0, False), (1, True)):
        reference = reference_of(paint(*FREE, scene=1))
        row = steered.describe(clip_of(paint(*SEEN, scene=scene)), "burger", asked, reference, "cpu")
        assert row["scene kept"] is kept


def test_what_changed_outside_counts_pixels_of_neither_object(painted):
    asked = np.tile([0.0, 0.25, 0.25, 0.5], (4, 1))
    row = steered.describe(clip_of(paint(*SEEN, background=51)), "burger", asked, reference_of(paint(*FREE)), "cpu")
    assert row["outside"] == pytest.approx(0.2, abs=1e-3)


def test_the_quality_of_maps_is_that_of_the_unguided_run(painted):
    video = paint(*FREE)
    maps = torch.zeros(4, 16, 16)
    maps[:, 12:, :8] = 1  # where the unguided object is
    asked = np.tile([0.0, 0.25, 0.25, 0.5], (4, 1))
    row = steered.describe(clip_of(paint(*SEEN)), "burger", asked, reference_of(video, maps), "cpu")
    assert row["auroc"] == 1


def test_settings_are_measured_on_tiny_models_and_stored(tmp_path):
    study = GuidanceStudy(smoke=True)
    case = cases.table_cases()[0]
    study.smoke_cases = lambda: [{"setting": name} | case for name in SHOWN]
    stored = store(study, running.run(study), tmp_path / "results")
    unguided, *steered_rows, biased = load_rows("guidance", tmp_path / "results")
    assert unguided["outside"] == 0 and unguided["scene kept"], "the unguided video is its own twin"
    assert unguided["guided steps"] == biased["guided steps"] == 0
    assert all(row["outside"] > 0 for row in (*steered_rows, biased)), "all others are steered"
    assert all(row["guided steps"] > 0 for row in steered_rows)
    assert len({row["outside"] for row in steered_rows}) == len(steered_rows), "settings differ"
    assert set(stored["settings"]) == set(SHOWN)
    study.show(stored)


def test_rows_do_not_depend_on_what_shares_their_batch():
    chosen = [{"setting": "defaults"} | case for case in cases.table_cases()[:2]]
    study = GuidanceStudy(smoke=True)
    in_batch = study.measure(chosen)
    for case, row in zip(chosen, in_batch, strict=True):
        assert row["outside"] == pytest.approx(study.measure([case])[0]["outside"], abs=2e-3)


def test_a_case_that_guidance_refuses_is_a_row_with_the_error_and_spares_the_others(monkeypatch):
    monkeypatch.setattr(GuidanceStudy, "settings", {"bad": Setting({"strength": 1e9, "law": "(1 - abar) / abar"})})
    chosen = [{"setting": "bad"} | case for case in cases.table_cases()[:2]]
    rows = GuidanceStudy(smoke=True).measure(chosen)
    assert all(set(row) == {"failed"} and "another law" in row["failed"] for row in rows)
    generate, refused = steered.generate, []

    def generate_but_two(model, prompts, *rest, **knobs):
        if len(prompts) > 1 or prompts[0] == chosen[1]["prompt"]:
            refused.append(prompts)
            raise ValueError("too far")
        return generate(model, prompts, *rest, **knobs)

    monkeypatch.setattr(steered, "generate", generate_but_two)
    monkeypatch.setattr(GuidanceStudy, "settings", SETTINGS)
    rows = GuidanceStudy(smoke=True).measure([case | {"setting": "defaults"} for case in chosen])
    assert rows[0]["failed"] == "" and rows[1] == {"failed": "too far"} and len(refused) == 2
