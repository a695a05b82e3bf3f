"""The table of `guidance`: from one row a case and setting to figures with their intervals.

Beside the measures of Peekaboo it counts lost objects, which those leave out: an object that is not seen in more than
half of the frames is lost.
"""

import math
from collections.abc import Sequence

from ...display.tables import table_text
from ...measures.adherence import HALF
from ...measures.adherence import summary as adherence_figures
from ...measures.statistics import Estimate
from ..rows import Row
from .settings import GROUPS, Setting

MEANS = ("size ratio", "travelled", "growth", "start", "end", "outside", "auroc")
MOST_FRAMES = 0.93  # 15 of 16
STANDS = 0.25  # less of the asked way than this, and the object has stayed where it was
BOUNDS = {  # of the defaults: what the project asks of them
    "mIoU": ("≥", 0.6),
    "AP50": ("≥", 0.7),
    "coverage": ("≥", 0.95),
    "centroid distance": ("≤", 0.07),
    "scene kept": ("≥", 0.9),
    "one instance": ("≥", 0.85),
}
LANDMARKS = {
    "unguided": "not guided",
    "defaults": "this series' defaults",
    "old defaults": "its defaults before",
    "paper": "the paper's setting",
}
PRINTED = ("mIoU, lost 0", "lost", "AP50", "centroid distance", "scene kept", "one instance", "outside")


def figures(rows: Sequence[Row]) -> dict[str, Estimate]:
    """Figures of one setting over its videos, those that failed left out."""
    done = [row for row in rows if not row["failed"]]
    table = adherence_figures(done) | {
        "mIoU, lost 0": Estimate.mean(counted_iou(row) for row in done),
        "lost": Estimate.rate(not row["covered"] for row in done),
        "scene kept": Estimate.rate(row["scene kept"] for row in done),
        "one instance": Estimate.rate(is_single(row, HALF) for row in done),
        "one instance in 15 of 16 frames": Estimate.rate(is_single(row, MOST_FRAMES) for row in done),
        "stays where it was": Estimate.rate(way < STANDS for way in present(done, "travelled")),
    }
    for name in MEANS:
        table[name] = Estimate.mean(row[name] for row in done)
    return table


def counted_iou(row: Row) -> float:
    """The mean IoU of a video, 0 if its object is lost."""
    return row["iou"] if row["covered"] else 0.0


def is_single(row: Row, share: float) -> bool:
    """Whether more than a share of the frames that show the object show it once; no object is not one object."""
    return (row["single"] or 0.0) > share


def present(rows: Sequence[Row], name: str) -> list[float]:
    """The values of a column that are there, and not NaN."""
    values = []
    for row in rows:
        value = row[name]
        if value is not None and not math.isnan(value):
            values.append(value)
    return values


def summary(rows: Sequence[Row]) -> dict:
    """The table {"settings": {name: ...}}, settings in the order of the rows."""
    by_setting = group_rows(rows, "setting")
    table = {}
    for group, settings in GROUPS.items():
        for name, setting in settings.items():
            if name in by_setting:
                table[name] = {"group": group} | setting_part(name, setting, by_setting)
    return {"settings": table}


def setting_part(name: str, setting: Setting, by_setting: dict[str, list[Row]]) -> dict:
    """What the table says of one setting; differences are paired, over the cases that both settings have."""
    rows = by_setting[name]
    failures = [row["failed"] for row in rows if row["failed"]]
    part = {
        "base": setting.base,
        "target": setting.target,
        "guidance": setting.guidance,
        "bias": setting.bias,
        "cases": len(rows),
        "failed": len(failures),
        "failure": failures[0] if failures else "",
        "figures": figures(rows),
    }
    for label, reference in (("mIoU minus defaults", "defaults"), ("mIoU minus base", setting.base)):
        part[label] = Estimate.difference(ious(rows), ious(by_setting.get(reference, [])))
    return part


def group_rows(rows: Sequence[Row], name: str) -> dict:
    """Rows by the value of a column, in their order."""
    groups: dict = {}
    for row in rows:
        groups.setdefault(row[name], []).append(row)
    return groups


def ious(rows: Sequence[Row]) -> dict[tuple, float]:
    """The mean IoU of each case that did not fail, by prompt, track and seed."""
    return {(row["prompt"], row["track"], row["seed"]): row["iou"] for row in rows if not row["failed"]}


def landmarks(table: dict) -> str:
    """Some settings beside what was asked, as Markdown."""
    settings = table["settings"]
    rows = []
    for name, (sign, bound) in BOUNDS.items():
        texts = [settings[setting]["figures"][name].format() for setting in LANDMARKS]
        rows.append([name, f"{sign} {bound:g}", *texts])
    return table_text(["guided along a track", "asked", *LANDMARKS.values()], rows)


def line(name: str, setting: dict) -> str:
    """A setting in one line."""
    texts = [setting["group"], name]
    for label in PRINTED:
        figure = setting["figures"][label]
        texts += [f"{label} {figure.format()}"] if figure.n else []
    if setting["failed"]:
        texts.append(f"{setting['failed']} of {setting['cases']} failed: {setting['failure']}")
    return " | ".join(texts)
