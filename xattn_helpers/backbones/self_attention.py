"""Keeping pixels from one another: masks of self-attention, for any backbone, in this thread alone.

Pixels of one region attend to each other only. A region is a number for each cell and frame; where a network attends
within frames, or along time at one place, the same holds for what it has in a row.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from einops import rearrange
from jaxtyping import Float, Int
from torch import Tensor, nn

from .backbone import CALL, Backbone, Call, Site
from .patching import UNCOMPILED, SharedPatch

MASKED = -1e4  # added to a score: nothing is left of it in any precision
Regions = Int[Tensor, "clips frames height width"]
RegionsOf = Callable[[dict[str, int], Call], Regions | None]  # of a grid, in a call; None where nothing is masked


@dataclass(frozen=True, eq=False)
class Masking:
    """Who masks the self-attention of a network."""

    network: nn.Module
    regions: RegionsOf


MASKINGS: ContextVar[tuple[Masking, ...]] = ContextVar("MASKINGS", default=())  # a thread has its own


@contextmanager
def apart(backbone: Backbone, regions: RegionsOf) -> Iterator[None]:
    """Inside, pixels of a network attend to pixels of their own region only, in both halves of a call.

    `regions(grid, call)` gives a number for each cell, of grid {"frames", "height", "width"}, for each clip.
    """
    entry = Masking(backbone.network, regions)
    with UNCOMPILED.on(backbone.network), HOOKS.on(backbone.network, backbone):
        MASKINGS.set((*MASKINGS.get(), entry))
        try:
            yield
        finally:
            MASKINGS.set(tuple(masking for masking in MASKINGS.get() if masking is not entry))


def region_mask(
    regions: Regions, pattern: str, halves: int, dtype: torch.dtype
) -> Float[Tensor, "rows positions positions"]:
    """What is added to the scores: 0 between positions of one region, and MASKED between others."""
    rows = rearrange(regions.repeat(halves, 1, 1, 1), f"batch frames height width -> {pattern}")
    strange = rows[:, :, None] != rows[:, None, :]
    return torch.zeros(strange.shape, dtype=dtype, device=regions.device).masked_fill(strange, MASKED)


def _put_hooks(network: nn.Module, backbone: Backbone) -> list[Any]:
    hooks = []
    for site, pattern in backbone.self_attention().items():
        module = network.get_submodule(site.name)
        hook = partial(_add_mask, backbone, site, pattern)
        hooks.append(module.register_forward_pre_hook(hook, with_kwargs=True))
    return hooks


def _take_hooks(network: nn.Module, hooks: list[Any]) -> None:
    for hook in hooks:
        hook.remove()


HOOKS = SharedPatch(_put_hooks, _take_hooks)


def _add_mask(
    backbone: Backbone, site: Site, pattern: str, module: nn.Module, inputs: tuple, options: dict[str, Any]
) -> tuple[tuple, dict] | None:
    """The inputs of an attention module with the masks of this thread; None leaves them as they are."""
    call, masks = CALL.get(), []
    for masking in MASKINGS.get():
        if call is None or masking.network is not backbone.network:
            continue
        regions = masking.regions(backbone.grid(site, call.size), call)
        if regions is not None:
            masks.append(region_mask(regions, pattern, len(call.halves), inputs[0].dtype if inputs else torch.float32))
    if not masks:
        return None
    mask = torch.stack(masks).sum(0)
    if pattern.startswith("batch "):  # the attention of transformers takes an axis of heads
        mask = mask[:, None]
    if len(inputs) > 2:  # hidden states, text, mask
        return (*inputs[:2], mask, *inputs[3:]), options
    return inputs, options | {"attention_mask": mask}
