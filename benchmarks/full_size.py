"""What guidance costs on a model of ModelScope's size: `python -m benchmarks full_size`, on a CUDA GPU.

Time and memory depend on the shapes of the network and not on its weights, so these are random. One denoising step
counts, as it stands in the loop: the unguided one is a call with both halves of classifier-free guidance; the guided
one is a gradient pass and then that call. With `cuda_graph`, the gradient pass is replayed; all memory that the graph
reserves counts. "Released" is the way of the paper's released code: an explicit softmax in all attention layers of the
UNet, temporal ones included, a gradient pass that runs to its end, and beside both a conditional pass for reference and
a second call with both halves. `--smoke` shows on a CPU that everything runs, with a tiny network, and stores nothing.
"""

import time
from collections.abc import Callable

import numpy as np
import torch

from . import runner
from .full_size_steps import FULL, SMOKE, UNGUIDED, Scale, Steps, build

WARM_UP = 2


def measure(make: Callable[[], Callable[[], None]], runs: int, device: str) -> dict:
    """Median milliseconds of the step that `make` gives, and on a GPU the peak memory in GiB, weights included."""
    cuda, run = device == "cuda", make()
    try:
        if cuda:
            torch.cuda.empty_cache()
            torch.cuda.reset_peak_memory_stats()
        for _ in range(WARM_UP):  # the first gradient pass learns which layers it needs, the second may be captured
            run()
        if cuda:
            torch.cuda.reset_peak_memory_stats()
        times = [_milliseconds(run, cuda) for _ in range(runs)]
    except torch.OutOfMemoryError:
        return {"failed": "out of memory"}
    except FloatingPointError as error:
        return {"failed": str(error)}
    peak = (torch.cuda.max_memory_allocated() + reserved_by_graphs()) / 2**30 if cuda else None
    return {"ms": float(np.median(times)), "least": min(times), "most": max(times), "n": runs, "peak GiB": peak}


def reserved_by_graphs() -> int:
    """Bytes that nothing else can use while captured CUDA graphs live, whether they run or not."""
    own = (0, 0)  # the pool of everything that is no graph
    return sum(one["total_size"] for one in torch.cuda.memory_snapshot() if tuple(one["segment_pool_id"]) != own)


def _milliseconds(run: Callable[[], None], cuda: bool) -> float:
    if not cuda:
        start = time.perf_counter()
        run()
        return 1000 * (time.perf_counter() - start)
    events = [torch.cuda.Event(enable_timing=True) for _ in range(2)]
    events[0].record()
    run()
    events[1].record()
    torch.cuda.synchronize()
    return events[0].elapsed_time(events[1])


def table(scale: Scale) -> dict:
    """All kinds of steps for all clips, with their time over that of the unguided step of the same clip."""
    network, found = build(scale), {}
    found["parameters"] = sum(one.numel() for one in network.unet.parameters())
    for frames, side in scale.clips:
        steps = Steps(network, scale, frames, side)
        rows = {name: measure(make, scale.runs, scale.device) for name, make in steps.kinds().items()}
        for row in rows.values():
            if "ms" in row and "ms" in rows[UNGUIDED]:
                row["over unguided"] = row["ms"] / rows[UNGUIDED]["ms"]
        found[f"{frames} frames, {side} x {side}"] = rows
    return found


def show(found: dict) -> None:
    """Print the table."""
    print(f"UNet3DConditionModel with {found['parameters'] / 1e9:.2f} billion random weights")
    for clip, rows in found.items():
        for name, row in rows.items() if isinstance(rows, dict) else ():
            print(clip, name, *_figures(row), sep=" | ")


def stored() -> str:
    """The stored table in Markdown: for each clip the time of a step, that over the unguided step, and the peak."""
    found = runner.load_table("full_size")
    clips = [name for name in found if name != "parameters"]
    rows = [[kind, *(", ".join(_figures(found[clip][kind])) for clip in clips)] for kind in found[clips[0]]]
    return runner.markdown(["one step", *clips], rows)


def _figures(row: dict) -> list[str]:
    """Time, time over the unguided step, and on a GPU the peak, or why there are none."""
    if "failed" in row:
        return [row["failed"]]
    peak = [f"{row['peak GiB']:.1f} GiB"] if row.get("peak GiB") else []
    return [f"{row['ms']:.0f} ms", f"{row.get('over unguided', np.nan):.2f} ×", *peak]


def main(smoke: bool = False) -> None:
    """Measure, print and store; without a GPU only the tiny network runs, and nothing is stored."""
    if not smoke and not torch.cuda.is_available():
        print("full_size: this measurement needs a CUDA GPU and is left out; --smoke runs a tiny network on the CPU.")
        return
    scale = SMOKE if smoke else FULL
    found = table(scale)
    show(found)
    if not smoke:
        runner.store("full_size", found, precision=str(scale.dtype), seeds=[0], cuda=torch.version.cuda)
