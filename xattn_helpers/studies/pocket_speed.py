"""How long a pocket clip takes on two CPU threads, and how much memory: study `pocket_speed`."""

import json
import subprocess
import sys
from collections.abc import Sequence

from ..display.tables import number_text, table_text
from .rows import Case, Row, column, select
from .study import Study
from .timing import spread, spread_text

RUNS = 5
MODELS = {
    "pocket": "a video of 16 frames",
    "pocket-t2i": "an image",
    "pocket-dit": "a video of 16 frames, by the transformer",
}
CHILD = """
import json, pathlib, re, time, torch
torch.set_num_threads(2)
from xattn_helpers import generate, load
model = load({model!r}, "cpu")
seconds = []
for seed in range({runs} + 1):
    start = time.perf_counter()
    generate(model, "a burger floats on the water", seed=seed, steps={steps}, progress=False)
    seconds.append(time.perf_counter() - start)
status = pathlib.Path("/proc/self/status")  # on Linux; getrusage tells the parent's peak if that is larger
peak = int(re.search(r"VmHWM:\\s+(\\d+)", status.read_text())[1]) / 2**20 if status.exists() else None
print(json.dumps(dict(seconds=seconds[1:], peak=peak, steps={steps} or model.defaults.steps)))
"""


class PocketSpeed(Study):
    """How long does a pocket video or image take on two CPU threads, and how much memory?"""

    where, threads, batch = "cpu", 2, RUNS
    parallel = detects = False
    compared = tuple(MODELS)

    def cases(self) -> list[Case]:
        """Runs of each model."""
        cases: list[Case] = []
        for model in self.present:
            cases += [{"model": model, "run": run} for run in range(RUNS)]
        return cases

    def measure(self, cases: Sequence[Case]) -> list[Row]:
        """In a process of its own, whose memory nothing else uses."""
        code = CHILD.format(model=cases[0]["model"], runs=len(cases), steps=self.steps)
        child = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
        measured = json.loads(child.stdout.splitlines()[-1])
        about = {"peak GiB": measured["peak"], "steps": measured["steps"]}
        return [{"seconds": seconds} | about for seconds in measured["seconds"]]

    def summary(self, rows: Sequence[Row]) -> dict:
        """Seconds, memory and steps of each model."""
        table = {}
        for model in MODELS:
            runs = select(rows, "model", model)
            if runs:
                peak = max(column(runs, "peak GiB"), default=None)
                table[model] = {"seconds": spread(column(runs, "seconds")), "peak GiB": peak, "steps": runs[0]["steps"]}
        return table

    def markdown(self, table: dict) -> str:
        """A row for each model."""
        rows = []
        for model in table:
            words = spread_text(table[model]["seconds"])
            rows.append([MODELS[model], table[model]["steps"], words, number_text(table[model]["peak GiB"])])
        header = f"seconds, median (range of {table['pocket']['seconds']['n']})"
        return table_text(["two CPU threads", "steps", header, "peak memory, GiB"], rows)
