"""What recording attention costs: `python -m benchmarks recording_cost`, a pocket video with and without."""

import torch

from xattn_helpers import capture, generate, load

from . import pairs, runner

PAIRS, THREADS = 4, 2
PROMPT = "a burger floats on the water"


def main() -> None:
    """Measure on the CPU, print and store."""
    torch.set_num_threads(THREADS)
    model = load("pocket", "cpu")

    def recorded() -> None:
        with capture(model):
            generate(model, PROMPT, progress=False)

    table = pairs.ratios(recorded, lambda: generate(model, PROMPT, progress=False), PAIRS)
    print(table)
    runner.store("recording_cost", table, threads=THREADS)
