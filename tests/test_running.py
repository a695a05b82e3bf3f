"""Running a study: rows survive interruptions, keys tell rows apart, and processes share the cases."""

import json
import threading
import time
from types import SimpleNamespace

import numpy as np
import pytest

from xattn_helpers.studies import __main__ as command
from xattn_helpers.studies import load_rows, provenance, records, running
from xattn_helpers.studies.study import Study

CASES = [{"model": "none", "prompt": f"p{number}", "seed": seed} for number in range(4) for seed in (0, 1)]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(running, "WORK", tmp_path)
    return tmp_path


class Lengths(Study):
    """How long a prompt is; it counts what it measures, and breaks at a case when told to."""

    name, detects, batch = "lengths", False, 2

    def __init__(self, breaks_at=None, knob=0, smoke=False):
        super().__init__(smoke)
        self.measured, self.breaks_at, self.knob = [], breaks_at, knob

    def cases(self):
        return CASES

    def models(self, case):
        return ()

    def depends(self, case):
        return self.knob

    def group(self, case):
        return case["prompt"] in ("p0", "p1", "p2")

    def measure(self, cases):
        if self.breaks_at in cases:
            raise KeyboardInterrupt
        self.measured.append(cases)
        return [{"length": len(case["prompt"]) + case["seed"]} for case in cases]

    def summary(self, rows):
        return {"longest": max(row["length"] for row in rows)}


def test_records_are_cases_with_what_was_measured_and_their_provenance():
    study = Lengths()
    records = running.run(study)
    assert [record["case"] for record in records] == CASES
    assert [record["measured"] for record in records] == [{"length": 2 + case["seed"]} for case in CASES]
    assert {record["key"] for record in records} == {study.key(CASES[0])}
    source = records[0]["source"]
    assert source["device"] == provenance.device_name("cpu") and source["precision"] == "float32"
    assert source["commit"] == provenance.commit() and source["versions"]["torch"]


def test_chunks_hold_neighbours_of_one_group():
    study = Lengths()
    study.batch = 4
    running.run(study)
    assert study.measured == [CASES[:4], CASES[4:6], CASES[6:]]


def test_an_interrupted_run_goes_on_where_it_was(capsys):
    with pytest.raises(KeyboardInterrupt):
        running.run(Lengths(breaks_at=CASES[5]))
    rest = Lengths()
    records = running.run(rest)
    assert rest.measured == [CASES[4:6], CASES[6:]] and [record["case"] for record in records] == CASES
    assert "4 of 8 rows were finished before" in capsys.readouterr().out
    finished = Lengths()
    running.run(finished)
    assert finished.measured == []


def test_again_measures_everything_anew():
    running.run(Lengths())
    study = Lengths()
    running.run(study, again=True)
    assert sum(study.measured, []) == CASES


def test_a_stored_table_is_extended_by_what_it_lacks(folder, monkeypatch, capsys):
    monkeypatch.setattr(command, "RESULTS", folder / "results")
    command.execute(Lengths(), extend=True)  # of no table at all, everything is measured
    rows = (folder / "results/lengths.csv.xz").read_bytes()
    running.set_aside(running.files(Lengths()))
    for _ in range(2):
        study = Lengths()
        command.execute(study, extend=True)
        assert study.measured == [] and (folder / "results/lengths.csv.xz").read_bytes() == rows
    assert "8 of 8 rows were finished before" in capsys.readouterr().out
    longer = [*CASES, {"model": "none", "prompt": "p9", "seed": 0, "scene": "sea"}]
    monkeypatch.setattr(Lengths, "cases", lambda self: longer)
    for measured in ([longer[-1:]], []):  # the second time cases that lack a name are found as well
        running.set_aside(running.files(Lengths()))
        study = Lengths()
        command.execute(study, extend=True)
        assert study.measured == measured and len(load_rows("lengths", folder / "results")) == 9


def test_rows_of_an_older_key_are_skipped_with_a_sentence(capsys):
    running.run(Lengths(knob=1))
    study = Lengths(knob=2)
    running.run(study)
    assert sum(study.measured, []) == CASES
    assert "rows of 8 cases are of other code, weights or settings and are skipped" in capsys.readouterr().out


def test_a_torn_last_line_is_skipped_and_does_not_spoil_the_next_row(folder, capsys):
    running.run(Lengths())
    file = folder / "lengths.0.jsonl"
    file.write_text(file.read_text()[:-40])
    study = Lengths()
    running.run(study)
    assert study.measured == [CASES[7:]] and "1 lines were not written to their end" in capsys.readouterr().out
    once_more = Lengths()
    records = running.run(once_more)
    assert once_more.measured == [] and len(records) == 8


def test_rows_of_another_commit_are_used_with_a_sentence(monkeypatch, capsys):
    monkeypatch.setattr(provenance, "commit", lambda: "0123456789ab")
    running.run(Lengths())
    study = Lengths()
    running.run(study)
    assert study.measured == [] and "commit 0123456789ab, not" in capsys.readouterr().out


def test_a_limit_takes_the_first_of_each_group_and_smoke_runs_have_their_own_rows(folder):
    limited = Lengths()
    assert [record["case"] for record in running.run(limited, limit=1)] == [CASES[0], CASES[6]]
    smoke = Lengths(smoke=True)
    assert [record["case"] for record in running.run(smoke)] == [CASES[0], CASES[6]] and len(smoke.measured) == 2
    assert (folder / "smoke" / "lengths.0.jsonl").exists()


def test_processes_share_all_cases_even_if_one_is_late(monkeypatch):
    """Threads stand for processes; the second looks for finished rows when the first could have written some."""
    records, measured = in_threads(monkeypatch, Lengths)
    assert records[0] == records[1] and [record["case"] for record in records[0]] == CASES
    assert len(measured[0]) == len(measured[1]) == 2


def test_a_study_of_times_leaves_all_cases_to_one_process(monkeypatch):
    class Times(Lengths):
        parallel = False

    records, measured = in_threads(monkeypatch, Times)
    assert records[0] == records[1] and sum(measured[0], []) == CASES and measured[1] == []


def in_threads(monkeypatch, kind):
    """Run a study in two processes: the records that each returns, and the chunks that each measured."""
    barrier, local, records, measured = threading.Barrier(2, timeout=20), threading.local(), {}, {}
    monkeypatch.setattr(running, "Processes", lambda **_: local.state)

    def process(index):
        local.state = SimpleNamespace(
            process_index=index, num_processes=2, is_main_process=index == 0, wait_for_everyone=barrier.wait
        )
        time.sleep(0.3 * index)
        study = kind()
        records[index] = running.run(study)
        measured[index] = study.measured

    threads = [threading.Thread(target=process, args=(index,)) for index in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return records, measured


def test_a_study_must_return_one_flat_row_for_each_case():
    study = Lengths()
    study.measure = lambda cases: []
    with pytest.raises(ValueError, match="0 rows for 2 cases"):
        running.run(study)
    study.measure = lambda cases: [{"seed": 1}] * len(cases)
    with pytest.raises(ValueError, match="lengths measures seed"):
        running.run(study)
    study.measure = lambda cases: [{"lengths": [1, 2]}] * len(cases)
    with pytest.raises(TypeError, match=r"lengths=\[1, 2\] is a list"):
        running.run(study)


def test_numbers_of_numpy_become_pythons(folder):
    study = Lengths()
    values = {"a": np.float32(0.5), "b": np.int64(2), "c": np.bool_(True), "d": None}
    study.measure = lambda cases: [values] * len(cases)
    row = running.run(study)[0]["measured"]
    assert row == {"a": 0.5, "b": 2, "c": True, "d": None} and type(row["c"]) is bool and type(row["b"]) is int
    assert json.loads((folder / "lengths.0.jsonl").read_text().splitlines()[0])["measured"] == row


def test_another_process_that_stopped_is_named():
    with pytest.raises(RuntimeError, match="lengths: no row of"):
        records.Finished(Lengths(), []).required(CASES[0])


@pytest.mark.parametrize(("rank", "gpu"), [("0", 0), ("1", 1), ("2", 0), ("5", 1), ("-1", 0)])
def test_more_processes_than_gpus_share_them_in_turn(monkeypatch, rank, gpu):
    chosen, asked = [], []
    monkeypatch.setenv("LOCAL_RANK", rank)
    monkeypatch.setattr(running.torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(running.torch.cuda, "set_device", chosen.append)
    monkeypatch.setattr(running, "Processes", lambda **knobs: asked.append(knobs))
    running.processes()
    assert chosen == [gpu] and asked[0]["cpu"], "waiting for one another needs no GPU"
