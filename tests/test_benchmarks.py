"""The measurements: the runner that survives interruptions, and everything in them that needs no trained model."""

import json
import math
import threading
import time
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from benchmarks import pocket_quality, runner
from xattn_helpers.pocket.captions import held_out

CASES = [{"prompt": f"p{i}", "seed": seed} for i in range(4) for seed in (0, 1)]


@pytest.fixture(autouse=True)
def folders(tmp_path, monkeypatch):
    monkeypatch.setattr(runner, "WORK", tmp_path / "work")
    monkeypatch.setattr(runner, "RESULTS", tmp_path / "results")


class Measure:
    """Counts what it measures; breaks at a case when told to."""

    def __init__(self, breaks_at=None):
        self.seen, self.breaks_at = [], breaks_at

    def __call__(self, chunk):
        if self.breaks_at in chunk:
            raise KeyboardInterrupt
        self.seen += chunk
        return [{"length": len(case["prompt"]) + case["seed"]} for case in chunk]


# Runner


def test_rows_are_cases_with_what_was_measured_in_their_order():
    rows = runner.run("some", CASES, Measure(), batch=3)
    assert rows == [case | {"length": 2 + case["seed"]} for case in CASES]


def test_an_interrupted_run_goes_on_where_it_was():
    with pytest.raises(KeyboardInterrupt):
        runner.run("some", CASES, Measure(breaks_at=CASES[5]), batch=2)
    rest = Measure()
    rows = runner.run("some", CASES, rest, batch=2)
    assert rest.seen == CASES[4:] and [row["prompt"] for row in rows] == [case["prompt"] for case in CASES]
    again = Measure()
    runner.run("some", CASES[::-1], again)
    assert again.seen == []


def test_rows_of_another_key_or_name_are_not_reused():
    runner.run("some", CASES, Measure(), key="old")
    for name, key in (("some", "new"), ("other", "old")):
        measure = Measure()
        runner.run(name, CASES, measure, key=key)
        assert measure.seen == CASES


def test_processes_share_all_cases_even_if_one_is_late(monkeypatch):
    """Threads stand for processes; the second looks for finished rows when the first could have written some."""
    barrier, local, found = threading.Barrier(2, timeout=20), threading.local(), {}
    monkeypatch.setattr(runner, "PartialState", lambda: local.state)

    def process(index):
        local.state = SimpleNamespace(
            process_index=index, num_processes=2, is_main_process=index == 0, wait_for_everyone=barrier.wait
        )
        time.sleep(0.3 * index)
        found[index] = runner.run("some", CASES, Measure())

    threads = [threading.Thread(target=process, args=(index,)) for index in (0, 1)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert found[0] == found[1] == [case | {"length": 2 + case["seed"]} for case in CASES]


def test_too_few_measurements_are_an_error():
    with pytest.raises(ValueError):
        runner.run("some", CASES, lambda chunk: [], batch=2)


def test_a_share_has_wilsons_interval():
    half, all_of_them = runner.rate([True, False] * 10), runner.rate([True] * 20)
    assert half["mean"] == 0.5 and half["n"] == 20
    assert (half["low"], half["high"]) == pytest.approx((0.2993, 0.7007), abs=1e-4)
    assert all_of_them["mean"] == 1 and all_of_them["low"] == pytest.approx(0.8389, abs=1e-4)


def test_a_mean_leaves_out_nan_and_its_interval_covers():
    values = np.random.default_rng(0).normal(3, 1, 400)
    figure = runner.mean([*values, math.nan])
    assert figure["n"] == 400 and figure["mean"] == pytest.approx(values.mean())
    assert figure["high"] - figure["low"] == pytest.approx(2 * 1.96 * values.std() / 20, rel=0.1)


def test_a_stored_table_comes_back_with_its_provenance():
    file = runner.store("some", {"a": {"mean": 0.5}}, seeds=[0, 1])
    assert runner.load_table("some") == {"a": {"mean": 0.5}}
    provenance = json.loads(file.read_text())["provenance"]
    assert provenance["command"] == "python -m benchmarks some" and provenance["seeds"] == [0, 1]
    assert set(provenance) >= {"date", "device", "versions"} and provenance["versions"]["torch"]


def test_figures_in_words():
    figure = {"mean": 0.965, "low": 0.931, "high": 0.983, "n": 200}
    assert runner.show(figure) == "96.5 % (93.1 to 98.3), n = 200"
    assert runner.show(figure, percent=False) == "0.965 (0.931 to 0.983), n = 200"


# Pocket quality


def boxes(*rows):
    return np.array([row if row else [np.nan] * 4 for row in rows], float)


def test_motions_are_told_apart():
    left, still = boxes((0.6, 0.4, 0.8, 0.6), None, (0.2, 0.4, 0.4, 0.6)), boxes(*[(0.4, 0.4, 0.6, 0.6)] * 3)
    closer = boxes((0.4, 0.4, 0.6, 0.6), (0.3, 0.3, 0.7, 0.7))
    obeyed = pocket_quality.obeyed
    assert obeyed(left, "to the left") and not obeyed(left, "to the right") and not obeyed(left, "stays still")
    assert obeyed(left[::-1], "to the right") and not obeyed(left, "up")
    assert obeyed(left[:, [1, 0, 3, 2]], "up") and obeyed(left[::-1][:, [1, 0, 3, 2]], "down")
    assert obeyed(still, "stays still") and not obeyed(still, "closer")
    assert obeyed(closer, "closer") and obeyed(closer[::-1], "away") and not obeyed(closer, "stays still")


def test_no_motion_asked_and_nothing_seen():
    assert pocket_quality.obeyed(boxes((0, 0, 1, 1)), "") is None
    assert pocket_quality.obeyed(boxes(None, (0, 0, 1, 1), None), "up") is False


def test_detections_are_compared_with_the_truth():
    truth = torch.zeros(2, 20, 20, dtype=torch.long)
    truth[0, :10, :10] = 3
    truth[1, 0, 0] = 5  # too small to count
    labels = torch.zeros_like(truth)
    labels[0, :10, :5] = 3
    rows = pocket_quality.compare(labels, truth, torch.tensor([1, 2]), torch.tensor([1, 0]))
    assert rows[0] == {"iou": [0.5], "class_right": [True], "scene_right": [True]}
    assert rows[1] == {"iou": [], "class_right": [], "scene_right": [False]}
    assert pocket_quality.compare(labels * 0, truth, truth[:, 0, 0], truth[:, 0, 0])[0]["class_right"] == [False]


def test_quality_is_asked_with_held_out_captions_of_each_kind():
    video, image = pocket_quality.cases("pocket"), pocket_quality.cases("pocket-t2i")
    assert all(held_out(case["prompt"]) for case in video)
    counts = {kind: sum(case["kind"] == kind for case in video) for kind in pocket_quality.CASES}
    assert counts == pocket_quality.CASES and {case["kind"] for case in image} == {"one", "two"}
    assert all(case["motion"] in case["prompt"] and case["motion"] for case in video if case["kind"] == "motion")
    assert all(len(case["objects"]) == 1 + (case["kind"] == "two") for case in video)
    assert pocket_quality.cases("pocket") == video, "the same every time"


def test_the_summary_counts():
    about = {"scene": "on the water", "auroc": {"16": 0.9, "8": 1.0, "4": math.nan}, "motion": "", "obeyed": None}
    rows = [
        about | {"kind": "one", "objects": ["ball"], "present": [1.0], "single": 1.0, "scene_seen": "on the water"},
        about | {"kind": "one", "objects": ["dog"], "present": [0.2], "single": 0.0, "scene_seen": "on the road"},
        about | {"kind": "two", "objects": ["ball", "dog"], "present": [1.0, 0.1], "single": 1.0, "scene_seen": "x"},
        about | {"kind": "motion", "objects": ["dog"], "present": [1.0], "single": 0.9, "scene_seen": "on the water",
                 "motion": "up", "obeyed": True},
    ]  # fmt: skip
    table = pocket_quality.summary(rows)
    assert table["object present, one object"]["mean"] == pytest.approx(2 / 3)
    assert table["both objects present"]["mean"] == 0 and table["right scene"]["mean"] == 0.5
    assert table["exactly one instance"]["mean"] == pytest.approx(2 / 3)
    assert table["motion obeyed"] == table["motion obeyed: up"] and table["motion obeyed"]["mean"] == 1
    assert table["AUROC of the noun's map, 16 x 16"]["mean"] == pytest.approx(0.9)
    assert table["prompts with 'dog' complete"]["n"] == 3 and table["prompts with 'shark' complete"] is None
