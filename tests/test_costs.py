"""What recording and steering cost, and how fast the pocket models are: timing in pairs, and the sentences about it."""

import time

import pytest
import torch

from xattn_helpers.studies import guidance_cost, pocket_speed, recording_cost, timing
from xattn_helpers.studies.guidance_cost import GuidanceCost
from xattn_helpers.studies.pocket_speed import PocketSpeed
from xattn_helpers.studies.recording_cost import RecordingCost


def test_pairs_are_timed_in_turn_after_a_warm_up():
    order = []

    def costly():
        order.append("costly")
        time.sleep(0.02)

    rows = timing.time_pairs(costly, lambda: order.append("plain"), 2)
    assert order == ["costly", "costly", "plain", "costly", "plain"]
    assert all(row["seconds with"] >= 0.02 > row["seconds without"] >= 0 for row in rows)


def test_ratios_are_taken_pair_by_pair():
    rows = [{"seconds with": 3.0, "seconds without": 2.0}, {"seconds with": 8.0, "seconds without": 4.0}]
    rows.append({"seconds with": 1.0, "seconds without": 1.0})
    assert timing.ratios(rows) == {"median": 1.5, "smallest": 1.0, "largest": 2.0, "n": 3}


def test_threads_are_given_back():
    before = torch.get_num_threads()
    with pytest.raises(KeyError), timing.threads(before + 1):
        assert torch.get_num_threads() == before + 1
        raise KeyError
    assert torch.get_num_threads() == before


@pytest.mark.parametrize("study", [RecordingCost(), GuidanceCost(), PocketSpeed()])
def test_times_are_taken_on_the_cpu_by_one_process(study):
    assert study.device == "cpu" and not study.parallel and study.threads == 2
    groups = [study.group(case) for case in study.cases()]
    assert all(groups.count(group) == study.batch for group in groups), "a chunk has all runs of a setting"


def fake_time_pairs(costly, plain, pairs):
    costly()
    return [{"seconds with": 3.0, "seconds without": 2.0}] * pairs


def fake_generate(clips):
    """A `generate` that notes what it was asked for; a guided clip has two updates in one step and one in another."""

    def generate(model, prompt, **options):
        clips.append(options)
        guided = "edits" in options and options["edits"] is not guidance_cost.SETTINGS["bias"]
        steps = (0, 0, 1) if guided else ()
        return type("Clip", (), {"updates": [type("Update", (), {"step": step}) for step in steps]})

    return generate


def test_steered_and_plain_videos_are_compared_and_steps_with_a_gradient_counted(monkeypatch):
    clips = []
    monkeypatch.setattr(guidance_cost, "generate", fake_generate(clips))
    monkeypatch.setattr(guidance_cost, "time_pairs", fake_time_pairs)
    study = GuidanceCost(smoke=True)
    study.model = lambda name: None
    rows = []
    for setting in guidance_cost.SETTINGS:
        cases = [case for case in study.cases() if case["setting"] == setting]
        rows += [case | row for case, row in zip(cases, study.measure(cases), strict=True)]
    assert [options["edits"] for options in clips] == list(guidance_cost.SETTINGS.values())
    table = study.summary(rows)
    assert table["for a track"]["steps with a gradient"] == 2 and table["bias"]["steps with a gradient"] == 0
    assert table["for a size"]["median"] == 1.5 and table["for a size"]["n"] == guidance_cost.PAIRS
    assert guidance_cost.sentence(table["for a track"]) == (
        "on two CPU threads, a steered video takes 1.50 times as long as a plain one (median of 5 pairs, 1.50 to 1.50; "
        "asked is at most 1.7): 2 of its 2 steps need a gradient."
    )


def test_the_key_of_a_setting_depends_on_its_knobs():
    study = GuidanceCost()
    knobs = {study.depends(case) for case in study.cases()}
    assert len(knobs) >= 3 and any("schedule='first half'" in knob for knob in knobs)


def test_recorded_and_plain_videos_are_compared(monkeypatch, model):
    clips = []
    monkeypatch.setattr(recording_cost, "generate", fake_generate(clips))
    monkeypatch.setattr(recording_cost, "time_pairs", fake_time_pairs)
    study = RecordingCost(smoke=True)
    study.model = lambda name: model
    rows = study.measure(study.cases())
    assert len(rows) == recording_cost.PAIRS and clips == [{"steps": 2, "progress": False}]
    table = study.summary(rows)
    assert "takes 1.50 times as long as a plain one (median of 4 pairs" in study.markdown(table)


def test_speed_is_told_for_each_measured_model():
    rows = []
    for run in range(3):
        rows.append({"model": "pocket", "seconds": 8.0 + run, "peak GiB": 1.25, "steps": 14})
        rows.append({"model": "pocket-t2i", "seconds": 0.5, "peak GiB": 1.0 + run, "steps": 14})
    table = PocketSpeed().summary(rows)
    assert table["pocket-t2i"]["peak GiB"] == 3.0
    lines = PocketSpeed().markdown(table).splitlines()
    assert len(lines) == 4, "a model that was not measured has no row"
    assert lines[0].split(" | ")[2] == "seconds, median (range of 3)"
    assert lines[2] == "| a video of 16 frames | 14 | 9.0 (8.0 to 10.0) | 1.25 |"


def test_speed_is_measured_in_a_process_of_its_own(monkeypatch):
    child = pocket_speed.CHILD
    for line in ("from xattn_helpers", "model = load", "    generate("):
        start = child.index(line)
        child = child[:start] + child[child.index("\n", start) + 1 :]
    monkeypatch.setattr(pocket_speed, "CHILD", child)
    large = bytearray(2**30)  # of this process: it must not count
    rows = PocketSpeed(smoke=True).measure(PocketSpeed().cases()[:2])
    assert len(rows) == 2 and all(row["seconds"] >= 0 and row["steps"] == 2 for row in rows)
    assert 0.05 < rows[0]["peak GiB"] < 1 <= len(large)
