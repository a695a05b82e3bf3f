"""Every stored table: its rows give its figures again, and everything in it is of a form that the code writes."""

import pytest

from xattn_helpers.studies import checks, store

STORED = sorted(file.stem for file in store.RESULTS.glob("*.json"))


@pytest.mark.parametrize("name", STORED)
def test_the_code_can_have_written_it(name):
    assert checks.faults(name) == []


def test_every_table_has_its_rows():
    assert STORED and {file.name.partition(".")[0] for file in store.RESULTS.glob("*.csv.xz")} <= set(STORED)
