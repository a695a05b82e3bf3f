"""The table of `neighbours`: adherence, losses and cost of each method; and published rows, to stand beside it."""

from collections.abc import Mapping, Sequence

import numpy as np

from ...display.tables import figure_text, number_text, table_text
from ...measures.statistics import Estimate
from ..guidance.table import counted_figures, group_rows
from ..rows import Row

UNGUIDED = "unguided"
PUBLISHED = {  # ModelScope on IMC, by Peekaboo's paper: mIoU, AP50 and coverage in per cent, centroid distance
    "ModelScope": (9.6, 2.4, 93.3, 0.25),
    "ModelScope + LVD": (33.5, 24.7, 97.0, 0.14),
    "ModelScope + Peekaboo": (36.1, 33.3, 96.6, 0.13),
}
NOT_COMPARABLE = (
    "The published rows cannot be compared with ours: they are of ModelScope and photographs-like videos, seen by "
    "OWL-ViT, and ours are of drawn objects, seen by a detector that was trained on them, which is why ours are about "
    "twice as high."
)


def summary(rows: Sequence[Row]) -> dict:
    """The table {model: {method: figures}}."""
    table: dict = {}
    for model, members in group_rows(rows, "model").items():
        by_method = group_rows(members, "setting")
        unguided = by_method.get(UNGUIDED, [])
        table[model] = {name: figures(own, unguided) for name, own in by_method.items()}
    return table


def figures(rows: Sequence[Row], unguided: Sequence[Row]) -> dict:
    """What one method reaches, loses and costs; failures and lost objects count 0."""
    done = [row for row in rows if not row["failed"]]
    return counted_figures(rows) | {
        "outside": Estimate.mean(row["outside"] for row in done),
        "AP50": Estimate.mean(row["ap50"] for row in done),
        "centroid distance": Estimate.mean(row["distance"] for row in done),
        "failed": len(rows) - len(done),
        "time over unguided": time_ratio(rows, unguided),
    }


def time_ratio(rows: Sequence[Row], unguided: Sequence[Row]) -> float:
    """The median seconds of a clip over those of an unguided one; NaN where there is none of these."""
    if not unguided:
        return float("nan")
    return float(np.median([row["seconds"] for row in rows]) / np.median([row["seconds"] for row in unguided]))


def line(name: str, figures: Mapping) -> str:
    """A method in one line."""
    texts = [f"{label} {figure_text(part)}" for label, part in figures.items() if isinstance(part, Estimate)]
    ratio = number_text(figures["time over unguided"])
    return " | ".join([name, *texts, f"failed {figures['failed']}", f"{ratio} times the unguided time"])


def markdown(table: Mapping[str, Mapping[str, Mapping]]) -> str:
    """A table for each model; then the published rows, and why they cannot be compared."""
    texts = []
    labels = ("mIoU", "lost", "scene kept", "one instance")
    for model, methods in table.items():
        rows = []
        for name, figures in methods.items():
            cells = [figure_text(figures[label], count=label == "mIoU") for label in labels]
            rows.append([name, *cells, number_text(figures["time over unguided"])])
        texts.append(table_text([model, *labels, "time over unguided"], rows))
    published = [[name, *numbers] for name, numbers in PUBLISHED.items()]
    header = ["published (IMC)", "mIoU, %", "AP50, %", "coverage, %", "centroid distance"]
    return "\n\n".join([*texts, table_text(header, published), NOT_COMPARABLE])
