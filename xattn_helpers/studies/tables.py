"""Nested tables of figures as json and back: `Estimate`s as dictionaries, numbers rounded, NaN as null."""

import math
from collections.abc import Iterable, Mapping
from typing import Any

from ..measures.statistics import Estimate
from .rows import DIGITS

ESTIMATE = {"value", "low", "high", "n"}


def encode(part: Any) -> Any:
    """A table as json: estimates as dictionaries, numbers rounded, NaN as null."""
    if isinstance(part, Estimate):
        return encode(part.as_dict())
    if isinstance(part, Mapping):
        for name in part:
            if not isinstance(name, str):
                raise TypeError(f"key {name!r} of a table is a {type(name).__name__}: keys must be texts")
        return {name: encode(value) for name, value in part.items()}
    if isinstance(part, (list, tuple)):
        return [encode(value) for value in part]
    if isinstance(part, float):
        return None if math.isnan(part) else float(f"{part:.{DIGITS}g}")
    if part is None or isinstance(part, (bool, int, str)):
        return part
    raise TypeError(f"{part!r} is a {type(part).__name__}: a table has Estimates, numbers, texts, lists and dicts")


def decode(part: Any) -> Any:
    """The opposite of `encode`; a null is None, and NaN in an estimate."""
    if isinstance(part, list):
        return [decode(value) for value in part]
    if not isinstance(part, dict):
        return part
    if set(part) == ESTIMATE:
        return Estimate.from_dict({name: math.nan if value is None else value for name, value in part.items()})
    return {name: decode(value) for name, value in part.items()}


def ranges(numbers: Iterable[int]) -> str:
    """Whole numbers in words: "0 to 2, 7"."""
    spans: list[list[int]] = []
    for number in sorted(numbers):
        if spans and number == spans[-1][1] + 1:
            spans[-1][1] = number
        else:
            spans.append([number, number])
    return ", ".join(f"{start} to {end}" if end > start else str(start) for start, end in spans)


def lines(table: dict, path: str = "") -> list[str]:
    """A nested table as lines "part | part | figure"."""
    texts = []
    for name, part in table.items():
        label = f"{path} | {name}" if path else name
        if isinstance(part, dict):
            texts += lines(part, label)
        else:
            texts.append(f"{label} | {part.format() if isinstance(part, Estimate) else part}")
    return texts
