"""Running a network only as far, and keeping only as much of it, as a gradient of its attention needs."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Any, Literal

import torch
from torch import Tensor

from ..attention.processor import Maps, listening
from ..backbones.backbone import Backbone, Call, Site
from ..backbones.memory import free_share
from .saving import checkpointed

Memory = Literal["auto", "save", "spend"]
SHORT = 0.5  # share of a GPU's memory; with less of it free, a stage is computed twice
Shortage = Callable[[], bool]


def always() -> bool:
    """Memory is short, whatever is free."""
    return True


class Reached(Exception):
    """The pass has gone as far as guidance needs it."""


@dataclass
class Probe:
    """A listener that keeps the maps of its sites, with their graph, and ends the pass after the last of them."""

    names: Sequence[str]  # of the sites, in the order in which they run
    is_short: Shortage | None = None  # asked before each stage: whether to forget what it computes
    in_stage: bool = False  # whether such a stage runs, which must be complete
    largest: int = 0  # of the inputs of stages so far, in numbers
    maps: dict[str, Tensor] = field(default_factory=dict)
    tokens: Tensor | None = None  # whose maps are kept, in order; None is all
    edits = False

    def columns(self, site: Site, call: Call, large: bool) -> Tensor | None:
        """The tokens whose maps are needed."""
        return self.tokens

    def __call__(self, maps: Maps, site: Site, call: Call) -> None:
        """Listen: keep, and stop. A site that checkpointing runs again for its gradient is left alone."""
        if site.name in self.maps:
            return
        self.maps[site.name] = maps
        if not self.in_stage:
            self.stop()

    def stop(self) -> None:
        """Raise `Reached` when nothing after this is needed."""
        if self.names[-1] in self.maps:
            raise Reached


@contextmanager
def probed(
    backbone: Backbone, sites: Sequence[Site], predict: Callable[[], Any], is_short: Shortage | None = None,
    tokens: Tensor | None = None,
) -> Iterator[dict[str, Maps]]:  # fmt: skip
    """The maps of sites while `predict` runs, with their graph, by name; the pass ends as soon as all are there.

    Of all tokens, or of some. A large site never holds more than these.

    Take gradients inside the block: where memory `is_short`, the network runs again for them, and must be as it was.
    """
    probe = Probe([site.name for site in sites], is_short, tokens=tokens)
    stages = checkpointed(backbone, probe) if is_short else nullcontext()
    with listening(backbone, probe, sites), stages:
        try:
            predict()
        except Reached:
            pass
        yield probe.maps


def shortage(memory: Memory, graphed: bool, device: torch.device) -> Shortage | None:
    """Whether memory is short, to be asked before each stage; None where nothing is to be saved.

    A graph keeps its memory for a whole run, and nothing can be asked while it is recorded: it always saves, unless
    it is told to spend.
    """
    if memory == "spend" or memory == "auto" and device.type != "cuda":
        return None
    if memory == "save" or graphed:
        return always
    return lambda: free_share(device) < SHORT
