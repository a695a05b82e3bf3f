"""What guidance costs: `python -m benchmarks guidance_cost`, a pocket video with and without, on the CPU."""

import torch

from xattn_helpers import Guidance, generate, load, track

from . import pairs, runner

PAIRS, THREADS = 5, 2
PROMPT, WORD, PATH = "a burger floats on the water", "burger", track([(0.25, 0.25), (0.25, 0.77)])


def main() -> None:
    """Measure, print and store."""
    torch.set_num_threads(THREADS)
    model, guidance = load("pocket", "cpu"), Guidance(WORD, PATH)

    def guided() -> None:
        generate(model, PROMPT, guidance=guidance, progress=False)

    table = pairs.ratios(guided, lambda: generate(model, PROMPT, progress=False), PAIRS)
    table |= {"guided steps": len(guidance.log), "steps": model.defaults.steps}
    print(table)
    runner.store("guidance_cost", table, threads=THREADS)
