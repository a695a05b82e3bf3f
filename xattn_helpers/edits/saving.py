"""Gradient passes in little memory: what a stage has computed is forgotten, and computed again for the gradient.

Three things are left as they are, because they would cost time and save little: the stage of the last map that is
needed, whose gradient comes first; stages of small inputs, as those between down and up; and stages that begin
while there is room. Layers that treat each place by itself go through it in parts: a transformer's feed-forward layers
are several times as wide as its tokens.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar, copy_context
from functools import partial
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from ..backbones.backbone import Backbone
from ..backbones.patching import SharedPatch

if TYPE_CHECKING:
    from .gradient import Probe

SMALL = 1 / 8  # of the largest input of a stage so far
PARTS = 4  # of the tokens
# On a GPU another thread computes gradients, in which nobody would listen: it needs this thread's facts.
HOW: dict[str, Any] = {"use_reentrant": False, "preserve_rng_state": False}

SAVING: ContextVar["Probe | None"] = ContextVar("SAVING", default=None)  # whose pass saves memory, in this thread
IN_PARTS: ContextVar[bool] = ContextVar("IN_PARTS", default=False)  # inside of a stage that is computed twice


@contextmanager
def checkpointed(backbone: Backbone, probe: "Probe") -> Iterator[None]:
    """Inside, a stage that begins while memory is short forgets what it computed and does it again for the gradient.

    That is slower and smaller. What is checkpointed must be complete to be run again: the pass may only end between
    such stages, or in one that is left as it is.
    """
    network = backbone.network
    with STAGES.on(network, backbone.stages()), WIDE.on(network, backbone.placewise()):
        token = SAVING.set(probe)
        try:
            yield
        finally:
            SAVING.reset(token)


def _computed_twice(forward: Callable, name: str) -> Callable:
    def in_parts(*inputs: Any, **options: Any) -> Any:
        IN_PARTS.set(True)  # in a copy of this thread's context, which ends with the stage
        return forward(*inputs, **options)

    def run(*inputs: Any, **options: Any) -> Any:
        probe = SAVING.get()
        if probe is None or not is_worth_it(probe, name, [*inputs, *options.values()]):
            return forward(*inputs, **options)
        probe.in_stage = True
        try:
            result = checkpoint(copy_context().run, in_parts, *inputs, **HOW, **options)
        finally:
            probe.in_stage = False
        probe.stop()
        return result

    return run


def is_worth_it(probe: "Probe", name: str, inputs: Sequence[Any]) -> bool:
    """Whether a stage of this name shall be computed twice, for its inputs; notes how large these are."""
    size = next(value.numel() for value in inputs if isinstance(value, Tensor))
    probe.largest = max(probe.largest, size)
    if size <= SMALL * probe.largest or probe.names[-1].startswith(f"{name}."):
        return False
    return probe.is_short is not None and probe.is_short()


def _in_parts(forward: Callable, name: str) -> Callable:
    def run(tokens: Tensor) -> Tensor:
        if not IN_PARTS.get():
            return forward(tokens)
        return torch.cat([checkpoint(forward, part, **HOW) for part in tokens.chunk(PARTS, dim=1)], dim=1)

    return run


def _put_forwards(changed: Callable[[Callable, str], Callable], network: nn.Module, parts: Sequence[Any]) -> list:
    names = {id(module): name for name, module in network.named_modules()}
    put = []
    for part in parts:
        put.append((part, vars(part).get("forward")))
        part.forward = changed(part.forward, names[id(part)])
    return put


def _take_forwards(network: nn.Module, put: list[tuple[Any, Any]]) -> None:
    for part, before in put:
        vars(part).pop("forward", None)  # what the class defines comes back,
        if before is not None:
            part.forward = before  # or what somebody else had put there


STAGES = SharedPatch(partial(_put_forwards, _computed_twice), _take_forwards)
WIDE = SharedPatch(partial(_put_forwards, _in_parts), _take_forwards)
