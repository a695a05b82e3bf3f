"""What swaps have in common: when, where, and what keeps still; and the state that an edit of maps has in a run."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated

import torch
import torch.nn.functional as F
from jaxtyping import Float
from pydantic import AfterValidator, Field
from torch import Tensor

from ..attention.maps import normalise
from ..attention.processor import Maps, listening
from ..backbones.backbone import Call, Site, as_tuple, choose_sites
from ..backbones.noise import Level
from ..kinds import Cells, Share, Words
from .edit import Latents, Run, State

BLEND_FROM = 0.2  # share of the steps after which the background is kept: earlier, the maps know no object yet
BLEND_THRESHOLD = 0.3  # of a map stretched to [0, 1]: higher is object, as in Prompt-to-Prompt
BLEND_SIDE = 16  # height and width at which the maps of the two objects are added up

Pairs = Sequence[tuple[list[int], list[int]]]  # token positions of the target, and those of the source that they take
ClipMaps = Float[Tensor, "frames heads height width tokens"]


def _in_order(window: tuple[float, float]) -> tuple[float, float]:
    if window[0] > window[1]:
        raise ValueError("the first is after the last")
    return window


Window = Annotated[
    tuple[Share, Share], AfterValidator(_in_order),
    Field(strict=False, description="(first, last) with 0 <= first <= last <= 1"),
]  # fmt: skip
Pair = Annotated[tuple[str, str], Field(strict=False)]


@dataclass(frozen=True, kw_only=True)
class MapEdit:
    """An edit of attention maps (forward guidance, section 3.3 of the paper). Made by its subclasses."""

    window: Window = (0.0, 1.0)  # share of the denoising steps; (0, .8) is Prompt-to-Prompt's choice
    groups: Words | None = None  # of sites; None is all
    cells: Cells | None = None  # latent cells a map cell; None is all
    # Rows of tokens sum to one. Replacing some columns breaks that: where the source attends more, more text comes in.
    # Renormalising divides by the new sum: the amount of text stays, and the maps of all other words change.
    renormalise: bool = False
    source: str = ""  # the prompt that runs beside
    keep_background: Pair | None = None  # (source's word, target's): outside both, the source

    def __post_init__(self):
        if type(self) is MapEdit:
            raise TypeError("MapEdit is what Swap, Replace, Refine and Reweight have in common; make one of these")
        if self.groups is not None and not as_tuple(self.groups):
            raise ValueError("groups: none given; possible are names of groups, or None for all")
        if self.keep_background and not self.source:
            raise ValueError("keep_background needs a source prompt, whose background it keeps")

    def pair(self, run: Run, prompt: str) -> Pairs:
        """Which token positions of the target take which of the source's; raises ValueError for a missing word."""
        raise NotImplementedError

    def edit(self, target: ClipMaps, source: ClipMaps | None, pairs: Pairs) -> ClipMaps:
        """New maps of one clip."""
        assert source is not None
        edited = target.clone()
        for into, out_of in pairs:
            edited[..., into] = share_out(source[..., out_of], len(into))
        return edited

    def for_prompts(self, chosen: slice) -> "MapEdit":
        """The same for some of the prompts of a batch: each is edited by itself."""
        return self

    @contextmanager
    def attach(self, run: Run) -> Iterator[State]:
        """Edit everything that the model attends to inside the block."""
        sites = choose_sites(run.model.backbone, self.groups, self.cells)
        editing = MapEditing(self, run)
        if self.keep_background is None:
            with listening(run.model.backbone, editing, sites):
                yield editing
            return
        background = Background(run, self.source, self.keep_background, last=editing.last)
        with listening(run.model.backbone, background, sites), listening(run.model.backbone, editing, sites):
            yield background


class MapEditing(State):
    """Edits the maps of the conditional half, and of it only the targets."""

    edits = True

    def __init__(self, description: MapEdit, run: Run):
        self.description, self.run = description, run
        self.first, self.last = (run.until(share) for share in description.window)
        self.pairs = [description.pair(run, prompt) for prompt in run.prompts]

    def __call__(self, maps: Maps, site: Site, call: Call) -> Maps:
        """Listen, and edit inside the window."""
        part = call.part("conditional")
        index = call.index or 0
        if part is None or not self.first <= index < self.last:
            return maps
        conditional = maps[part]
        sources: Sequence[Tensor | None] = [None] * len(self.pairs)
        if self.description.source:
            sources = list(conditional[self.run.beside(self.description.source)])
        edited = []
        for target, source, pairs in zip(conditional[self.run.targets], sources, self.pairs, strict=True):
            edited.append(self.description.edit(target, source, pairs))
        new = torch.stack(edited)
        if self.description.renormalise:
            new = new / new.sum(-1, keepdim=True)
        conditional = torch.cat([new, conditional[len(edited) :]])
        return torch.cat([maps[: part.start], conditional, maps[part.stop :]])


class Background(State):
    """Outside the objects of source and target, the target keeps the source's latents (Prompt-to-Prompt's blend)."""

    edits = True  # so that it sees the maps before they are edited, and returns them as they are

    def __init__(self, run: Run, source: str, words: tuple[str, str], last: int):
        self.run, self.last, self.clips = run, last, run.beside(source)
        source_word, target_word = words
        self.source_tokens = run.model.text.find(source, source_word)
        self.target_tokens = [run.model.text.find(prompt, target_word) for prompt in run.prompts]
        self.total: Tensor | None = None  # (prompts, 2, frames, side, side): the two objects' maps, added up

    def __call__(self, maps: Maps, site: Site, call: Call) -> Maps:
        """Listen: add up the two objects' maps over sites and steps."""
        part = call.part("conditional")
        if part is not None and not call.gradient:
            self._add(maps[part])
        return maps

    def _add(self, conditional: Maps) -> None:
        pairs = []
        for index, tokens in enumerate(self.target_tokens):
            source = conditional[self.clips][index][..., self.source_tokens]
            target = conditional[index][..., tokens]
            pairs.append(torch.stack([source.sum(-1).mean(1), target.sum(-1).mean(1)]))  # (2, frames, height, width)
        stacked = torch.stack(pairs).detach().float().flatten(0, 1)
        enlarged = F.interpolate(stacked, (BLEND_SIDE, BLEND_SIDE), mode="bilinear").unflatten(0, (-1, 2))
        self.total = enlarged if self.total is None else self.total + enlarged

    def update(self, latents: Latents, level: Level, index: int) -> Latents:
        """Outside both objects, the targets take the latents of their sources."""
        if self.total is None or index <= BLEND_FROM * self.run.steps or index >= self.last:
            return latents
        maps = F.interpolate(normalise(self.total).amax(1), latents.shape[-2:], mode="bilinear")
        inside = (maps > BLEND_THRESHOLD)[:, None].to(latents.dtype)  # (prompts, 1, frames, height, width)
        targets, sources = latents[self.run.targets], latents[self.clips]
        blended = sources + inside * (targets - sources)
        return torch.cat([blended, latents[len(blended) :]])


def share_out(maps: Float[Tensor, "... n"], count: int) -> Tensor:
    """Maps of a word's tokens, for a word of `count` tokens: as they are, or their sum in equal shares."""
    return maps if maps.shape[-1] == count else maps.sum(-1, keepdim=True).expand(*maps.shape[:-1], count) / count
