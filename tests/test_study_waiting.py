"""How threads wait: what OpenMP is told in each process, that the slowest counts, and the table."""

import pytest

from xattn_helpers.studies import waiting
from xattn_helpers.studies.waiting import PROCESSES, RUNS, WAYS, Waiting
from xattn_helpers.threads import WAITING

SAYS = """
import json, os, time
print(json.dumps([os.environ.get("OMP_WAIT_POLICY"), os.environ.get("GOMP_SPINCOUNT"), {runs}, {steps}]))
"""


def cases(count, way):
    return [case for case in Waiting().cases() if (case["processes"], case["way"]) == (count, way)]


@pytest.mark.parametrize(
    ("way", "told"),
    [
        ("sleep at once", ["PASSIVE", "0"]),
        ("spin for a moment, then sleep", ["PASSIVE", WAITING["GOMP_SPINCOUNT"]]),
        ("spin, as OpenMP does", [None, None]),
    ],
)
def test_each_process_is_told_how_to_wait_whatever_this_one_was_told(monkeypatch, way, told):
    monkeypatch.setenv("GOMP_SPINCOUNT", "12")
    monkeypatch.setattr(waiting, "CHILD", SAYS)
    heard = []
    monkeypatch.setattr(waiting, "max", lambda values: heard.append(values), raising=False)
    Waiting().measure(cases(1, way))
    assert [values[0] for values in heard] == [*told, RUNS, waiting.STEPS]


def test_of_several_processes_the_slowest_counts(monkeypatch, tmp_path):
    places = [tmp_path / str(number) for number in range(3)]
    code = f"""
import json, os
for number, place in enumerate({[str(place) for place in places]}):
    try:
        os.mkdir(place)
        break
    except FileExistsError:
        pass
print(json.dumps([[1.0, 5.0, 2.0], [4.0, 1.0, 2.0], [3.0, 3.0, 7.0]][number]))
"""
    monkeypatch.setattr(waiting, "CHILD", code.replace("{", "{{").replace("}", "}}"))
    rows = Waiting().measure(cases(3, "sleep at once"))
    assert [row["seconds"] for row in rows] == [4.0, 5.0, 7.0]


def test_a_process_that_fails_is_an_error(monkeypatch):
    monkeypatch.setattr(waiting, "CHILD", "raise SystemExit(3)")
    with pytest.raises(waiting.subprocess.CalledProcessError, match="3"):
        Waiting().measure(cases(1, "sleep at once"))


def test_the_table_has_medians_and_ranges_by_the_number_of_processes():
    study, rows = Waiting(), []
    for place, case in enumerate(study.cases()):
        rows.append(case | {"seconds": float(place)})
    lines = study.markdown(study.summary(rows)).splitlines()
    assert len(rows) == len(PROCESSES) * len(WAYS) * RUNS and len(lines) == 2 + len(WAYS)
    assert lines[0] == "| threads that wait | seconds, processes at once: 1 | seconds, processes at once: 3 |"
    assert lines[2] == "| sleep at once | 1.0 (0.0 to 2.0) | 10.0 (9.0 to 11.0) |"


def test_it_measures_a_real_run():
    rows = Waiting(smoke=True).measure(cases(1, "spin for a moment, then sleep")[:1])
    assert len(rows) == 1 and rows[0]["seconds"] > 0
