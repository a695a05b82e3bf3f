"""Every stored table: its rows give its figures again, and everything in it is of a form that the code writes."""

import json

import pytest

from xattn_helpers.studies import checks, store

STORED = sorted(file.stem for file in store.RESULTS.glob("*.json"))


@pytest.mark.parametrize("name", STORED)
def test_the_code_can_have_written_it(name):
    assert checks.faults(name) == []


@pytest.mark.parametrize("name", STORED)
def test_it_is_of_the_weights_that_are_shipped_or_said_to_be_of_earlier_ones(name):
    assert checks.earlier_weights(name) == checks.EARLIER_WEIGHTS.get(name, [])


def test_a_table_of_other_weights_is_told(tmp_path):
    stored = store.load_json("by_colour")
    stored["sources"][0]["weights"]["pocket"] = "000000000000"
    (tmp_path / "by_colour.json").write_text(json.dumps(stored))
    assert checks.earlier_weights("by_colour", tmp_path) == ["pocket"]


def test_every_table_has_its_rows():
    assert STORED and {file.name.partition(".")[0] for file in store.RESULTS.glob("*.csv.xz")} <= set(STORED)
