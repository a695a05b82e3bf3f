"""Wrong arguments, hundreds of them: each is answered clearly, or it is a right one and accepted.

A clear answer is an error of this package's own that names the argument, says what was given and what is possible. The
tables are in tests/data/wrong_inputs; `python tests/test_wrong_inputs.py` prints how many of each are answered so.
"""

import sys

import pytest
from wrong_inputs_for_tests import TABLES, complaint, read
from wrong_values_for_tests import space

NAMES = sorted(file.stem for file in TABLES.glob("*.txt"))


def complaints(table, monkeypatch):
    monkeypatch.setattr("xattn_helpers.memory.memory", lambda: 9 * 2**30, raising=False)
    wrong = []
    for case in read(table):
        reason = complaint(case, space())
        if reason:
            wrong.append(f"{case} {reason}")
    return wrong


@pytest.mark.parametrize("table", NAMES)
def test_wrong_arguments_are_answered_clearly_and_right_ones_accepted(table, monkeypatch):
    wrong = complaints(table, monkeypatch)
    assert not wrong, "\n".join([f"{len(wrong)} of {len(list(read(table)))}:", *wrong])


if __name__ == "__main__":
    with pytest.MonkeyPatch.context() as patch:
        for name in sys.argv[1:] or NAMES:
            wrong, total = complaints(name, patch), len(list(read(name)))
            print(f"{name}: {total - len(wrong)} of {total}", *wrong, sep="\n  ", flush=True)
