"""Whether the lessons run on models of real size: study `real_size`, on a CUDA GPU of which 15 GiB are used.

The weights cannot be part of this repository, and time and memory do not depend on them: random checkpoints in the
layouts and sizes of the published ones are written to a scratch folder, and `load` reads them there under the names of
the published ones. Each lesson runs, cell by cell, on an image model and a video model. Lessons make clips of few
denoising steps, which takes less time and as much memory; the clips that are timed have as many as their models make by
default. `--smoke` does the same with small networks on a CPU.
"""

from collections.abc import Sequence

import torch

from ...backbones.catalogue import CHECKPOINTS
from ...backbones.model import load
from ...display.tables import table_text
from ..code import digest
from ..rows import Case, Row, select
from ..running import WORK
from ..study import Study
from . import lessons
from .clips import WAYS, time_clip
from .stage import limited, standing_in

PAIRS = {"modelscope": "stable-diffusion", "zeroscope": "stable-diffusion-2.1"}  # video model: image model beside it
GIB = 15.0  # of a T4
GPUS = {"T4": 15, "L4": 22, "A100": 40}  # GiB that torch can use
LESSON_STEPS = 2  # denoising steps of a lesson's clips, but for the lesson
EVERY_STEP = "01"  # that keeps the maps of each step, of which the memory depends on their number
OVERHEAD = 0.5  # GiB that a GPU needs beside torch's own


class RealSize(Study):
    """Do all cells of all lessons run on models of real size in 15 GiB, and how long does a guided clip take?"""

    where, batch = "cuda", len(WAYS)
    parallel = detects = False

    def __init__(self, smoke: bool = False):
        super().__init__(smoke)
        self.precision = "float32" if smoke else "float16"

    def cases(self) -> list[Case]:
        """Each lesson on each pair of models, and a clip of each model in each way."""
        cases: list[Case] = []
        for video, image in PAIRS.items():
            about = {"setting": f"lessons, {video}", "image": image, "model": video, "seed": 0}
            cases += [about | {"part": lesson} for lesson in lessons.about_pairs()]
        for pair in PAIRS.items():
            for model in pair:
                about = {"setting": "clips", "image": "", "model": model, "seed": 0}
                cases += [about | {"part": way} for way in WAYS]
        return cases

    def smoke_cases(self) -> list[Case]:
        """One lesson on each pair of models, and what a CPU can do of the clips."""
        return [case for case in self.cases() if case["part"][:2] == "02" or case["part"] in ("unguided", "guided")]

    def group(self, case: Case) -> tuple:
        """A lesson, or the clips of a model, which is then loaded once."""
        return case["setting"], case["model"], case["part"] if case["image"] else ""

    def models(self, case: Case) -> tuple[str, ...]:
        """None: the weights are random."""
        return ()

    def depends(self, case: Case) -> object:
        """The cells of a lesson."""
        return digest(lessons.cells(case["part"])) if case["image"] else None

    def measure(self, cases: Sequence[Case]) -> list[Row]:
        """Run a lesson, or make clips, and note what failed."""
        case = cases[0]
        names = [name for name in (case["image"], case["model"]) if name]
        steps = self.steps if case["part"][:2] == EVERY_STEP or not case["image"] else LESSON_STEPS
        folder = WORK / "stand_ins" / ("small" if self.smoke else "large")
        with limited(GIB, self.device), standing_in(names, folder, self.smoke, self.device, steps, self.precision):
            return [self.lesson(case)] if case["image"] else self.clips(cases)

    def lesson(self, case: Case) -> Row:
        """The cells of a lesson, those that failed, the first of these, and what all of them took."""
        outcome = lessons.run(lessons.cells(case["part"], case["image"], case["model"]))
        first = outcome.failures[0] if outcome.failures else None
        return {
            "cells": outcome.cells, "failed cells": len(outcome.failures),
            "failure": f"{first.cell}: {first.error[:200]}" if first else "",
            "seconds": outcome.seconds, "peak GiB": outcome.peak,
            "steps": CHECKPOINTS[case["model"]].steps,
        }  # fmt: skip

    def clips(self, cases: Sequence[Case]) -> list[Row]:
        """One clip in each way, or why there is none."""
        model, rows = load(cases[0]["model"], self.device), []
        own = model.defaults
        about = {"steps": self.steps or own.steps, "clip": f"{own.frames} x {own.height} x {own.width}"}
        for case in cases:
            try:
                rows.append(about | {"failure": ""} | time_clip(model, case["part"], self.steps))
            except torch.OutOfMemoryError:
                rows.append(about | {"failure": "out of memory"})
        return rows

    def summary(self, rows: Sequence[Row]) -> dict:
        """The lessons on each pair of models, and the clips of each model."""
        table: dict = {"lessons": {}, "clips": {}}
        for row in rows:
            if row["setting"] == "clips":
                names = ("clip", "steps", "failure", "first seconds", "seconds", "peak GiB")
                ways = table["clips"].setdefault(row["model"], {})
                ways[row["part"]] = {name: row.get(name) for name in names}
        for video, image in PAIRS.items():
            ran = select(rows, "setting", f"lessons, {video}")
            if ran:
                table["lessons"][f"{image} and {video}"] = lesson_figures(ran)
        return table

    def markdown(self, table: dict) -> str:
        """What fits on which GPU, with seconds and peak, and a sentence about the lessons."""
        header = ["model", "clip, steps", *WAYS, *(f"{gpu}, {gib} GiB" for gpu, gib in GPUS.items())]
        rows = []
        for model, ways in table["clips"].items():
            plain = ways["unguided"]
            fits = [what_fits(ways, gib) for gib in GPUS.values()]
            texts = [clip_text(ways.get(way)) for way in WAYS]
            rows.append([model, f"{plain['clip']}, {plain['steps']}", *texts, *fits])
        sentences = [lesson_sentence(pair, figures) for pair, figures in table["lessons"].items()]
        return "\n\n".join([table_text(header, rows), " ".join(sentences)])


def lesson_figures(ran: Sequence[Row]) -> dict:
    """Cells, failures, seconds and peak of each lesson on one pair of models."""
    names = ("cells", "failed cells", "failure", "seconds", "peak GiB")
    return {row["part"]: {name: row.get(name) for name in names} for row in ran}


def lesson_sentence(pair: str, figures: dict) -> str:
    """How many cells of all lessons ran on a pair of models, and the highest peak."""
    cells = sum(lesson["cells"] for lesson in figures.values())
    failed = sum(lesson["failed cells"] for lesson in figures.values())
    peaks = [lesson["peak GiB"] for lesson in figures.values() if lesson["peak GiB"] is not None]
    peak = f", with at most {max(peaks):.1f} GiB" if peaks else ""
    return f"On {pair}, {cells - failed} of the {cells} cells of {len(figures)} lessons run{peak}."


def clip_text(figures: dict | None) -> str:
    """Seconds and peak of a clip, or why there is none."""
    if figures is None:
        return "–"
    if figures["failure"]:
        return figures["failure"]
    first = f" (the first {figures['first seconds']:.1f} s)" if figures.get("first seconds") is not None else ""
    peak = f", {figures['peak GiB']:.1f} GiB" if figures["peak GiB"] is not None else ""
    return f"{figures['seconds']:.1f} s{first}{peak}"


def what_fits(ways: dict, gib: float) -> str:
    """The ways in which a clip can be made in so many GiB."""
    fitting = []
    for way, figures in ways.items():
        if not figures["failure"] and (figures["peak GiB"] or 0.0) + OVERHEAD <= gib:
            fitting.append(way)
    return "all" if len(fitting) == len(ways) else "; ".join(fitting) or "nothing"
