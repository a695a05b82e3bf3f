"""Running a network only as far, and keeping only as much of it, as a gradient of its attention needs."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar, copy_context
from dataclasses import dataclass, field
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from ..attention.processor import Maps, listening
from ..backbones.backbone import Backbone, Call, Site
from ..backbones.memory import free_share
from ..backbones.patching import SharedPatch

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


SAVING: ContextVar[Probe | None] = ContextVar("SAVING", default=None)  # whose pass saves memory, in this thread


@contextmanager
def checkpointed(backbone: Backbone, probe: Probe) -> Iterator[None]:
    """Inside, a stage that begins while memory is short forgets what it computed and does it again for the gradient.

    That is slower and smaller. The pass ends after the stage that has the last needed site, not inside of it, because
    what is checkpointed must be complete to be run again.
    """
    with STAGES.on(backbone.network, backbone.stages()):
        token = SAVING.set(probe)
        try:
            yield
        finally:
            SAVING.reset(token)


def _put_checkpoints(network: nn.Module, stages: Sequence[Any]) -> list[tuple[Any, Any]]:
    put = []
    for stage in stages:
        put.append((stage, vars(stage).get("forward")))
        stage.forward = _computed_twice(stage.forward)
    return put


def _take_checkpoints(network: nn.Module, put: list[tuple[Any, Any]]) -> None:
    for stage, before in put:
        vars(stage).pop("forward", None)  # what the class defines comes back,
        if before is not None:
            stage.forward = before  # or what somebody else had put there


STAGES = SharedPatch(_put_checkpoints, _take_checkpoints)


def _computed_twice(forward: Callable) -> Callable:
    def run(*inputs: Any, **options: Any) -> Any:
        probe = SAVING.get()
        if probe is None or probe.is_short is None or not probe.is_short():
            return forward(*inputs, **options)
        # On a GPU another thread computes gradients, in which nobody would listen: it needs this thread's facts.
        in_this_context = copy_context().run
        how = {"use_reentrant": False, "preserve_rng_state": False}
        probe.in_stage = True
        try:
            result = checkpoint(in_this_context, forward, *inputs, **how, **options)
        finally:
            probe.in_stage = False
        probe.stop()
        return result

    return run


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
