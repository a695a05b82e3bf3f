"""Rows as a csv whose columns have types, so that what is read is what was written; compressed, there are thousands.

A line is a column: what stands in one is alike, and takes a quarter less room than rows do.
"""

import csv
import lzma
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

PROVENANCE = ("source", "key")  # the columns that say where a row comes from
DIGITS = 5  # significant ones of every stored number

Value = str | int | float | bool | None
Case = dict[str, Any]  # what is measured, as it will stand in the stored rows: a `Value` by the name of its column
Row = dict[str, Any]  # a case with what was measured


def select(rows: Sequence[Row], name: str, value: Value) -> list[Row]:
    """The rows that have a value in a column."""
    return [row for row in rows if row[name] == value]


def column(rows: Sequence[Row], name: str) -> list[Any]:
    """The values of a column, in the order of the rows; what a row does not have is left out."""
    return [row[name] for row in rows if row.get(name) is not None]


def column_types(rows: Sequence[Row]) -> dict[str, str]:
    """The columns of some rows, in their order, with their types: bool, int, float or str.

    Raises TypeError for a column that mixes texts or truth values with numbers.
    """
    kinds: dict[str, set[str]] = {}
    for row in rows:
        for name, value in row.items():
            types = kinds.setdefault(name, set())
            if value is not None:
                types.add(type(value).__name__)
    columns = {}
    for name in sorted(kinds, key=PROVENANCE.__contains__):  # those to the end, all others as they came
        types = kinds[name]
        if len(types) > 1 and types != {"int", "float"}:
            raise TypeError(f"column {name!r} mixes {' and '.join(sorted(types))}: a column has one type")
        columns[name] = "float" if len(types) != 1 else types.pop()
    return columns


def write_rows(file: Path, rows: Sequence[Row], columns: Mapping[str, str]) -> None:
    """Rows as a compressed csv of a line for each column, its name first; what a row does not have is an empty cell."""
    with lzma.open(file, "wt", newline="", encoding="utf-8", preset=9) as stream:
        writer = csv.writer(stream, lineterminator="\n")
        for name in columns:
            writer.writerow([name, *(cell(row.get(name)) for row in rows)])


def read_rows(file: Path, columns: Mapping[str, str]) -> list[Row]:
    """The rows of a compressed csv, each value of its column's type.

    Raises ValueError for a column that is missing, or longer than another.
    """
    with lzma.open(file, "rt", newline="", encoding="utf-8") as stream:
        lines = {name: cells for name, *cells in csv.reader(stream)}
    lengths = sorted({len(cells) for cells in lines.values()})
    if len(lengths) > 1:
        raise ValueError(f"{file.name} has columns of {' and '.join(map(str, lengths))} rows")
    values = []
    for name, kind in columns.items():
        if name not in lines:
            raise ValueError(f"{file.name} has no column {name!r}")
        values.append([value_of(text, kind) for text in lines[name]])
    return [dict(zip(columns, row, strict=True)) for row in zip(*values, strict=True)]


def cell(value: Value) -> str:
    """A value as the text of a cell."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:.{DIGITS}g}" if isinstance(value, float) else str(value)


def value_of(text: str, kind: str) -> Value:
    """The value of a cell in a column of a type."""
    if kind == "str":
        return text
    if not text:
        return None
    if kind == "bool":
        return text == "true"
    return int(text) if kind == "int" else float(text)
