"""Keeping the background of a given video: outside the object, the edit has the source's latents at every level, and in
the end, where that is asked for, its pixels.

Where the object is, maps say: those of the source's word, known before the edit begins, and the places where edits ask
it to be; and those of the edit's word, added up while it runs, as far as they reach beyond the others by few cells:
early maps are all over the picture, and an object would wander off. The union is the mask.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float, UInt8
from pydantic import Field
from torch import Tensor

from ..arguments import checked
from ..attention.maps import SHARPNESS, normalise
from ..attention.processor import Maps
from ..backbones.backbone import Call, Site
from ..backbones.text import words
from ..kinds import Share
from .edit import Edit, Latents, Run
from .targets import draw

ARTICLES = ("a", "an", "the")

Mask = Float[Tensor, "frames height width"]
Pixels = UInt8[np.ndarray, "frames height width 3"]
ObjectWords = tuple[str, str]  # of source and target; "" where a prompt has none


@checked
@dataclass(frozen=True)
class KeepBackground:
    """Outside the object, an edit stays the given video. Words that are "" are found: see `object_words`."""

    source_word: str = ""  # of the object in the given video
    target_word: str = ""  # of the object in the edit
    threshold: Share = 0.3  # of a map stretched to [0, 1]; lower than the paper's 1/2: an edge belongs to its object
    grow: Annotated[int, Field(ge=0, le=100)] = 1  # latent cells by which an edit may reach beyond the given object


class Background:
    """Listens to the maps of the edit's word, and blends. It changes no attention."""

    edits = False

    def __init__(self, run: Run, keep: KeepBackground, known: Sequence[Mask]):
        self.run, self.keep, self.known = run, keep, list(known)
        word = keep.target_word
        self.tokens = run.model.text.find(run.prompts[0], word) if word else []
        self.maps: dict[int, Tensor] = {}  # by height: sums over sites and steps, (frames, height, width)

    def columns(self, site: Site, call: Call, large: bool) -> list[int]:
        """The word's tokens, in the half that has it."""
        return [] if call.gradient or call.part("conditional") is None else self.tokens

    def __call__(self, maps: Maps, site: Site, call: Call) -> None:
        """Add the maps of the edit, which is the first clip of its half."""
        part = call.part("conditional")
        assert part is not None
        own = maps[part.start].detach().float().mean(1).sum(-1)
        height = own.shape[-2]
        self.maps[height] = self.maps[height] + own if height in self.maps else own

    def mask(self) -> Mask:
        """Where something may change, in [0, 1], at the size of the latents."""
        own = shape_of(self.maps.values(), self.run.size, self.keep.threshold).cpu() if self.maps else None
        if not self.known:
            return torch.ones(self.run.size) if own is None else own
        known = torch.stack([mask.cpu() for mask in self.known]).amax(0)
        return known if own is None else torch.maximum(known, torch.minimum(own, grown(known, self.keep.grow)))

    def blend(self, edited: Latents, source: Latents) -> Latents:
        """The edit inside, the source outside; at the edge, shares of both."""
        return source + self.mask().to(edited) * (edited - source)


def overlaid(video: Pixels, source: Pixels, mask: Mask, frames_per_latent: int) -> Pixels:
    """The edited video where a mask of the latents is 1, and the source's own pixels where it is 0.

    What the autoencoder loses is then lost in the object alone. diffusers' `VaeImageProcessor.apply_overlay` does so
    for inpainting, with a hard mask.
    """
    enlarged = F.interpolate(mask.cpu()[:, None], video.shape[1:3], mode="bilinear")[:, 0, ..., None]
    latent_frames = -(-torch.arange(len(video)) // frames_per_latent)  # of each frame; the first has one by itself
    share = enlarged[latent_frames]
    mixed = torch.lerp(torch.from_numpy(source).float(), torch.from_numpy(video).float(), share)
    return mixed.round().to(torch.uint8).numpy()


def shape_of(maps: Iterable[Mask], size: tuple[int, int, int], threshold: float) -> Mask:
    """The soft threshold of a word's maps of several sizes, at the size (frames, height, width) of the latents."""
    enlarged = []
    for own in maps:
        stretched = own / own.amax((-2, -1), keepdim=True).clamp(min=torch.finfo(own.dtype).tiny)
        enlarged.append(F.interpolate(stretched[:, None], size[1:], mode="bilinear")[:, 0])
    mean = normalise(torch.stack(enlarged).mean(0))
    return torch.sigmoid(SHARPNESS * (mean - threshold))


def grown(mask: Mask, cells: int) -> Mask:
    """A mask that reaches some cells further to each side."""
    return F.max_pool2d(mask[:, None], 2 * cells + 1, stride=1, padding=cells)[:, 0]


def asked_places(edits: Sequence[Edit], run: Run) -> list[Mask]:
    """Where edits ask an object to be, drawn at the size of the latents."""
    span, places = run.model.codec.frames_per_latent, []
    for edit in edits:
        target: Any = getattr(edit, "target", None)
        for place in target if isinstance(target, (list, tuple)) else [target]:
            if place is not None:
                places.append(draw(place, *run.size, getattr(edit, "shape", "box"), span).cpu())
    return places


def object_words(source_prompt: str, target_prompt: str, edits: Sequence[Edit]) -> ObjectWords:
    """The words of the object that is edited: the first that differs in each prompt, else the word that an edit names.

    "a dog runs" and "a cat runs" give ("dog", "cat"); ("", "") where nothing tells.
    """
    source, target = _spelt(source_prompt), _spelt(target_prompt)
    gone = [word for word in source if word not in target]
    new = [word for word in target if word not in source]
    if gone or new:
        return (gone or [""])[0], (new or [""])[0]
    for edit in edits:
        name = _named(edit)
        if name:
            return name, name
    return "", ""


def _spelt(prompt: str) -> list[str]:
    """The words of a prompt in lower case, without articles."""
    return [word.lower() for word, _, _ in words(prompt) if word.lower() not in ARTICLES]


def _named(edit: Any) -> str:
    """The first word that an edit names, or ""."""
    named = getattr(edit, "word", "")
    while isinstance(named, (list, tuple)):
        named = named[0]
    return named
