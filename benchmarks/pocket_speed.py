"""How long a pocket video takes on two CPU threads, and how much memory: `python -m benchmarks pocket_speed`."""

import json
import subprocess
import sys

import numpy as np

from . import runner

RUNS = 5
CHILD = """
import json, resource, time, torch
torch.set_num_threads(2)
from xattn_helpers import generate, load
model = load({model!r}, "cpu")
seconds = []
for seed in range({runs} + 1):
    start = time.perf_counter()
    generate(model, "a burger floats on the water", seed=seed, progress=False)
    seconds.append(time.perf_counter() - start)
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20  # KiB to GiB on Linux
print(json.dumps(dict(seconds=seconds[1:], gib=peak, steps=model.defaults.steps)))
"""


def main() -> None:
    """Measure in a process of its own, print and store."""
    table = {}
    for model in ("pocket", "pocket-t2i"):
        child = subprocess.run(
            [sys.executable, "-c", CHILD.format(model=model, runs=RUNS)], check=True, capture_output=True, text=True
        )
        measured = json.loads(child.stdout.splitlines()[-1])
        seconds = measured.pop("seconds")
        spread = {"median": float(np.median(seconds)), "min": min(seconds), "max": max(seconds), "n": RUNS}
        table[model] = measured | spread
        print(model, table[model])
    runner.store("pocket_speed", table, threads=2)
