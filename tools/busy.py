"""How much longer pocket images take while other processes are busy: python -m tools.busy [--runs 3] [--others 2 8]

Runs with and without the others alternate, in one process and after a warm-up; the printed ratios are of medians.
Meant for a machine on which nothing else runs.
"""

import argparse
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from xattn_helpers import generate, load, threads

PROMPTS = ("a burger on the beach", "a car on the road", "a dog on the grass", "a shark in the water")
BOUNDS = {2: 2.5, 8: 15.0}  # largest ratio to the idle run, for so many other processes on two processors
SPIN = [sys.executable, "-S", "-c", "while True: pass"]


@contextmanager
def busy(count: int) -> Iterator[None]:
    """So many other processes that do nothing but take processors."""
    spinning = [subprocess.Popen(SPIN) for _ in range(count)]
    try:
        yield
    finally:
        for process in spinning:
            process.kill()
            process.wait()


def seconds(model, count: int) -> float:
    """The time of one image for each of PROMPTS, beside so many busy processes."""
    with busy(count):
        time.sleep(0.2 * bool(count))  # until they run
        begin = time.perf_counter()
        for prompt in PROMPTS:
            generate(model, prompt, seed=0, progress=False)
        return time.perf_counter() - begin


def measure(counts: list[int], runs: int) -> dict[int, list[float]]:
    """The times of each number of other processes, 0 among them, in turn."""
    model = load("pocket-t2i")
    seconds(model, 0)
    times: dict[int, list[float]] = {0: []} | {count: [] for count in counts}
    for _ in range(runs):
        for count in counts:
            times[0].append(seconds(model, 0))
            times[count].append(seconds(model, count))
    return times


def report(times: dict[int, list[float]]) -> list[str]:
    """A line for each number of other processes: median, range, ratio to the idle run, and its bound."""
    idle = statistics.median(times[0])
    lines = []
    for count, values in times.items():
        ratio = statistics.median(values) / idle
        bound = f", at most {BOUNDS[count]} wanted" if count in BOUNDS else ""
        spread = f"{min(values):.1f} to {max(values):.1f} s in {len(values)} runs"
        lines.append(f"{count} others: {statistics.median(values):.2f} s ({spread}), {ratio:.2f} x idle{bound}")
    return lines


def main() -> None:
    """The command line of this module."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=3, help="of each number of other processes")
    parser.add_argument("--others", type=int, nargs="+", default=list(BOUNDS), metavar="COUNT")
    options = parser.parse_args()
    policy = os.environ.get("OMP_WAIT_POLICY", "the default")
    print(f"{threads.processors()} processors, {threads.limit_threads()} threads that wait: {policy}", flush=True)
    print(*report(measure(options.others, options.runs)), sep="\n")


if __name__ == "__main__":
    main()
