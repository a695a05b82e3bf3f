"""What recording attention costs: `python -m benchmarks recording_cost`, a pocket video with and without, in turn."""

import time
from contextlib import nullcontext

import numpy as np
import torch

from xattn_helpers import capture, generate

from . import runner, weights

PAIRS = 4
PROMPT = "a burger floats on the water"


def seconds(recorded: bool) -> float:
    """The time of one video."""
    model = weights.model("pocket")
    start = time.perf_counter()
    with capture(model) if recorded else nullcontext():
        generate(model, PROMPT, progress=False)
    return time.perf_counter() - start


def main() -> None:
    """Measure in pairs, so that a machine that slows down slows both; print and store."""
    torch.set_num_threads(2)
    seconds(recorded=True)  # warm-up
    pairs = [(seconds(True), seconds(False)) for _ in range(PAIRS)]
    ratios = [recorded / plain for recorded, plain in pairs]
    table = {"seconds recorded, plain": pairs, "median ratio": float(np.median(ratios)), "ratios": ratios}
    print(table)
    runner.store("recording_cost", table, threads=2)
