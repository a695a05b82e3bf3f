"""Seconds and memory of one clip of a model of real size, unguided and guided in two ways."""

import gc
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

import torch

from ... import Guidance, Model, generate, track
from ...edits.edit import Latents, Run, State
from ..full_size import reserved_by_graphs
from ..rows import Row

PROMPT, WORD, PATH = "a burger floats on the water", "burger", track([(0.25, 0.25), (0.25, 0.8)])
LIMIT = float("inf")  # the weights are random: how far a latent is moved says nothing
WAYS: dict[str, dict[str, Any] | None] = {
    "unguided": None,
    "guided": {},
    "guided, graphed": {"graphed": True},
}
WARM_UP = 4  # denoising steps; two of them are guided, so that a graph is recorded and replayed


def time_clip(model: Model, way: str, steps: int | None) -> Row:
    """Seconds of a clip, and on a GPU the peak in GiB: what was allocated, with all that graphs reserved meanwhile."""
    knobs, watch = WAYS[way], Watch()
    edits = [] if knobs is None else [Guidance(WORD, PATH, limit=LIMIT, **knobs)]
    on_gpu = model.device.type == "cuda"
    if on_gpu:
        gc.collect()
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
    generate(model, PROMPT, steps=min(steps or WARM_UP, WARM_UP), edits=[*edits, watch], progress=False)
    peak = (torch.cuda.max_memory_allocated() + watch.graphs) / 2**30 if on_gpu else None
    start = time.perf_counter()
    generate(model, PROMPT, steps=steps, edits=edits, progress=False)  # it ends with pixels on the CPU
    return {"seconds": time.perf_counter() - start, "peak GiB": peak}


@dataclass(eq=False)
class Watch(State):
    """An edit that changes nothing, and notes how much memory graphs reserve during a run."""

    graphs: int = 0  # bytes, the largest seen before a step
    source: Literal[""] = ""

    @contextmanager
    def attach(self, run: Run) -> Iterator["Watch"]:
        """Watch one run."""
        yield self

    def update(self, latents: Latents, level: Any, index: int) -> Latents:
        """The latents as they are."""
        if latents.is_cuda:
            self.graphs = max(self.graphs, reserved_by_graphs())
        return latents
