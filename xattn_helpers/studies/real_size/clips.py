"""Seconds and memory of one clip of a model of real size, unguided and guided in three ways."""

import gc
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Literal

import torch

from ... import Guidance, Model, generate, track
from ...edits.edit import Edit, Latents, Run, State
from ...edits.graphs import forget
from ..full_size import reserved_by_graphs
from ..rows import Row
from ..timing import seconds

PROMPT, WORD, PATH = "a burger floats on the water", "burger", track([(0.25, 0.25), (0.25, 0.8)])
LIMIT = float("inf")  # the weights are random: how far a latent is moved says nothing
WAYS: dict[str, dict[str, Any] | None] = {
    "unguided": None,
    "guided": {},
    "guided, graphed": {"graphed": True, "memory": "spend"},
    "guided, graphed, saving": {"graphed": True, "memory": "save"},
}
WARM_UP = 4  # denoising steps; two of them are guided, so that a graph is recorded and replayed


def time_clip(model: Model, way: str, steps: int | None) -> Row:
    """Seconds of a clip, of the first one too where it records a graph for the others; and on a GPU the peak in GiB."""
    knobs = WAYS[way]
    edits = [] if knobs is None else [Guidance(WORD, PATH, limit=LIMIT, **knobs)]
    peak = peak_of(model, edits, min(steps or WARM_UP, WARM_UP))
    forget()

    def make() -> None:
        generate(model, PROMPT, steps=steps, edits=edits, progress=False)  # it ends with pixels on the CPU

    first = {"first seconds": seconds(make)} if knobs and knobs.get("graphed") else {}
    return first | {"seconds": seconds(make), "peak GiB": peak}


def peak_of(model: Model, edits: Sequence[Edit], steps: int) -> float | None:
    """The most GiB that are in use at one time while a clip is made, with all that graphs reserve; None on a CPU."""
    forget()
    if model.device.type != "cuda":
        generate(model, PROMPT, steps=steps, edits=edits, progress=False)
        return None
    gc.collect()
    torch.cuda.empty_cache()
    watch = Watch()
    generate(model, PROMPT, steps=steps, edits=[*edits, watch], progress=False)
    watch.look()
    return watch.peak / 2**30


class Watch(State):
    """An edit that changes nothing, and looks before each step how much memory was in use since it looked last."""

    source: Literal[""] = ""

    def __init__(self):
        self.graphs = self.peak = 0  # bytes: what graphs reserved at the last look; and the most in use
        torch.cuda.reset_peak_memory_stats()

    @contextmanager
    def attach(self, run: Run) -> Iterator["Watch"]:
        """Watch one run."""
        yield self

    def update(self, latents: Latents, level: Any, index: int) -> Latents:
        """The latents as they are."""
        self.look()
        return latents

    def look(self) -> None:
        """Note the most memory in use since the last look.

        What a graph reserves lies beside everything else, and counts as a whole. While it is recorded, what it
        allocates is a part of that.
        """
        graphs, allocated = reserved_by_graphs(), torch.cuda.max_memory_allocated()
        if graphs > self.graphs:
            used = max(allocated, torch.cuda.memory_allocated() + graphs)
        else:
            used = allocated + self.graphs
        self.graphs, self.peak = graphs, max(self.peak, used)
        torch.cuda.reset_peak_memory_stats()
