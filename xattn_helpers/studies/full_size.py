"""What guidance costs at the sizes of published networks: study `full_size`, on a CUDA GPU.

Time and memory depend on the shapes of the network and not on its weights, so these are random. One denoising step
counts, as it stands in the loop: the unguided one has both halves of classifier-free guidance; the guided one is a
gradient pass and then that. With `graphed`, the gradient pass is replayed; all memory that the graph reserves counts.

For the paper's network, "released" is the way of its released code: an explicit softmax in all attention layers,
temporal ones included, a gradient pass that runs to its end, and beside both a conditional pass for reference and a
second call with both halves. For video transformers, "explicit softmax everywhere" is a gradient pass to its end that
keeps the probabilities of all text attention. A step of theirs takes so long that launching it costs nothing beside
it, so none is graphed. `--smoke` shows on a CPU that everything runs, with tiny networks.
"""

import gc
from collections.abc import Sequence

import numpy as np
import torch

from xattn_helpers import Model

from ..backbones import published
from ..backbones.catalogue import CHECKPOINTS
from ..display.tables import table_text
from ..edits.graphs import forget
from .full_size_released import ReleasedSteps, kinds
from .full_size_steps import UNGUIDED, Action, Steps, build
from .provenance import Source, source_now
from .rows import Case, Row, column
from .study import Study
from .timing import seconds

RELEASED_MODEL = "modelscope"
VIDEOS = (  # model; frames, height and width in pixels
    (RELEASED_MODEL, 16, 256, 256), (RELEASED_MODEL, 24, 320, 320),
    ("wan", 49, 480, 832), ("wan", 81, 480, 832), ("ltx", 161, 512, 704),
)  # fmt: skip
SMOKE_VIDEOS = ((RELEASED_MODEL, 2, 64, 64), ("wan", 5, 64, 96), ("ltx", 9, 128, 192))
RUNS = {RELEASED_MODEL: 7, "wan": 3, "ltx": 3}  # of which the median counts; the longer a step, the less it varies
WARM_UP = 2  # the first gradient pass learns which layers it needs, the second may be recorded


class FullSize(Study):
    """How much time and memory does guidance take on networks of one to two billion weights?"""

    where, batch = "cuda", max(RUNS.values())
    parallel = detects = False

    def __init__(self, smoke: bool = False):
        super().__init__(smoke)
        self._built: tuple[str, Model] | None = None

    def cases(self) -> list[Case]:
        """Runs of every kind of step of every clip."""
        return runs_of(VIDEOS, "cuda", RUNS)

    def smoke_cases(self) -> list[Case]:
        """Likewise, once, of small clips, and without what needs a GPU."""
        return runs_of(SMOKE_VIDEOS, "cpu", dict.fromkeys(RUNS, 1))

    def group(self, case: Case) -> tuple:
        """Runs of the same step."""
        return case["model"], case["frames"], case["height"], case["width"], case["kind"]

    def models(self, case: Case) -> tuple[str, ...]:
        """None: the weights are random."""
        return ()

    def precision_of(self, case: Case) -> str:
        """The precision in which a network is published; single in a smoke run."""
        return "float32" if self.smoke else CHECKPOINTS[case["model"]].precision

    def depends(self, case: Case) -> object:
        """The precision."""
        return self.precision_of(case)

    def source(self, case: Case) -> Source:
        """Where a row comes from, with the precision of its network."""
        return source_now(self.device, self.precision_of(case), {}, self.threads)

    def network(self, case: Case) -> Model:
        """The random network of a case; the one before is forgotten, whose weights would count."""
        name = case["model"]
        if self._built is None or self._built[0] != name:
            self._built = None
            self._built = name, build(name, self.device, self.precision_of(case), small=self.smoke)
        return self._built[1]

    def measure(self, cases: Sequence[Case]) -> list[Row]:
        """Milliseconds of each run, and the peak memory of all of them, weights included."""
        case = cases[0]
        model = self.network(case)
        steps = steps_of(model, case)
        row: Row = {"failed": "", "parameters": sum(weight.numel() for weight in model.network.parameters())}
        try:
            with steps.action(case["kind"]) as action:
                milliseconds, peak = time_step(action, len(cases), self.device)
        except torch.OutOfMemoryError:
            return [row | {"failed": "out of memory"}] * len(cases)
        except FloatingPointError as error:
            return [row | {"failed": str(error)}] * len(cases)
        return [row | {"ms": value, "peak GiB": peak} for value in milliseconds]

    def summary(self, rows: Sequence[Row]) -> dict:
        """Each kind of step of each clip, with its time over that of the unguided step of the same clip."""
        table: dict = {"parameters": {}, "clips": {}}
        for row in rows:
            table["parameters"][row["model"]] = row["parameters"]
            table["clips"].setdefault(clip_name(row), {}).setdefault(row["kind"], []).append(row)
        for steps in table["clips"].values():
            for kind, runs in steps.items():
                steps[kind] = step_figures(runs)
            unguided = steps.get(UNGUIDED, {}).get("ms")
            for figures in steps.values():
                if unguided and "ms" in figures:
                    figures["over unguided"] = figures["ms"] / unguided
        return table

    def markdown(self, table: dict) -> str:
        """For each clip the time of a step, that over the unguided step, and the peak; a table for equal kinds."""
        alike: dict[tuple[str, ...], list[str]] = {}
        for clip, steps in table["clips"].items():
            alike.setdefault(tuple(steps), []).append(clip)
        tables = []
        for steps, clips in alike.items():
            rows = []
            for kind in steps:
                rows.append([kind, *(step_text(table["clips"][clip][kind]) for clip in clips)])
            tables.append(table_text(["one step", *clips], rows))
        return "\n\n".join(tables)


def runs_of(clips: Sequence[tuple[str, int, int, int]], device: str, runs: dict[str, int]) -> list[Case]:
    """A case for each run of each kind of step of each clip."""
    cases: list[Case] = []
    for model, frames, height, width in clips:
        clip = {"model": model, "frames": frames, "height": height, "width": width}
        for kind in kinds(device) if model == RELEASED_MODEL else Steps.kinds:
            cases += [clip | {"kind": kind, "run": run, "seed": 0} for run in range(runs[model])]
    return cases


def steps_of(model: Model, case: Case) -> Steps:
    """The steps of a clip."""
    size = published.latent_size(case["model"], case["frames"], case["height"], case["width"])
    return ReleasedSteps(model, size) if case["model"] == RELEASED_MODEL else Steps(model, size)


def clip_name(row: Row) -> str:
    """A clip as the table names it."""
    return f"{published.TITLES[row['model']]}, {row['frames']} frames, {row['height']} x {row['width']}"


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
