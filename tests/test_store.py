"""Stored tables: what is read is what was written, and a table that its rows do not give is refused."""

import csv
import json
import lzma
import math
import re

import pytest

from xattn_helpers.measures.statistics import Estimate
from xattn_helpers.studies import checks, load_rows, load_table, origin, rows, store, tables
from xattn_helpers.studies.study import Report, Study

SOURCE = {
    "commit": "0123456789ab", "versions": {"torch": "2.11.0", "numpy": "2.4.6"}, "device": "NVIDIA H100 80GB HBM3",
    "threads": 8, "precision": "float32", "weights": {"pocket": "aaaaaaaaaaaa"},
}  # fmt: skip


class Marks(Study):
    """Two prompts, two seeds."""

    name = "marks"

    def cases(self):
        return [{"prompt": prompt, "seed": seed} for prompt in ("a, big", "b") for seed in (0, 1)]

    def summary(self, rows):
        scores = [row["score"] for row in rows]
        return {"score": Estimate.mean(scores), "seen": {"rate": Estimate.rate(row["seen"] for row in rows)}}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(checks, "find", {"marks": Marks}.__getitem__)
    records = []
    for number, case in enumerate(Marks().cases()):
        source = SOURCE | ({"device": "CPU (x86_64)"} if number == 3 else {})
        measured = {"score": number / 3, "seen": number > 0, "note": "late" if number else None}
        records.append({"key": "123456789abc", "source": source, "case": case, "measured": measured})
    store.store(Marks(), records, tmp_path)
    return tmp_path


def edit(folder, change):
    """Change a stored json by hand."""
    stored = json.loads((folder / "marks.json").read_text())
    change(stored)
    (folder / "marks.json").write_text(json.dumps(stored))


# Storing and loading


def test_a_table_comes_back_with_its_estimates(folder):
    table = load_table("marks", folder)
    expected = Estimate.mean([0, 1 / 3, 2 / 3, 1])
    assert table["score"].value == 0.5 and table["score"].n == 4
    assert (table["score"].low, table["score"].high) == pytest.approx((expected.low, expected.high), abs=1e-5)
    assert table["seen"]["rate"].value == 0.75 and table["seen"]["rate"].n == 4


def test_rows_come_back_with_their_types_and_their_provenance(folder):
    loaded = load_rows("marks", folder)
    first = {"prompt": "a, big", "seed": 0, "score": 0.0, "seen": False, "note": "", "source": 0, "key": "123456789abc"}
    assert loaded[0] == first and list(loaded[0]) == list(first)
    assert loaded[2]["score"] == 0.66667 and loaded[2]["note"] == "late"
    assert [row["source"] for row in loaded] == [0, 0, 0, 1]
    written = lzma.decompress((folder / "marks.csv.xz").read_bytes()).decode().splitlines()
    columns = {name: cells for name, *cells in csv.reader(written)}
    assert list(columns) == list(first) and columns["score"] == ["0", "0.33333", "0.66667", "1"]
    assert written[0].startswith('prompt,"a, big",') and columns["key"] == 4 * ["123456789abc"]


def test_the_json_tells_where_the_table_comes_from(folder):
    stored = store.load_json("marks", folder)
    assert stored["command"] == "python -m xattn_helpers.studies marks" and stored["seeds"] == "0 to 1"
    assert [source["device"] for source in stored["sources"]] == ["NVIDIA H100 80GB HBM3", "CPU (x86_64)"]
    sentence = origin("marks", folder)
    assert sentence.startswith(f"Measured on {stored['date']} with `{stored['command']}` (torch 2.11.0, numpy")
    assert sentence.endswith("numpy 2.4.6; NVIDIA H100 80GB HBM3, CPU (x86_64); weights: pocket `aaaaaaaaaaaa`).")


def test_a_table_that_was_not_stored_is_an_error_that_says_how_to_measure_it(tmp_path):
    with pytest.raises(FileNotFoundError, match="`python -m xattn_helpers.studies marks` measures it"):
        load_table("marks", tmp_path)


def test_the_command_says_limits_and_smoke_runs(tmp_path):
    record = {"key": "1", "source": SOURCE, "case": Marks().cases()[0], "measured": {"score": 1.0, "seen": True}}
    store.store(Marks(smoke=True), [record], tmp_path, limit=1)
    assert store.load_json("marks", tmp_path)["command"].endswith("studies marks --limit 1 --smoke")


# Columns and tables


def test_columns_have_one_type():
    columns = rows.column_types([{"a": 1, "key": "k", "b": None}, {"a": 1.5, "b": True, "c": None, "key": "k"}])
    assert columns == {"a": "float", "b": "bool", "c": "float", "key": "str"} and list(columns)[-1] == "key"
    for pair in ((1, "one"), (True, 1), (0.5, False)):
        with pytest.raises(TypeError, match="column 'a' mixes"):
            rows.column_types([{"a": value} for value in pair])


@pytest.mark.parametrize(
    ("value", "kind", "text"),
    [(None, "float", ""), (True, "bool", "true"), (False, "bool", "false"), (3, "int", "3"), (0.1, "float", "0.1"),
     (1 / 3, "float", "0.33333"), (123456.7, "float", "1.2346e+05"), ("", "str", ""), ("x", "str", "x")],
)  # fmt: skip
def test_cells_are_read_as_they_were_written(value, kind, text):
    assert rows.cell(value) == text
    back = rows.value_of(text, kind)
    assert back == pytest.approx(value, rel=5e-5) if isinstance(value, float) else back == value


def test_nan_stays_nan_in_rows_and_estimates_and_is_null_in_json():
    assert math.isnan(rows.value_of(rows.cell(math.nan), "float"))
    encoded = tables.encode({"a": Estimate.mean([]), "b": [1, (2.0, None)], "c": math.nan})
    assert encoded["a"] == {"value": None, "low": None, "high": None, "n": 0} and encoded["b"] == [1, [2.0, None]]
    decoded = tables.decode(json.loads(json.dumps(encoded, allow_nan=False)))
    assert math.isnan(decoded["a"].value) and decoded["a"].n == 0 and decoded["c"] is None


def test_what_json_would_change_is_refused():
    with pytest.raises(TypeError, match="key 1 of a table"):
        tables.encode({1: "a"})
    with pytest.raises(TypeError, match="is a set"):
        tables.encode({"a": {1}})


def test_numbers_in_words_and_tables_in_lines():
    assert tables.ranges({0, 1, 2, 7, 9, 10}) == "0 to 2, 7, 9 to 10" and tables.ranges(set()) == ""
    table = {"a": {"b": Estimate(0.5, 0.25, 0.75, 3)}, "c": 2}
    assert tables.lines(table) == ["a | b | 0.500 (0.250 to 0.750), n = 3", "c | 2"]


# Refusing


def test_what_the_code_wrote_has_no_fault(folder):
    assert checks.faults("marks", folder) == []


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (lambda stored: stored["table"]["score"].update(value=0.51), "table | score | value: stored is 0.51"),
        (lambda stored: stored["table"]["score"].update(low=stored["table"]["score"]["low"] + 0.01), "score | low"),
        (lambda stored: stored["table"]["seen"]["rate"].update(n=5), "seen | rate | n: stored is 5"),
        (lambda stored: stored["table"].pop("seen"), "only one of both has 'seen'"),
        (lambda stored: stored["sources"][0].update(device="NVIDIA H100; the paper's setting on a CPU"), "no code"),
        (lambda stored: stored["sources"].pop(), "a row has source 1, and there are 1"),
        (lambda stored: stored["sources"][0].pop("commit"), "a source has"),
        (lambda stored: stored.update(command=stored["command"] + " --limit 2"), "not that of the whole"),
        (lambda stored: stored.update(command="python -m xattn_helpers.studies other"), "not that of the whole"),
        (lambda stored: stored.pop("columns"), "has no columns"),
    ],
)
def test_a_json_that_was_edited_by_hand_is_refused(folder, change, fault):
    edit(folder, change)
    assert any(fault in sentence for sentence in checks.faults("marks", folder))


@pytest.mark.parametrize(
    ("before", "after", "fault"),
    [
        ("0.66667,1$", "0.66667,0.9", "table | score | value"),
        ("^seed,0,1,0,1$", "seed,0,1,0,2", "row 3 has seed=2, and the study's case 1"),
        (",[^,]*$", "", "3 rows are stored, and the study has 4 cases"),
        ("^(score.*),1$", r"\1", "columns of 3 and 4 rows"),
        ("^score.*\n", "", "has no column 'score'"),
        ("123456789abc$", "", "a row has the key ''"),
    ],
)
def test_rows_that_were_edited_by_hand_are_refused(folder, before, after, fault):
    file = folder / "marks.csv.xz"
    text = lzma.decompress(file.read_bytes()).decode()
    edited = re.sub(before, after, text, flags=re.MULTILINE)
    assert edited != text
    file.write_bytes(lzma.compress(edited.encode()))
    assert any(fault in sentence for sentence in checks.faults("marks", folder))


def test_drawn_cases_may_be_others_by_now_but_not_more_or_fewer(folder, monkeypatch):
    monkeypatch.setattr(Marks, "draws", True)
    cases = Marks().cases()
    monkeypatch.setattr(Marks, "cases", lambda self: list(reversed(cases)))
    assert checks.faults("marks", folder) == []
    monkeypatch.setattr(Marks, "cases", lambda self: cases[1:])
    assert checks.faults("marks", folder) == ["4 rows are stored, and the study has 3 cases"]


def test_a_table_of_a_report_is_refused(folder, monkeypatch):
    monkeypatch.setattr(checks, "find", lambda name: type("Card", (Report,), {"name": "card"}))
    assert checks.faults("marks", folder) == ["marks is a report, which stores no table"]


def test_a_json_has_a_line_for_what_holds_nothing_more_and_keeps_texts():
    stored = {"table": {"share": {"value": 0.5, "n": 2}, "note": "x  {y\n [z]", "list": ["p  q", 1], "none": {}}}
    text = store.as_json(stored)
    assert json.loads(text) == stored
    assert text.splitlines()[2] == '"share":{"value":0.5,"n":2},'
