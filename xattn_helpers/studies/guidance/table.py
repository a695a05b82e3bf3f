"""The table of `guidance`: from one row a case and setting to figures with their intervals.

Beside the measures of Peekaboo it counts lost objects, which those leave out: an object that is not seen in more than
half of the frames is lost, and so is one of whose case there is no video, because an edit refused it. "mIoU, lost 0"
counts 0 for both; its interval is told over cases, and once more over objects, which resemble each other.
"""

import math
from collections.abc import Sequence

import numpy as np

from ...display.tables import table_text
from ...measures.adherence import HALF
from ...measures.adherence import summary as adherence_figures
from ...measures.comparisons import holm, matrix, sign_flip, split_half
from ...measures.statistics import LEVEL, Estimate
from ..rows import Row
from .crossing import crossing
from .settings import GROUPS, SETTINGS, Setting

COUNTED = "mIoU, lost 0"
MEANS = (
    "size ratio", "travelled", "growth", "start", "end", "from first target", "from last target", "outside", "auroc",
)  # fmt: skip
MOST_FRAMES = 0.93  # 15 of 16
STANDS = 0.25  # less of the asked way than this, and the object has stayed where it was
BOUNDS = {  # of the defaults: what the project asks of them
    COUNTED: ("≥", 0.72),
    "lost": ("≤", 0.02),
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
PRINTED = (COUNTED, "lost", "AP50", "centroid distance", "scene kept", "one instance", "outside")


def figures(rows: Sequence[Row]) -> dict[str, Estimate]:
    """Figures of one setting over its videos; those that failed count as lost, and in no other figure."""
    done, counted = [row for row in rows if not row["failed"]], counted_figures(rows)
    table = adherence_figures(done) | {
        COUNTED: counted["mIoU"],
        f"{COUNTED}, over objects": counted["mIoU over objects"],
        "lost": counted["lost"],
        "scene kept": counted["scene kept"],
        "one instance": counted["one instance"],
        "one instance in 15 of 16 frames": Estimate.rate(is_single(row, MOST_FRAMES) for row in done),
        "stays where it was": Estimate.rate(way < STANDS for way in present(done, "travelled")),
    }
    moving = [row for row in done if present([row], "travelled") and present([row], "from first target")]
    for end, opposite in (("first", "last"), ("last", "first")):
        table[f"stays at the {end} target"] = Estimate.rate(stays_at(row, end, opposite) for row in moving)
    for name in MEANS:
        table[name] = Estimate.mean(row[name] for row in done)
    return table


def counted_figures(rows: Sequence[Row]) -> dict[str, Estimate]:
    """What every table of steered videos says: failures and lost objects count 0, and failures in no other figure."""
    done = [row for row in rows if not row["failed"]]
    return {
        "mIoU": Estimate.mean(counted_iou(row) for row in rows),
        "mIoU over objects": Estimate.grouped(*by_object(rows)),
        "lost": Estimate.rate(is_lost(row) for row in rows),
        "scene kept": Estimate.rate(row["scene kept"] for row in done),
        "one instance": Estimate.rate(is_single(row, HALF) for row in done),
    }


def counted_iou(row: Row) -> float:
    """The mean IoU of a video, 0 if its object is lost, or if there is no video."""
    return 0.0 if is_lost(row) else row["iou"]


def is_lost(row: Row) -> bool:
    """Whether there is no video, or its object is not seen in more than half of the frames."""
    return bool(row["failed"]) or not row["covered"]


def by_object(rows: Sequence[Row]) -> tuple[list[float], list[str]]:
    """The counted IoU of each row, and its object."""
    return [counted_iou(row) for row in rows], [row["word"] for row in rows]


def stays_at(row: Row, end: str, opposite: str) -> bool:
    """Whether an object stays where it was, and that is nearer to one end of the track than to the other."""
    return row["travelled"] < STANDS and row[f"from {end} target"] < row[f"from {opposite} target"]


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
    """The table {"settings": {name: ...}, "winner": ..., "correction": ..., "energy by law": ...}."""
    by_setting = group_rows(rows, "setting")
    table = {}
    for group, settings in GROUPS.items():
        for name, setting in settings.items():
            if name in by_setting:
                table[name] = {"group": group} | setting_part(name, setting, by_setting)
    values = {name: ious(by_setting[name]) for name in table}
    knobs = {name: SETTINGS[name].depends("track") for name in table}
    return {
        "settings": table,
        "winner": winner(values),
        "correction": correction(values),
        "energy by law": crossing(values, knobs),
    }


def winner(values: dict[str, dict]) -> dict:
    """The best setting of all cases, and what the best one of half of them loses on the other half."""
    names, scores = matrix(values)
    if scores.shape[1] < 2:
        return {}
    halves = split_half(scores)
    best = int(scores.mean(1).argmax())
    return {
        "name": names[best], "mIoU": float(scores[best].mean()), "settings": len(names), "cases": scores.shape[1],
        "picked": halves["picked"][best], "loss on the other half": halves["loss"],
        "rank on the other half": halves["rank"],
    }  # fmt: skip


def correction(values: dict[str, dict]) -> dict:
    """How many settings differ from the defaults in mIoU after Holm's correction, and which do not."""
    defaults = values.get("defaults", {})
    p_values = {}
    for name, own in values.items():
        common = [case for case in own if case in defaults]
        if name != "defaults" and common:
            p_values[name] = sign_flip(np.array([own[case] - defaults[case] for case in common]))
    adjusted = holm(p_values)
    alike = [name for name, value in adjusted.items() if value >= 1 - LEVEL]
    return {"compared": len(adjusted), "different": len(adjusted) - len(alike), "not different": alike}


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
    """The mean IoU of each case, 0 for a lost object, by prompt, track and seed."""
    return {(row["prompt"], row["track"], row["seed"]): counted_iou(row) for row in rows}


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
