"""The text of code that keys of rows are made of: the same in every version of Python, and other for other code."""

import ast
from pathlib import Path

import pytest

from xattn_helpers.studies import code

FUNCTION = '''
def label(row, width=8):
    """Words about it."""
    if row is None:  # nothing was measured
        return ""
    return f'{row["name"]!r:>{width}} is {row["score"]:.2f}' " and " f"{{{width=}}}" f""
'''
WRITTEN_OTHERWISE = """
def label(row,
          width=(8)):
    if (row is None): return ''
    return (
        f"{row['name']!r:>{width}} is {row['score']:.2f}"
        f" and {{{width=}}}"
    )
"""
# Python 3.11, 3.12, 3.13 and 3.14 gave it. Another digest means that every study is measured again.
DIGEST = "d31c7a67829e"


def digest(source):
    return code.digest(code.structure(code.without_docstrings(ast.parse(source))))


def test_the_digest_of_a_function_is_the_same_in_every_version_of_python():
    assert digest(FUNCTION) == DIGEST


def test_comments_docstrings_layout_and_quotes_do_not_count():
    assert digest(WRITTEN_OTHERWISE) == DIGEST


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("8", "9"), ("is None", "is not None"), ('return ""', 'return "-"'), ("!r", "!s"), (":.2f", ":.3f"),
        (">{width}", "<{width}"), ('" and "', '" or "'), ("{width=}", "{width}"), ('row["score"]', 'row["size"]'),
        ('["name"]', ".name"), ("row is None", "row == None"), ("width=8", "*, width=8"), ('return ""', "return None"),
        ('return ""', "return"),
    ],
)  # fmt: skip
def test_what_the_code_does_counts(before, after):
    assert before in FUNCTION and digest(FUNCTION.replace(before, after)) != DIGEST


@pytest.mark.parametrize(
    ("first", "second"),
    [("x = ['', y]", "x = [y]"), ("x = 1", "x = True"), ("x = 1", "x = 1.0"), ("x = '1'", "x = 1"), ("f()", "f"),
     ("x = None", "x = 'None'"), ("x[a, b]", "x[a]"), ("return_ = y", "return_ = -y"), ("x = {**y}", "x = {'': y}")],
)  # fmt: skip
def test_values_of_another_kind_are_other_code(first, second):
    assert digest(first) != digest(second)


def test_where_the_repository_is_does_not_count():
    assert code.plain(code.ROOT / "notebooks") == "notebooks" and code.plain(Path("/proc")) == "/proc"
