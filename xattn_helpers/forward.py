"""Forward guidance: replace attention maps while the network runs (section 3.3 of the paper, and Prompt-to-Prompt).

A source prompt runs beside the asked one, in the same batch and from the same noise; a control gives some of its
probabilities to the target:

    swap = Swap("truck", "car", source="a truck drives on the road")
    clip = generate(model, "a car drives on the road", control=swap)

The clip of the source is in `clip.source`.
"""

import difflib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch import Tensor

from . import tokens
from .attention import PLACES, Layer, Step, controlled, find_layers, several
from .maps import normalise

BLEND_FROM = 0.2  # share of the steps after which the background is kept: earlier, the maps know no object yet
BLEND_THRESHOLD = 0.3  # of a map stretched to [0, 1]: higher is object, as in Prompt-to-Prompt


@dataclass(kw_only=True)
class Control:
    """What all edits have in common: when, where, and what keeps still. Made by its subclasses."""

    window: tuple[float, float] = (0.0, 1.0)  # share of the denoising steps; (0, .8) is Prompt-to-Prompt's choice
    place: str | tuple[str, ...] = PLACES
    resolution: int | tuple[int, ...] | None = None  # height of the maps that are edited; None is all
    # Rows of tokens sum to one. Replacing some columns breaks that: where the source attends more, more text comes in.
    # Renormalising divides by the new sum: the amount of text stays, and the maps of all other words change.
    renormalise: bool = False
    source: str = ""  # the prompt that runs beside
    keep_background: tuple[str, str] | None = None  # (source's word, target's): outside both, the source

    def __post_init__(self):
        first, last = self.window
        if not 0 <= first <= last <= 1:
            raise ValueError(f"window={self.window}: possible are (first, last) with 0 <= first <= last <= 1")
        self.places, self.resolutions = several(self.place), several(self.resolution)
        if not self.places or set(self.places) - set(PLACES):
            raise ValueError(f"place={self.place!r}: possible are {', '.join(PLACES)}")
        if self.keep_background and not self.source:
            raise ValueError("keep_background needs a source prompt, whose background it keeps")

    def beside(self, prompts: list[str]) -> list[str]:
        """The prompts that must run along: the source once for each prompt."""
        return [self.source] * len(prompts) if self.source else []

    @contextmanager
    def attached(self, model, prompts: list[str], steps: int) -> Iterator[None]:
        """Edit everything that the model attends to inside the block."""
        self.first, self.last = (round(share * steps) for share in self.window)
        self.steps, self.seen, self.edited = steps, 0.0, set()
        self.pairs = [self.pair(model.tokenizer, prompt) for prompt in prompts]
        self.objects = [self._objects(model.tokenizer, prompt) for prompt in prompts] if self.keep_background else []
        layers = [layer for layer in find_layers(model.unet) if layer.place in self.places]
        with controlled(model, self, layers):
            yield
        if self.last > self.first and not self.edited:
            raise ValueError(f"resolution={self.resolution}, place={self.place}: no layer of that kind was run")

    def pair(self, tokenizer, prompt: str) -> list[tuple[list[int], list[int]]]:
        """Which token positions of the target take which of the source's; for `edit`."""
        raise NotImplementedError

    def edit(self, target: Tensor, source: Tensor | None, pairs: list) -> Tensor:
        """New probabilities (frames, heads, height, width, tokens) of one prompt."""
        edited = target.clone()
        for into, out_of in pairs:
            edited[..., into] = share_out(source[..., out_of], len(into))
        return edited

    def __call__(self, probabilities: Tensor, layer: Layer, step: Step) -> Tensor:
        """The controller: only the conditional half is edited, and of it only the targets."""
        *unconditional, conditional = probabilities.chunk(2) if step.guided else (probabilities,)
        targets, sources = conditional.chunk(2) if self.source else (conditional, [None] * len(conditional))
        if self.keep_background:
            self._see(targets, sources)
        inside = self.first <= step.index < self.last
        if not inside or (self.resolutions and probabilities.shape[3] not in self.resolutions):
            return probabilities
        self.edited.add(layer.name)
        together = zip(targets, sources, self.pairs, strict=True)
        edited = torch.stack([self.edit(target, source, pairs) for target, source, pairs in together])
        edited = edited / edited.sum(-1, keepdim=True) if self.renormalise else edited
        return torch.cat([*unconditional, edited, *([sources] if self.source else [])])

    def update(self, latents: Tensor, index: int, timestep: Tensor, scheduler) -> Tensor:
        """Before each call of the network: outside both objects, the target takes the latents of the source."""
        if not self.keep_background or index <= BLEND_FROM * self.steps or index >= self.last:
            return latents
        targets, sources = latents.chunk(2)
        maps = F.interpolate(normalise(self.seen).amax(1), latents.shape[-2:], mode="bilinear")  # (prompts, frames, …)
        inside = (maps > BLEND_THRESHOLD)[:, None].to(latents.dtype)
        return torch.cat([sources + inside * (targets - sources), sources])

    def _objects(self, tokenizer, prompt: str) -> tuple[list[int], list[int]]:
        words = zip(self.keep_background, (self.source, prompt), strict=True)
        return tuple(tokens.find(tokenizer, text, word) for word, text in words)

    def _see(self, targets: Tensor, sources: Tensor) -> None:
        """Add up the two objects' maps, (prompts, 2, frames, 16, 16), over layers and steps."""
        both = [
            torch.stack([source[..., out_of].sum(-1).mean(1), target[..., into].sum(-1).mean(1)])
            for target, source, (out_of, into) in zip(targets, sources, self.objects, strict=True)
        ]
        maps = torch.stack(both).detach().float().flatten(0, 1)
        self.seen = self.seen + F.interpolate(maps, (16, 16), mode="bilinear").unflatten(0, (-1, 2))


@dataclass
class Swap(Control):
    """Give one word the map of a word of the source prompt; each word is looked up in its own prompt."""

    source_word: str
    target_word: str
    source: str = field(kw_only=True)

    def pair(self, tokenizer, prompt: str) -> list[tuple[list[int], list[int]]]:
        """The target word's tokens and the source word's; raises ValueError for a word that is missing."""
        out_of = tokens.find(tokenizer, self.source, self.source_word)
        return [(tokens.find(tokenizer, prompt, self.target_word), out_of)]


@dataclass
class Replace(Control):
    """Give all words the maps of the source prompt, position by position (Prompt-to-Prompt's word swap)."""

    source: str = field()

    def pair(self, tokenizer, prompt: str) -> list[tuple[list[int], list[int]]]:
        """Word for word, start and padding included; raises ValueError for prompts of different length."""
        mine, theirs = ([word for word, _, _ in tokens.words(text)] for text in (prompt, self.source))
        if len(mine) != len(theirs):
            raise ValueError(
                f"source: {self.source!r} has {len(theirs)} words and {prompt!r} has {len(mine)}, so they cannot be "
                "paired one by one; Refine pairs the words that they share"
            )
        spans = [(_positions(tokenizer, prompt, i), _positions(tokenizer, self.source, i)) for i in range(len(mine))]
        ends = [len(tokenizer(text).input_ids) - 1 for text in (prompt, self.source)]
        rest = range(tokenizer.model_max_length - max(ends))
        return [([0], [0]), *spans, *(([ends[0] + i], [ends[1] + i]) for i in rest)]


@dataclass
class Refine(Control):
    """Give the words that both prompts share the source's maps; new words keep their own (Prompt-to-Prompt)."""

    source: str = field()

    def pair(self, tokenizer, prompt: str) -> list[tuple[list[int], list[int]]]:
        """The start token and the shared words in their order; raises ValueError where there are none."""
        mine, theirs = ([word.lower() for word, _, _ in tokens.words(text)] for text in (prompt, self.source))
        blocks = difflib.SequenceMatcher(None, mine, theirs, autojunk=False).get_matching_blocks()
        shared = [(a + i, b + i) for a, b, size in blocks for i in range(size)]
        if not shared:
            raise ValueError(f"source: {self.source!r} shares no word with {prompt!r}")
        return [([0], [0])] + [
            (_positions(tokenizer, prompt, a), _positions(tokenizer, self.source, b)) for a, b in shared
        ]


@dataclass
class Reweight(Control):
    """Multiply the map of one word; 0 hides the word, 2 shouts it (Prompt-to-Prompt). Needs no source."""

    word: str
    factor: float

    def __post_init__(self):
        super().__post_init__()
        if self.factor < 0:
            raise ValueError(f"factor={self.factor}: possible are 0 and more; probabilities are not negative")

    def pair(self, tokenizer, prompt: str) -> list[tuple[list[int], list[int]]]:
        """The word's tokens."""
        return [(tokens.find(tokenizer, prompt, self.word), [])]

    def edit(self, target: Tensor, source: None, pairs: list) -> Tensor:
        """Probabilities with the word's columns multiplied."""
        edited = target.clone()
        edited[..., pairs[0][0]] *= self.factor
        return edited


def share_out(maps: Tensor, count: int) -> Tensor:
    """Maps (..., n) of a word's tokens, for a word of `count` tokens: as they are, or their sum in equal shares."""
    return maps if maps.shape[-1] == count else maps.sum(-1, keepdim=True).expand(*maps.shape[:-1], count) / count


def _positions(tokenizer, prompt: str, index: int) -> list[int]:
    """The tokens of the index-th word of a prompt."""
    every = [word.lower() for word, _, _ in tokens.words(prompt)]
    return tokens.find(tokenizer, prompt, every[index], occurrence=every[:index].count(every[index]))
