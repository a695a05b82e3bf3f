"""Steps of the paper's own network, on which its released code is measured beside this package."""

from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from diffusers.models.attention_processor import AttnProcessor
from torch import Tensor

from .full_size_steps import CHECKPOINT, GRADIENT, GUIDED, POSITION, TIMESTEP, TOKENS, UNGUIDED, Action, Steps

CELLS = (2, 4)  # maps of 16 x 16 and 8 x 8 for latents of 32 x 32: those that guidance and the paper use
RELEASED_GRADIENT, RELEASED = "gradient pass, released code", "guided step, released code"
OPTIONS: dict[str, dict[str, Any]] = {  # kind: knobs of Guidance
    GUIDED: {"memory": "spend"},
    CHECKPOINT: {"memory": "save"},
    "guided step, groups=down": {"groups": "down", "memory": "spend"},
}
GRAPHS: dict[str, dict[str, Any]] = {  # likewise, on a GPU only
    "guided step, graphed": {"graphed": True, "memory": "spend"},
    "guided step, graphed and checkpoint": {"graphed": True, "memory": "save"},
}


def kinds(device: str) -> tuple[str, ...]:
    """The kinds of steps that a device can do, in the order of the table."""
    graphs = GRAPHS if device == "cuda" else {}
    return (UNGUIDED, GRADIENT, *OPTIONS, *graphs, RELEASED_GRADIENT, RELEASED)


class ReleasedSteps(Steps):
    """Steps by maps of two sizes, and those of the released code."""

    options = OPTIONS | GRAPHS
    knobs = {"cells": CELLS}

    def released_gradient(self) -> None:
        """The gradient pass to its end, all attention explicit."""
        maps: dict[str, Tensor] = {}
        network, own = self.model.network, dict(self.model.network.attn_processors)
        network.set_attn_processor(explicit_processors(network, maps))
        try:
            with torch.enable_grad():
                moving = self.latents.detach().requires_grad_(True)
                self.model.predict(moving, TIMESTEP, self.text)
                torch.autograd.grad(self._energy(maps), moving)
        finally:
            network.set_attn_processor(own)
            maps.clear()  # their class refers to itself, and would hold the maps until Python looks for cycles

    def _energy(self, maps: dict[str, Tensor]) -> Tensor:
        """Something of the word's maps that has a gradient."""
        rows = self.latents.shape[-1]
        pixels = {(rows // cells) ** 2 for cells in CELLS}
        total = torch.zeros((), device=self.latents.device)
        for probabilities in maps.values():
            if probabilities.shape[-1] == TOKENS and probabilities.shape[1] in pixels:
                total = total + probabilities[..., POSITION].float().square().mean()
        return total

    def released(self) -> None:
        """The reference pass, the gradient pass and two calls with both halves; without gradients nothing is kept."""
        network, own = self.model.network, dict(self.model.network.attn_processors)
        network.set_attn_processor({name: AttnProcessor() for name in own})
        try:
            with torch.no_grad():
                self.model.predict(self.latents, TIMESTEP, self.text)
            self.unguided()
            self.unguided()
        finally:
            network.set_attn_processor(own)
        self.released_gradient()

    def action(self, kind: str) -> AbstractContextManager[Action]:
        """A step of a kind; the gradient pass alone, too."""
        released = {RELEASED_GRADIENT: self.released_gradient, RELEASED: self.released}
        if kind in released:
            return nullcontext(released[kind])
        return self.gradient(memory="spend") if kind == GRADIENT else super().action(kind)


class ExplicitProcessor(AttnProcessor):
    """Attention as the released code has it: an explicit softmax, whose maps are kept."""

    def __init__(self, name: str, maps: dict[str, Tensor]):
        super().__init__()
        self.name, self.maps = name, maps

    def __call__(self, attn: Any, *inputs: Any, **options: Any) -> Tensor:
        """As diffusers', and keep (batch * frames * heads, pixels, tokens) of this layer."""
        scores = attn.get_attention_scores

        def keep(*arguments: Tensor) -> Tensor:
            self.maps[self.name] = scores(*arguments)
            return self.maps[self.name]

        attn.get_attention_scores = keep
        try:
            return super().__call__(attn, *inputs, **options)
        finally:
            del attn.get_attention_scores


def explicit_processors(network: Any, maps: dict[str, Tensor]) -> dict[str, ExplicitProcessor]:
    """One for each attention of a network, temporal ones included."""
    return {name: ExplicitProcessor(name, maps) for name in network.attn_processors}
