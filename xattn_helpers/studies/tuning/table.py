"""The table of `tuning`: for each question and setting what it reaches, what it loses and what it costs."""

from collections.abc import Mapping, Sequence

import numpy as np

from ...display.tables import figure_text, number_text, table_text
from ...measures.adherence import HALF
from ...measures.statistics import Estimate
from ..guidance.table import counted_iou, group_rows, is_lost, is_single
from ..rows import Row

PURPOSES = {"track": "move along a track", "size": "stand with an asked size"}
MORE_LOST = 1  # objects of the first seed that a finalist may lose beyond those of the unguided videos
PLACES = 6  # finalists of each question
UNGUIDED = "unguided"


def summary(rows: Sequence[Row]) -> dict:
    """The table {question: {"settings": {name: figures}, "finalists": names}}."""
    table = {}
    for purpose, members in group_rows(rows, "purpose").items():
        by_setting = group_rows(members, "setting")
        settings = {name: figures(own, purpose) for name, own in by_setting.items()}
        first = [row for row in members if row["round"] == 0]
        table[purpose] = {"settings": settings, "finalists": finalists(first)}
    return table


def figures(rows: Sequence[Row], purpose: str) -> dict:
    """What one setting reaches, loses and costs; videos that it could not make count as lost."""
    done = [row for row in rows if not row["failed"]]
    table = {
        "mIoU": Estimate.mean(counted_iou(row) for row in rows),
        "lost": Estimate.rate(is_lost(row) for row in rows),
        "scene kept": Estimate.rate(row["scene kept"] for row in done),
        "one instance": Estimate.rate(is_single(row, HALF) for row in done),
        "failed": len(rows) - len(done),
        "steps with a gradient": Estimate.mean(row["guided steps"] for row in done).value,
    }
    if purpose == "size":
        table["size error"] = Estimate.mean(size_error(row) for row in done if row["covered"])
    return table


def size_error(row: Row) -> float:
    """|size / asked size - 1| of an object that is there."""
    return abs(row["size"] / row["side"] - 1)


def finalists(rows: Sequence[Row]) -> list[str]:
    """The best settings of some rows by mIoU, of those that lose hardly more objects than the unguided videos do."""
    by_setting = group_rows(rows, "setting")
    lost = {name: sum(is_lost(row) for row in own) for name, own in by_setting.items()}
    allowed = lost.get(UNGUIDED, 0) + MORE_LOST
    able = [name for name in by_setting if name != UNGUIDED and lost[name] <= allowed]
    means = {name: np.mean([counted_iou(row) for row in by_setting[name]]) for name in able}
    return sorted(able, key=lambda name: -means[name])[:PLACES]


def line(name: str, figures: Mapping) -> str:
    """A setting in one line."""
    texts = [f"{label} {figure_text(part)}" for label, part in figures.items() if isinstance(part, Estimate)]
    steps = number_text(figures["steps with a gradient"], ".0f")
    return " | ".join([name, f"n = {figures['mIoU'].n}", *texts, f"steps with a gradient {steps}"])


def markdown(table: dict) -> str:
    """A table for each question."""
    texts = []
    for purpose, part in table.items():
        first = next(iter(part["settings"].values()))
        columns = [label for label, figure in first.items() if isinstance(figure, Estimate)]
        rows = []
        for name, figures in part["settings"].items():
            cells = [figure_text(figures[label], count=label == "mIoU") for label in columns]
            rows.append([name, *cells, number_text(figures["steps with a gradient"], ".0f")])
        texts.append(table_text([PURPOSES[purpose], *columns, "steps with a gradient"], rows))
    return "\n\n".join(texts)
