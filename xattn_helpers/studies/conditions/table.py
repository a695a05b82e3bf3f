"""The table of `conditions`: what each setting reaches and loses under each condition."""

from collections.abc import Mapping, Sequence

import numpy as np

from ...display.tables import figure_text, table_text
from ...measures.statistics import Estimate
from ..guidance.table import counted_figures, group_rows
from ..rows import Row

AVERAGED = ("iou", "ap50", "distance", "size ratio", "travelled", "start", "end", "from first target",
            "from last target", "size", "growth", "single", "outside", "auroc", "unguided size")  # fmt: skip


def of_two(first: Row, second: Row) -> Row:
    """One row of two objects: means of their measures; what must hold of both is True where it holds of each."""
    row = {}
    for name, value in first.items():
        if name in AVERAGED:
            row[name] = mean(value, second[name])
        else:
            row[name] = value and second[name] if isinstance(value, bool) else value
    return row | {"iou of the first": first["iou"], "iou of the second": second["iou"]}


def mean(*values: float) -> float:
    """The mean of what is not NaN; NaN of nothing."""
    present = [value for value in values if not np.isnan(value)]
    return float(np.mean(present)) if present else float("nan")


def summary(rows: Sequence[Row]) -> dict:
    """The table {model: {condition: {setting: figures}}}."""
    table: dict = {}
    for model, of_model in group_rows(rows, "model").items():
        table[model] = {}
        for condition, members in group_rows(of_model, "condition").items():
            table[model][condition] = {name: figures(own) for name, own in group_rows(members, "setting").items()}
    return table


def figures(rows: Sequence[Row]) -> dict:
    """What one setting reaches and loses; failures and lost objects count 0."""
    done = [row for row in rows if not row["failed"]]
    return counted_figures(rows) | {
        "travelled": Estimate.mean(row["travelled"] for row in done),
    }


def line(name: str, figures: Mapping) -> str:
    """A setting in one line."""
    return " | ".join([name, *(f"{label} {figure_text(part)}" for label, part in figures.items())])


def markdown(table: Mapping[str, Mapping]) -> str:
    """A table for each model: the mIoU of each setting, and what the defaults lose."""
    texts = []
    for model, conditions in table.items():
        names = list(next(iter(conditions.values())))
        rows = []
        for condition, settings in conditions.items():
            cells = [figure_text(settings[name]["mIoU"]) for name in names]
            rows.append([condition, *cells, figure_text(settings["defaults"]["lost"], ".0f", percent=True, count=True)])
        texts.append(table_text([model, *names, "lost by the defaults"], rows))
    return "\n\n".join(texts)
