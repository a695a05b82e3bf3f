"""The study that chooses defaults: its own cases, losing the object first, and finalists by rule."""

import json

import numpy as np
import pytest
from models_for_tests import tiny
from studies_for_tests import look_at_paint, paint, row, use_tiny_models

from xattn_helpers import Bias, Guidance
from xattn_helpers.pocket.world.vocabulary import check_prompt
from xattn_helpers.studies import resize, running, tuning
from xattn_helpers.studies.guidance import cases as table_cases
from xattn_helpers.studies.guidance import steered
from xattn_helpers.studies.store import RESULTS, load_table, store
from xattn_helpers.studies.tuning import cases, table
from xattn_helpers.studies.tuning.settings import FINALISTS, SETTINGS


@pytest.fixture(autouse=True)
def small(tmp_path, monkeypatch):
    use_tiny_models(monkeypatch)
    monkeypatch.setattr(running, "WORK", tmp_path)


def every_case():
    return [case for number in range(tuning.SEEDS) for case in cases.tuning_cases(number)]


def test_there_are_48_cases_with_three_seeds_that_share_nothing_with_the_tables():
    every = every_case()
    assert len(every) == 48 * 3 == len({json.dumps(case) for case in every})
    of_tables = [*table_cases.table_cases(), *resize.ResizeStudy().cases()]
    for name in ("word", "seed", "prompt"):
        assert not {case[name] for case in every} & {case[name] for case in of_tables}
    assert not set(cases.TRACKS) & set(table_cases.TRACKS)
    assert not [keys for keys in cases.TRACKS.values() if keys in table_cases.TRACKS.values()]


def test_cases_are_of_the_world_and_boxes_are_hardly_cut_by_the_picture():
    for case in every_case():
        check_prompt(case["prompt"])
        assert tiny().text.find(case["prompt"], case["word"])
        keys = np.array(cases.TRACKS.get(case["track"], [(0.5, 0.5)]))
        half = np.array(cases.sides(case)) / 2
        inside = np.minimum(keys + half, 1) - np.maximum(keys - half, 0)
        assert (inside.prod(1) >= 0.85 * (2 * half).prod()).all(), case


def test_tracks_sides_and_shapes_are_balanced():
    for purpose in table.PURPOSES:
        members = [case for case in cases.tuning_cases() if case["purpose"] == purpose]
        for name in ("track", "side", "shape", "word"):
            values = [case[name] for case in members]
            assert len({values.count(value) for value in values}) == 1, f"{name} of {purpose}"
    square, wide = ({"word": "bus", "side": 0.3, "shape": shape} for shape in cases.SHAPES)
    assert cases.sides(square) == (0.3, 0.3) and cases.sides(wide)[0] / cases.sides(wide)[1] == pytest.approx(1.5)


def test_settings_name_all_that_they_depend_on():
    kinds = {}
    for name, setting in SETTINGS.items():
        edits = setting.edits("track", ["dog"], [table_cases.path(table_cases.table_cases()[0])])
        kinds[name] = [type(edit) for edit in edits]
        for edit in edits:
            if isinstance(edit, Guidance):
                assert ("box and shape" in name) == (edit.energy == {"box": 1.0, "shape": 0.6})
                assert edit.law == "equal" and f"equal {edit.strength:g}, {edit.schedule}" in name
            else:
                assert f"bias {edit.inside:g}, until {edit.until:g}" in name and edit.outside == -edit.inside
    assert kinds["unguided"] == [] and [Guidance, Bias] in kinds.values()


def test_first_all_settings_and_then_the_finalists_with_more_seeds(monkeypatch):
    monkeypatch.setattr(tuning, "FINALISTS", {"track": ("equal 0.04, always",), "size": ()})
    study = tuning.TuningStudy()
    chosen = study.cases()
    assert len(chosen) == 48 * len(SETTINGS) + 2 * 48 + 2 * 24
    later = {(case["setting"], case["purpose"]) for case in chosen if case["round"] > 0}
    assert later == {("unguided", "track"), ("unguided", "size"), ("equal 0.04, always", "track")}
    assert len({study.group(case) for case in chosen}) == len(SETTINGS) + 4
    study.only = ("unguided", "bias 8, until 0.5")
    assert {case["setting"] for case in study.chosen(limit=2)} == set(study.only) and len(study.chosen(limit=2)) == 8


def test_a_case_asks_for_its_track_or_for_a_box_at_the_unguided_object(monkeypatch):
    monkeypatch.setattr(steered, "look", look_at_paint)
    reference = steered.Reference(None, look_at_paint(paint([(0, 32, 32, 64)])))
    about = {"word": "burger", "side": 0.3, "shape": "square", "seed": 100}
    study = tuning.TuningStudy()
    moving, _ = study.asked(about | {"purpose": "track", "track": "there and back"}, reference)
    assert list(moving.keys) == cases.TRACKS["there and back"] and moving.sizes[0] == (0.3, 0.3)
    standing, _ = study.asked(about | {"purpose": "size", "track": "stands"}, reference)
    assert standing.keys == ((0.25, 0.75),) and standing.sizes == ((0.3, 0.3),)


def known(setting, iou, purpose="track", round=0, **changes):
    return row(setting, 0, iou, **{"purpose": purpose, "round": round, "side": 0.4, "guided steps": 7} | changes)


def test_a_lost_object_counts_nothing_and_so_does_a_refused_video():
    rows = [known("x", 0.6), known("x", 0.3, covered=False), known("x", None, covered=None, failed="too far")]
    figures = table.figures(rows, "track")
    assert figures["mIoU"].value == pytest.approx(0.2) and figures["lost"].value == pytest.approx(2 / 3)
    assert figures["failed"] == 1 and figures["scene kept"].n == 2 and figures["steps with a gradient"] == 7
    assert "size error" not in figures


def test_the_size_error_is_that_of_objects_that_are_there():
    rows = [known("x", 0.6, "size", size=0.5), known("x", 0.6, "size", size=0.1, covered=False)]
    figure = table.figures(rows, "size")["size error"]
    assert figure.value == pytest.approx(0.25) and figure.n == 1


def test_finalists_hardly_lose_an_object():
    rows = [known("unguided", 0.1) for _ in range(4)]
    for setting, iou in (("good", 0.7), ("better", 0.8), ("fair", 0.5)):
        rows += [known(setting, iou) for _ in range(4)]
    rows += [known("loses one", 0.9), known("loses one", 0.9), known("loses one", 0.9, covered=False)]
    rows += [known("loses two", 1.0), *[known("loses two", 1.0, covered=False)] * 2]
    assert table.finalists(rows) == ["better", "good", "loses one", "fair"]
    more = [known(f"number {number}", 0.5 + number / 100) for number in range(8)]
    assert table.finalists(rows[:4] + more) == [f"number {number}" for number in (7, 6, 5, 4, 3, 2)]


def test_finalists_are_chosen_by_the_first_seed_alone():
    rows = [known("a", 0.6), known("b", 0.5), known("b", 0.9, round=1)]
    assert table.summary(rows)["track"]["finalists"] == ["a", "b"]


def test_the_finalists_are_those_of_the_stored_table():
    if not (RESULTS / "tuning.json").exists():
        pytest.skip("the study was not measured yet")
    stored = load_table("tuning")
    for purpose, names in FINALISTS.items():
        assert not names or set(names) == set(stored[purpose]["finalists"])


def test_it_runs_on_tiny_models_and_prints_its_table(tmp_path, capsys):
    study = tuning.TuningStudy(smoke=True)
    stored = store(study, running.run(study), tmp_path / "results")
    study.show(stored)
    printed = capsys.readouterr().out
    assert "track | unguided | n = 1 | mIoU" in printed and "size: the best of the first seed are" in printed
    assert stored["size"]["settings"]["unguided"]["size error"].n <= 1
    text = study.markdown(stored)
    assert "| move along a track | mIoU | lost |" in text and "| size error |" in text
