"""What guidance costs: `python -m benchmarks guidance_cost`, a pocket video with and without, on the CPU."""

import torch

from xattn_helpers import Guidance, generate, load, track

from . import pairs, runner

NAME, PAIRS, THREADS = "guidance_cost", 5, 2
PROMPT, WORD, PATH = "a burger floats on the water", "burger", track([(0.25, 0.25), (0.25, 0.77)])
SETTINGS = {"defaults": {}, "always": {"schedule": "always"}}


def measure(model, knobs: dict, count: int = PAIRS) -> dict:
    """Seconds of some pairs of a guided and an unguided video, their ratios, and how many steps are guided."""
    guidance = Guidance(WORD, PATH, **knobs)

    def guided() -> None:
        generate(model, PROMPT, guidance=guidance, progress=False)

    table = pairs.ratios(guided, lambda: generate(model, PROMPT, progress=False), count)
    return table | {"guided steps": len(guidance.log), "steps": model.defaults.steps}


def stored(setting: str = "defaults") -> str:
    """A sentence on the time that guidance takes, from the stored pairs of runs."""
    found = runner.load_table(NAME)[setting]
    low, middle, high = min(found["ratios"]), found["median ratio"], max(found["ratios"])
    return (
        f"on two CPU threads, a guided video takes {middle:.2f} times as long as an unguided one (median of "
        f"{len(found['ratios'])} pairs, {low:.2f} to {high:.2f}; asked is at most 1.7): {found['guided steps']} of its "
        f"{found['steps']} steps need a gradient."
    )


def main() -> None:
    """Measure, print and store."""
    torch.set_num_threads(THREADS)
    model = load("pocket", "cpu")
    table = {name: measure(model, knobs) for name, knobs in SETTINGS.items()}
    print(table)
    runner.store(NAME, table, threads=THREADS)
