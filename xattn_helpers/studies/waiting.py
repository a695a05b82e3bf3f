"""How shall threads wait that have nothing to do? Study `waiting`, with one process alone and with three at once.

A thread that sleeps while another computes is late for its next piece of work; one that spins takes the processor from
those that have work. Processes are new ones, since OpenMP reads how its threads wait when torch is loaded.
"""

import json
import os
import subprocess
import sys
from collections.abc import Sequence

from ..display.tables import table_text
from ..threads import NUMBER, WAITING
from .rows import Case, Row, column, select
from .study import Study
from .timing import spread, spread_text

PROCESSES = (1, 3)
RUNS = 3
STEPS = 5
WAYS = {
    "sleep at once": WAITING | {"GOMP_SPINCOUNT": "0"},
    "spin for a moment, then sleep": WAITING,
    "spin, as OpenMP does": {},
}
CHILD = """
import json, time, torch
torch.set_num_threads(2)
from xattn_helpers import generate, load
model = load("pocket-dit", "cpu")
seconds = []
for seed in range({runs} + 1):
    start = time.perf_counter()
    generate(model, "a burger floats on the water", seed=seed, steps={steps}, progress=False)
    seconds.append(time.perf_counter() - start)
print(json.dumps(seconds[1:]))
"""


class Waiting(Study):
    """How shall threads wait that have nothing to do, alone and on a crowded machine?"""

    where, threads, batch = "cpu", 2, RUNS
    parallel = detects = False
    compared = ("pocket-dit",)

    def cases(self) -> list[Case]:
        """Runs of each way with each number of processes."""
        cases: list[Case] = []
        for count in PROCESSES:
            for way in WAYS:
                cases += [{"processes": count, "way": way, "run": run} for run in range(RUNS)]
        return cases

    def group(self, case: Case) -> tuple:
        """All runs of one way and number of processes."""
        return case["processes"], case["way"]

    def models(self, case: Case) -> tuple[str, ...]:
        """The transformer, of whose operations there are many short ones."""
        return self.compared

    def depends(self, case: Case) -> object:
        """What OpenMP is told."""
        return WAYS[str(case["way"])]

    def measure(self, cases: Sequence[Case]) -> list[Row]:
        """Seconds of a few steps, in the slowest of the processes."""
        told = WAYS[str(cases[0]["way"])]
        environment = {name: value for name, value in os.environ.items() if name not in (*WAITING, *NUMBER)} | told
        code = CHILD.format(runs=len(cases), steps=self.steps or STEPS)
        children = []
        for _ in range(int(cases[0]["processes"] or 1)):
            command = [sys.executable, "-c", code]
            children.append(subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True))
        seconds = []
        for child in children:
            output, _ = child.communicate()
            if child.returncode:
                raise subprocess.CalledProcessError(child.returncode, child.args, output)
            seconds.append(json.loads(output.splitlines()[-1]))
        return [{"seconds": max(of_run)} for of_run in zip(*seconds, strict=True)]

    def summary(self, rows: Sequence[Row]) -> dict:
        """Seconds of each way, by the number of processes."""
        table: dict[str, dict] = {}
        for count in PROCESSES:
            members = select(rows, "processes", count)
            table[str(count)] = {}
            for way in WAYS:
                seconds = column(select(members, "way", way), "seconds")
                if seconds:
                    table[str(count)][way] = spread(seconds)
        return table

    def markdown(self, table: dict) -> str:
        """A row for each way."""
        rows = []
        for way in WAYS:
            cells = [way]
            for by_way in table.values():
                seconds = by_way.get(way)
                cells.append(spread_text(seconds) if seconds else "")
            rows.append(cells)
        header = [f"seconds, processes at once: {count}" for count in table]
        return table_text(["threads that wait", *header], rows)
