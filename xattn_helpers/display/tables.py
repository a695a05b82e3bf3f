"""Figures in words, and tables of them: the formats that lessons, cards and studies share.

A figure is an `Estimate`, or the dictionary that a stored table has of it. With its n it reads as `Estimate.format`
says, "0.965 (0.931 to 0.983), n = 200"; in a table whose caption says n it is shorter, and that is `figure_text`.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Annotated, Any, TypeAlias

import numpy as np
from IPython.display import Markdown
from pydantic import Field

from ..arguments import UNCHECKED, checked
from ..kinds import Digits
from ..measures.statistics import Estimate
from .checks import require

EstimateLike: TypeAlias = Estimate | Mapping[str, Any]
MaybeNumber: TypeAlias = Annotated[float, Field(allow_inf_nan=True)] | None
Rows: TypeAlias = Annotated[Iterable[Sequence[object]], UNCHECKED]
MISSING = "–"  # for what was not seen or not measured


def as_estimate(figure: EstimateLike) -> Estimate:
    """An estimate from itself, or from a stored table; raises ValueError for a dictionary that is none."""
    return figure if isinstance(figure, Estimate) else Estimate.from_dict(figure)


@checked
def number_text(value: MaybeNumber, spec: str = ".2f") -> str:
    """A number in Python's format ("+.2f" has a sign, ".3g" three digits); a dash for None and NaN."""
    return MISSING if value is None or math.isnan(value) else format(value, spec)


@checked
def percent_text(share: MaybeNumber, spec: str = ".0f") -> str:
    """A share as percent, "62 %"; a dash for None and NaN."""
    return MISSING if share is None or math.isnan(share) else f"{100 * share:{spec}} %"


@checked
def figure_text(
    figure: EstimateLike | None,
    spec: str = ".2f",
    *,
    percent: bool = False,
    count: bool = False,
    transform: Callable[[float], float] | None = None,
) -> str:
    """A figure and its interval, "0.55 (0.41 to 0.66)"; a dash where there is nothing.

    spec: Python's format of each number, as "+.2f" for a difference. percent: "55 % (41 to 66)". count: with ", n = 48"
    at the end. transform: an increasing function of value and interval, as `numpy.exp` for a figure of logarithms.
    """
    if figure is None or math.isnan(as_estimate(figure).value):
        return MISSING
    estimate = as_estimate(figure)
    scale, unit = (100, " %") if percent else (1, "")
    texts = []
    for number in (estimate.value, estimate.low, estimate.high):
        changed = number if transform is None else float(transform(number))
        texts.append(format(scale * changed, spec))
    value, low, high = texts
    ending = f", n = {estimate.n}" if count else ""
    return f"{value}{unit} ({low} to {high}){ending}"


@checked
def change_text(before: EstimateLike, after: EstimateLike, change: EstimateLike, digits: Digits = 3) -> str:
    """Two figures and, below them, their difference: "0.733 → 0.610<br>**-0.123** (-0.150 to -0.098)".

    The difference is bold where its interval leaves out zero. digits: after the point.
    """
    first, second, difference = as_estimate(before), as_estimate(after), as_estimate(change)
    bold = "**" if difference.excludes(0) else ""
    low, high = (format(end, f"+.{digits}f") for end in (difference.low, difference.high))
    pair = f"{first.value:.{digits}f} → {second.value:.{digits}f}"
    return f"{pair}<br>{bold}{difference.value:+.{digits}f}{bold} ({low} to {high})"


@checked
def table_text(header: Sequence[Any], rows: Rows) -> str:
    """A table in Markdown.

    Cells are texts, `Estimate`s, or numbers: one with a point has two digits after it, and None and NaN are a dash. A
    bar or a line break in a cell does not end it. Raises ValueError for no columns, and a row of another length.
    """
    require(len(header) > 0, "header", "nothing", "one text for each column")
    lines = [_line(header), _line(["---"] * len(header))]
    for number, row in enumerate(rows):
        cells = list(row)
        require(len(cells) == len(header), f"rows[{number}]", f"{len(cells)} cells", f"{len(header)}, as in the header")
        lines.append(_line(cells))
    return "\n".join(lines)


@checked
def markdown_table(header: Sequence[Any], rows: Rows) -> Markdown:
    """A table as a notebook shows it; header and rows as in `table_text`."""
    return Markdown(table_text(header, rows))


@checked
def bullets(lines: Annotated[Iterable[str], UNCHECKED], title: str = "") -> Markdown:
    """A list with a dot before each line, as a notebook shows it, below a sentence that may lead to it."""
    items = "\n".join(f"- {line}" for line in lines)
    return Markdown(f"{title}\n\n{items}" if title else items)


def _line(cells: Sequence[object]) -> str:
    return "| " + " | ".join(_cell_text(cell) for cell in cells) + " |"


def _cell_text(cell: object) -> str:
    if isinstance(cell, Estimate):
        return figure_text(cell)
    if cell is None or isinstance(cell, (float, np.floating)):
        return number_text(None if cell is None else float(cell))
    return str(cell).replace("\\|", "|").replace("|", "\\|").replace("\n", "<br>")
