"""The one seam: what a network must tell so that its text attention can be seen, swapped and steered.

A *backbone* wraps a network of one family. All that differs between families is data or a short method here: the sites
of text cross-attention, how they lay out pixels, how queries and keys are made, what a call of the network takes.
"""

from collections.abc import Callable, Iterable, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Protocol

from jaxtyping import Float
from torch import Tensor, nn

from .patching import UNCOMPILED
from .text import Condition, Padding

Latents = Float[Tensor, "batch channels frames height width"]
Pixels = Float[Tensor, "rows pixels channels"]
Tokens = Float[Tensor, "rows tokens width"]
Heads = Float[Tensor, "rows heads positions width"]

Words = str | Sequence[str]  # a name, or several
Numbers = int | Sequence[int]
Half = Literal["unconditional", "conditional"]
HALVES: tuple[Half, Half] = ("unconditional", "conditional")  # in the order in which a batch holds them


@dataclass(frozen=True)
class Site:
    """One text cross-attention of a network: the path of its module, and one of its backbone's groups."""

    name: str
    group: str

    def __str__(self) -> str:
        return self.name.removesuffix(".attn2").removesuffix(".transformer_blocks.0")


@dataclass(frozen=True, eq=False)
class Call:
    """The facts of one call of a network, frozen while it runs. A pass that is computed again has the same object."""

    timestep: float = float("nan")
    halves: tuple[Half, ...] = ("conditional",)  # of classifier-free guidance, in the order of the batch
    clips: int = 1  # in each half
    size: tuple[int, int, int] = (1, 1, 1)  # frames, height and width of the latents
    index: int | None = None  # of the denoising step, from 0; None in a call by hand
    prompts: tuple[str, ...] = ()  # of the conditional half, one for each clip; none in a call by hand
    run: object = None  # the run that this call is a part of; None in a call by hand
    gradient: bool = False  # whether guidance looks ahead: the maps of such a pass are not those of the clip

    def part(self, half: Half) -> slice | None:
        """Where a half is in the batch, or None for a half that this call does not have."""
        if half not in self.halves:
            return None
        start = self.halves.index(half) * self.clips
        return slice(start, start + self.clips)


CALL: ContextVar[Call | None] = ContextVar("CALL", default=None)  # a thread has its own
LISTENERS: ContextVar[tuple[Any, ...]] = ContextVar("LISTENERS", default=())  # see attention/processor.py; likewise


class Backbone(Protocol):
    """What all other rooms know of a network. Latents are (batch, channels, frames, height, width) throughout."""

    network: nn.Module
    groups: ClassVar[tuple[str, ...]]  # names of parts of the network, in the order in which they run
    rows: ClassVar[str]  # how the attention of a site lays out queries: an einops pattern of batch, frames, heads, …
    processors: ClassVar[tuple[str, ...]]  # classes of attention processors whose attention `project` describes
    joint: ClassVar[bool]  # whether one call takes both halves of classifier-free guidance
    padding: ClassVar[Padding]  # what becomes of the text after its end
    tokens: ClassVar[int | None]  # of a padded prompt at most; None: as many as the text encoder takes
    tidies: ClassVar[bool]  # whether prompts are tidied up before they are read
    is_video: bool
    channels: int  # of the latents
    text_width: int  # of a token's embedding
    width: int  # numbers that the network has for each latent cell, where it is the size of the latents
    multiple: int  # height and width of the latents are multiples of it

    def sites(self) -> list[Site]:
        """The text cross-attentions in the order in which they run."""
        ...

    def cells(self, site: Site) -> int:
        """How many latent cells wide and high one cell of the site's maps is."""
        ...

    def grid(self, site: Site, size: tuple[int, int, int]) -> dict[str, int]:
        """Frames, height and width of the site's maps for latents of a size (frames, height, width)."""
        ...

    def project(self, attn: Any, pixels: Pixels, text: Tokens) -> tuple[Heads, Heads, Heads]:
        """Query, key and value of a site, whose attention module is `attn`."""
        ...

    def self_attention(self) -> dict[Site, str]:
        """Where pixels attend to pixels, each with its rows and positions: an einops pattern of batch, frames, …"""
        ...

    def stages(self) -> list[nn.Module]:
        """What checkpointing repeats, and after which a gradient pass may stop; none is a part of another."""
        ...

    def placewise(self) -> list[nn.Module]:
        """Layers (batch, places, width) in stages that treat each place by itself, and are wider than their tokens."""
        ...

    def predict(self, latents: Latents, timestep: Tensor, text: Condition) -> Latents:
        """What the network predicts for latents. Raises ValueError for a text with a mask if the network masks none."""
        ...


class NetworkBackbone:
    """What backbones share: the network as it is, and as it is called, which may be a compiled one."""

    padding: ClassVar[Padding] = "kept"
    tokens: ClassVar[int | None] = None
    tidies: ClassVar[bool] = False

    def __init__(self, network: nn.Module):
        self.network: Any = getattr(network, "_orig_mod", network)  # inside of what torch.compile returns
        self.called: Any = network
        config = self.network.config
        self.channels: int = config.in_channels
        if config.out_channels not in (None, self.channels):
            raise ValueError(
                f"{type(self.network).__name__} takes {self.channels} channels and predicts {config.out_channels}: it "
                "needs more than latents (as inpainting, depth and image-to-video networks do)"
            )

    def placewise(self) -> list[nn.Module]:
        """None: a U-Net's stages are small, and it has many."""
        return []

    def run(self, *inputs: Any, **options: Any) -> Tensor:
        """Call the network; while somebody looks at its attention, never as compiled code."""
        called = self.network if UNCOMPILED.is_on(self.network) else self.called
        return called(*inputs, **options).sample

    def refuse_mask(self, text: Condition) -> None:
        """Raise ValueError for a text with a mask, which this network would not look at."""
        if text.mask is not None:
            raise ValueError(f"text: {type(self.network).__name__} masks no text, and a mask was given; leave it out")


BACKBONES: dict[str, type] = {}  # by the name of the network's class


def register(*names: str) -> Callable[[type], type]:
    """Make a backbone known for networks of these classes."""

    def add(backbone: type) -> type:
        for name in names:
            BACKBONES[name] = backbone
        return backbone

    return add


def find_backbone(network: nn.Module) -> Backbone:
    """The backbone of a network; raises ValueError for a network that the package does not know, by its name."""
    name = type(getattr(network, "_orig_mod", network)).__name__
    if name not in BACKBONES:
        possible = ", ".join(sorted(BACKBONES))
        raise ValueError(f"{name} is a network that this package cannot run; possible are {possible}")
    return BACKBONES[name](network)


def choose_sites(
    backbone: Backbone, groups: Words | None = None, cells: Numbers | None = None, names: Words | None = None
) -> list[Site]:
    """The sites of some groups, of some cells, and whose names begin in some way; None is all.

    Raises ValueError for an empty choice, with what is possible.
    """
    chosen = []
    prefixes = tuple(as_tuple(names))
    for site in backbone.sites():
        in_group = groups is None or site.group in as_tuple(groups)
        in_cells = cells is None or backbone.cells(site) in as_tuple(cells)
        if in_group and in_cells and (names is None or site.name.startswith(prefixes)):
            chosen.append(site)
    if not chosen:
        knobs = {"group": groups, "cells": cells, "site": names}
        asked = ", ".join(f"{name} {value!r}" for name, value in knobs.items() if value is not None)
        possible = ", ".join(f"{site} (group {site.group}, cells {backbone.cells(site)})" for site in backbone.sites())
        raise ValueError(f"no site of attention has {asked or 'text'}; possible are {possible or 'none'}")
    return chosen


def as_tuple(value: Any) -> tuple:
    """One, several or none of something, as a tuple."""
    if value is None:
        return ()
    return (value,) if isinstance(value, str) or not isinstance(value, Iterable) else tuple(value)


def split_heads(features: Float[Tensor, "rows positions channels"], heads: int) -> Heads:
    """Channels divided among heads."""
    return features.unflatten(-1, (heads, -1)).transpose(1, 2)
