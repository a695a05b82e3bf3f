"""The table of `guidance`: from one row a case and setting to figures with their intervals, and back to cases."""

import math

from xattn_helpers import adherence

from . import runner
from .guidance_cases import FACTORS, MAIN

MEANS = ("size ratio", "travelled", "growth", "start", "end", "outside", "auroc")
COLUMNS = ("covered", "iou", "ap50", "distance", *MEANS, "size", "free size", "scene kept", "single")
MOST_FRAMES = 0.93  # 15 of 16
STANDS = 0.25  # less of the asked way than this, and the object has stayed where it was
BOUNDS = {  # of the default setting: what the project asks of it
    "mIoU": ("≥", 0.6), "AP50": ("≥", 0.7), "coverage": ("≥", 0.95), "centroid distance": ("≤", 0.07),
    "scene kept": ("≥", 0.9), "one instance": ("≥", 0.85),
}  # fmt: skip
LANDMARKS = {
    "unguided": "not guided", "best": "this series' defaults", "norm, strength 5": "steps of equal length",
    "paper": "the paper's setting",
}  # fmt: skip
ABOUT = ("setting", "prompt", "word", "track", "seed")


def figures(rows: list[dict]) -> dict:
    """Figures of one setting over its videos."""
    moving = [row["travelled"] for row in rows if row["travelled"] == row["travelled"]]
    found = adherence.summary(rows) | {
        "scene kept": runner.rate([row["scene kept"] for row in rows]),
        "one instance": runner.rate([row["single"] > adherence.HALF for row in rows]),
        "one instance in 15 of 16 frames": runner.rate([row["single"] > MOST_FRAMES for row in rows]),
        "stays where it was": runner.rate([way < STANDS for way in moving]),
    }
    return found | {name: runner.mean([row[name] for row in rows]) for name in MEANS}


def summary(rows: list[dict]) -> dict:
    """The table: for each setting its figures, its difference from the best on the same cases, and its failures."""
    groups = dict.fromkeys(MAIN, "main") | {name: group for group, some in FACTORS.items() for name in some}
    table, best = {}, {_case(row): row["iou"] for row in rows if row["setting"] == "best" and "iou" in row}
    for name in dict.fromkeys(row["setting"] for row in rows):
        there = [row for row in rows if row["setting"] == name]
        done, failed = ([row for row in there if ("failed" in row) == bad] for bad in (False, True))
        pairs = [row["iou"] - best[_case(row)] for row in done if _case(row) in best]
        table[name] = {
            "group": groups.get(name, "tuning"), "knobs": there[0]["knobs"], "cases": len(there), "failed": len(failed),
            "failure": failed[0]["failed"] if failed else "", "figures": _round(figures(done)),
            "mIoU minus best": _round({"": runner.mean(pairs)})[""],
            "ious": [round(row["iou"], 3) if "iou" in row else None for row in there],
        }  # fmt: skip
    return {"settings": table, "cases": compact([row for row in rows if row["setting"] in MAIN])}


def compact(rows: list[dict]) -> list[str]:
    """Cases as lines of comma-separated values, the names of the columns first: small, and easy to read again."""
    lines = [",".join([*ABOUT, *COLUMNS])]
    for row in rows:
        values = [f"{float(row.get(name, math.nan)):.4f}" for name in COLUMNS]
        lines.append(",".join([*(str(row[name]) for name in ABOUT), *values]))
    return lines


def read_cases(lines: list[str]) -> list[dict]:
    """The stored cases as dictionaries, numbers as such; NaN where a case failed or there was nothing to measure."""
    columns, *rows = [line.split(",") for line in lines]
    about = len(ABOUT)
    return [
        dict(zip(columns[:about], row[:about], strict=True)) | {"seed": int(row[about - 1])}
        | {name: float(value) for name, value in zip(columns[about:], row[about:], strict=True)}
        for row in rows
    ]  # fmt: skip


def landmarks() -> str:
    """Some settings of the stored table beside what was asked, as Markdown."""
    settings = runner.load_table("guidance")["settings"]
    rows = [
        [name, f"{sign} {bound:g}", *(runner.show(settings[one]["figures"][name], percent=False) for one in LANDMARKS)]
        for name, (sign, bound) in BOUNDS.items()
    ]
    return runner.markdown(["guided along a track", "asked", *LANDMARKS.values()], rows)


def show(table: dict) -> None:
    """Print the settings, a line each."""
    for name, row in table["settings"].items():
        some = ("mIoU", "AP50", "coverage", "centroid distance", "scene kept", "one instance", "outside")
        texts = [f"{one} {runner.show(row['figures'][one], percent=False)}" for one in some if row["figures"][one]["n"]]
        failed = f"{row['failed']} of {row['cases']} failed: {row['failure']}" if row["failed"] else ""
        print(row["group"], name, *texts, *filter(None, [failed]), sep=" | ")


def _case(row: dict) -> tuple:
    return row["prompt"], row["track"], row["seed"]


def _round(found: dict) -> dict:
    return {name: {part: round(value, 4) for part, value in figure.items()} for name, figure in found.items()}
