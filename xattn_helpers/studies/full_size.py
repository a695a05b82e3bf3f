"""What guidance costs on a model of ModelScope's size: study `full_size`, on a CUDA GPU.

Time and memory depend on the shapes of the network and not on its weights, so these are random. One denoising step
counts, as it stands in the loop: the unguided one is a call with both halves of classifier-free guidance; the guided
one is a gradient pass and then that call. With `graphed`, the gradient pass is replayed; all memory that the graph
reserves counts. "Released" is the way of the paper's released code: an explicit softmax in all attention layers of the
network, temporal ones included, a gradient pass that runs to its end, and beside both a conditional pass for reference
and a second call with both halves. `--smoke` shows on a CPU that everything runs, with a tiny network.
"""

import gc
from collections.abc import Sequence
from functools import cached_property

import numpy as np
import torch

from xattn_helpers import Model

from ..display.tables import table_text
from ..edits.graphs import forget
from .full_size_steps import UNGUIDED, Action, Steps, build, kinds
from .rows import Case, Row, column
from .study import Study
from .timing import seconds

SIZES = ((16, 256), (24, 320))  # frames, pixels of a side
SMOKE_SIZES = ((2, 64),)
RUNS, SMOKE_RUNS = 7, 1  # of which the median counts
WARM_UP = 2  # the first gradient pass learns which layers it needs, the second may be recorded


class FullSize(Study):
    """How much time and memory does guidance take on a network of 1.4 billion weights?"""

    where, batch = "cuda", RUNS
    parallel = detects = False

    def __init__(self, smoke: bool = False):
        super().__init__(smoke)
        self.precision = "float32" if smoke else "float16"

    def cases(self) -> list[Case]:
        """Runs of every kind of step of every clip."""
        return runs_of(SIZES, kinds("cuda"), RUNS)

    def smoke_cases(self) -> list[Case]:
        """Likewise, of one small clip, and without what needs a GPU."""
        return runs_of(SMOKE_SIZES, kinds("cpu"), SMOKE_RUNS)

    def group(self, case: Case) -> tuple:
        """Runs of the same step."""
        return case["frames"], case["side"], case["kind"]

    def models(self, case: Case) -> tuple[str, ...]:
        """None: the weights are random."""
        return ()

    @cached_property
    def network(self) -> Model:
        """The random network."""
        return build(self.device, self.precision, small=self.smoke)

    def measure(self, cases: Sequence[Case]) -> list[Row]:
        """Milliseconds of each run, and the peak memory of all of them, weights included."""
        steps = Steps(self.network, cases[0]["frames"], cases[0]["side"])
        weights = sum(weight.numel() for weight in self.network.network.parameters())
        row: Row = {"failed": "", "parameters": weights}
        try:
            with steps.action(cases[0]["kind"]) as action:
                milliseconds, peak = time_step(action, len(cases), self.device)
        except torch.OutOfMemoryError:
            return [row | {"failed": "out of memory"}] * len(cases)
        except FloatingPointError as error:
            return [row | {"failed": str(error)}] * len(cases)
        return [row | {"ms": value, "peak GiB": peak} for value in milliseconds]

    def summary(self, rows: Sequence[Row]) -> dict:
        """Each kind of step of each clip, with its time over that of the unguided step of the same clip."""
        table: dict = {"parameters": rows[0]["parameters"], "clips": {}}
        for row in rows:
            clip = f"{row['frames']} frames, {row['side']} x {row['side']}"
            table["clips"].setdefault(clip, {}).setdefault(row["kind"], []).append(row)
        for steps in table["clips"].values():
            for kind, runs in steps.items():
                steps[kind] = step_figures(runs)
            unguided = steps.get(UNGUIDED, {}).get("ms")
            for figures in steps.values():
                if unguided and "ms" in figures:
                    figures["over unguided"] = figures["ms"] / unguided
        return table

    def markdown(self, table: dict) -> str:
        """For each clip the time of a step, that over the unguided step, and the peak."""
        clips = list(table["clips"])
        rows = []
        for kind in table["clips"][clips[0]]:
            rows.append([kind, *(step_text(table["clips"][clip][kind]) for clip in clips)])
        return table_text(["one step", *clips], rows)


def runs_of(clips: Sequence[tuple[int, int]], steps: Sequence[str], runs: int) -> list[Case]:
    """A case for each run of each kind of step of each clip."""
    cases: list[Case] = []
    for frames, side in clips:
        for kind in steps:
            cases += [{"frames": frames, "side": side, "kind": kind, "run": run, "seed": 0} for run in range(runs)]
    return cases


def time_step(action: Action, runs: int, device: str) -> tuple[list[float], float | None]:
    """Milliseconds of each run after a warm-up, and on a GPU the peak of allocated and reserved memory in GiB."""
    if device != "cuda":
        for _ in range(WARM_UP):
            action()
        return [1000 * seconds(action) for _ in range(runs)], None
    forget()  # the graph of another kind of step
    gc.collect()
    torch.cuda.empty_cache()
    for _ in range(WARM_UP):
        action()
    torch.cuda.reset_peak_memory_stats()
    milliseconds = [milliseconds_on_gpu(action) for _ in range(runs)]
    return milliseconds, (torch.cuda.max_memory_allocated() + reserved_by_graphs()) / 2**30


def milliseconds_on_gpu(action: Action) -> float:
    """The time between two events around an action."""
    start, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
    start.record()
    action()
    end.record()
    torch.cuda.synchronize()
    return start.elapsed_time(end)


def reserved_by_graphs() -> int:
    """Bytes that nothing else can use while recorded CUDA graphs live, whether they run or not."""
    common = (0, 0)  # the pool of everything that is no graph
    pools = torch.cuda.memory_snapshot()
    return sum(pool["total_size"] for pool in pools if tuple(pool["segment_pool_id"]) != common)


def step_figures(runs: Sequence[Row]) -> dict:
    """The median time of some runs, the shortest and the longest, and the peak; or why there are none."""
    for row in runs:
        if row["failed"]:
            return {"failed": row["failed"]}
    times = column(runs, "ms")
    figures = {"ms": float(np.median(times)), "shortest": min(times), "longest": max(times), "n": len(times)}
    return figures | {"peak GiB": runs[0]["peak GiB"]}


def step_text(figures: dict) -> str:
    """Time, time over the unguided step, and on a GPU the peak; or why there are none."""
    if "failed" in figures:
        return figures["failed"]
    peak = f", {figures['peak GiB']:.1f} GiB" if figures["peak GiB"] else ""
    return f"{figures['ms']:.0f} ms, {figures.get('over unguided', np.nan):.2f} ×{peak}"
