"""Exercises on swapping maps: a column, a word's position, a map without noise, when to stop, keeping a background."""

from collections.abc import Callable
from typing import Annotated

import torch
from torch import Tensor

from ..arguments import checked
from ..attention.maps import SHARPNESS, normalise, soft_threshold
from ..kinds import takes
from .parts import TOGETHER, raised, stretched
from .verdict import Inputs, Verdict, judge

Column = Annotated[Callable, takes(4)]
Position = Annotated[Callable, takes(2)]
Cleaner = Annotated[Callable, takes(1)]
Stopping = Annotated[Callable, takes(5)]
Blend = Annotated[Callable, takes(4)]
PROMPTS = (
    ("a car drives on the road", "car"), ("a big turtle walks in the snow", "turtle"),
    ("a dog runs near a ball on the beach", "ball"), ("a wolf howls to the moon", "moon"),
)  # fmt: skip
THRESHOLD = 0.3  # of a stretched map; above it is object


@checked
def swapped_column(function: Column) -> Verdict:
    """Check `function(target, source, into, out_of)`: the target's maps with one column replaced by the source's.

    Maps are (heads, pixels, tokens); `into` is a token of the target, `out_of` one of the source.
    """
    generator = torch.Generator().manual_seed(0)
    calls: list[Inputs] = []
    for heads, pixels, into, out_of in ((2, 6, 2, 4), (1, 5, 3, 1)):
        target, source = (torch.randn(heads, pixels, 6, generator=generator).softmax(-1) for _ in range(2))
        calls.append((target, source, into, out_of))
    return judge(function, _swapped, COLUMN_MISTAKES, calls, "swapped_column")


def _swapped(target: Tensor, source: Tensor, into: int, out_of: int) -> Tensor:
    chosen = torch.arange(target.shape[-1]) == into
    return torch.where(chosen, source[..., [out_of]], target)


COLUMN_MISTAKES = {
    "swapped_column returns the target's maps as they are": lambda target, source, into, out_of: target,
    "swapped_column returns the source's maps: only one column is to be replaced":
        lambda target, source, into, out_of: source,
    "swapped_column takes the same position from both prompts: out_of is where the source has its word":
        lambda target, source, into, out_of: _swapped(target, source, into, into),
    "swapped_column has into and out_of exchanged: into is the target's token, out_of the source's":
        lambda target, source, into, out_of: _swapped(target, source, out_of, into),
    "swapped_column changes the source: it is the target that gets a new column":
        lambda target, source, into, out_of: _swapped(source, target, out_of, into),
    "swapped_column swaps pixels: tokens are the last axis":
        lambda target, source, into, out_of: _swapped(target.mT, source.mT, into, out_of).mT,
    "swapped_column adds the source's map: it must take the place of the target's":
        lambda target, source, into, out_of: torch.where(
            torch.arange(target.shape[-1]) == into, target + source[..., [out_of]], target
        ),
    "swapped_column makes the rows sum to one again, which changes the other columns: here they stay as they are":
        lambda target, source, into, out_of: _shares(_swapped(target, source, into, out_of)),
}  # fmt: skip


def _shares(maps: Tensor) -> Tensor:
    return maps / maps.sum(-1, keepdim=True)


@checked
def word_position(function: Position) -> Verdict:
    """Check `function(prompt, word)`: the token of a word, where each word is one token and the first is the start."""
    calls: list[Inputs] = list(PROMPTS)
    return judge(function, _position, POSITION_MISTAKES, calls, "word_position")


def _position(prompt: str, word: str) -> Tensor:
    return torch.tensor(float(1 + prompt.split().index(word)))


POSITION_MISTAKES = {
    "word_position forgets the start token, which is position 0":
        lambda prompt, word: prompt.split().index(word),
    "word_position counts letters: split the prompt into words first": lambda prompt, word: prompt.index(word),
    "word_position counts the start token twice": lambda prompt, word: 2 + prompt.split().index(word),
    "word_position always takes the second word: that is the noun only where the prompt has no adjective":
        lambda prompt, word: 2,
    "word_position counts from the end": lambda prompt, word: len(prompt.split()) - prompt.split().index(word),
}  # fmt: skip


@checked
def cleaned_map(function: Cleaner) -> Verdict:
    """Check `function(maps)`: each map (height, width) times its own soft threshold, so that its noise is gone.

    Without the second norm of the formula the result is the same to 5e-5, and right.
    """
    generator = torch.Generator().manual_seed(0)
    calls: list[Inputs] = []
    for frames, scale in ((2, 1.0), (3, 0.2)):
        maps = scale * torch.rand(frames, 4, 5, generator=generator)
        maps[:, 1:3, 1:3] += 0.6 * scale
        calls.append((maps,))
    return judge(function, _cleaned, CLEAN_MISTAKES, calls, "cleaned_map")


def _cleaned(maps: Tensor) -> Tensor:
    return maps * soft_threshold(maps)


CLEAN_MISTAKES = {
    "cleaned_map returns the soft threshold alone: multiply the map by it, so that its values stay": soft_threshold,
    "cleaned_map has a hard threshold: the sigmoid makes it soft":
        lambda maps: maps * (normalise(maps) > 0.5),
    "cleaned_map does not stretch the map before the sigmoid: one half is the middle of a stretched map only":
        lambda maps: maps * normalise(raised(maps, SHARPNESS)),
    "cleaned_map stretches all frames together: each map has a smallest and a largest value of its own":
        lambda maps: maps * stretched(raised(stretched(maps, TOGETHER), SHARPNESS), TOGETHER),
    "cleaned_map leaves out the sharpness s = 20": lambda maps: maps * normalise(raised(normalise(maps), 1.0)),
    "cleaned_map keeps the noise and takes out the object": lambda maps: maps * (1 - soft_threshold(maps)),
    "cleaned_map returns the stretched map: multiply the map itself": lambda maps: normalise(maps)
    * soft_threshold(maps),
    "cleaned_map returns the maps as they are": lambda maps: maps,
}  # fmt: skip


@checked
def until(function: Stopping) -> Verdict:
    """Check `function(own, swapped, step, steps, share)`: the swapped maps in the first `share` of the steps, then own.

    Steps are counted from 0.
    """
    generator = torch.Generator().manual_seed(0)
    calls: list[Inputs] = []
    for step, steps, share in ((0, 10, 0.8), (7, 10, 0.8), (8, 10, 0.8), (9, 10, 0.8), (3, 25, 0.2), (5, 25, 0.2)):
        own, swapped = (torch.rand(2, 3, generator=generator) for _ in range(2))
        calls.append((own, swapped, step, steps, share))
    return judge(function, _until, UNTIL_MISTAKES, calls, "until")


def _until(own: Tensor, swapped: Tensor, step: int, steps: int, share: float) -> Tensor:
    return swapped if step < share * steps else own


UNTIL_MISTAKES = {
    "until is one step too long: step 0 is the first, so that step share · steps is already outside":
        lambda own, swapped, step, steps, share: swapped if step <= share * steps else own,
    "until has it the wrong way round: the first steps are swapped, because they decide where things are":
        lambda own, swapped, step, steps, share: own if step < share * steps else swapped,
    "until compares the step with the share itself: a step is a whole number, the share is of all steps":
        lambda own, swapped, step, steps, share: swapped if step < share else own,
    "until mixes both maps: inside the window it is the swapped one alone":
        lambda own, swapped, step, steps, share: share * swapped + (1 - share) * own,
    "until swaps at every step": lambda own, swapped, step, steps, share: swapped,
    "until swaps at no step": lambda own, swapped, step, steps, share: own,
}  # fmt: skip


@checked
def kept_background(function: Blend) -> Verdict:
    """Check `function(target, source, target_map, source_map)`: the target inside both objects, else the source.

    Latents are (channels, height, width), maps (height, width); inside is where one of the stretched maps is above 0.3.
    """
    generator = torch.Generator().manual_seed(0)
    calls: list[Inputs] = []
    for scale in (1.0, 0.3):
        target, source = (torch.randn(4, 5, 6, generator=generator) for _ in range(2))
        first, second = (scale * (0.1 + torch.rand(5, 6, generator=generator)) for _ in range(2))
        calls.append((target, source, first, second))
    return judge(function, _blended, KEPT_MISTAKES, calls, "kept_background")


def _inside(maps: Tensor) -> Tensor:
    return normalise(maps) > THRESHOLD


def _blended(target: Tensor, source: Tensor, target_map: Tensor, source_map: Tensor) -> Tensor:
    return torch.where(_inside(target_map) | _inside(source_map), target, source)


KEPT_MISTAKES = {
    "kept_background has inside and outside exchanged: the target's latents are kept inside":
        lambda target, source, own, beside: _blended(source, target, own, beside),
    "kept_background looks at the target's map alone: where the source's object was, the source must go, too":
        lambda target, source, own, beside: torch.where(_inside(own), target, source),
    "kept_background looks at the source's map alone: the target's object may be elsewhere":
        lambda target, source, own, beside: torch.where(_inside(beside), target, source),
    "kept_background takes what lies in both maps: it must be what lies in one of them":
        lambda target, source, own, beside: torch.where(_inside(own) & _inside(beside), target, source),
    "kept_background does not stretch the maps: 0.3 is a part of the way from the smallest to the largest value":
        lambda target, source, own, beside: torch.where((own > THRESHOLD) | (beside > THRESHOLD), target, source),
    "kept_background makes the outside zero: outside are the latents of the source":
        lambda target, source, own, beside: target * (_inside(own) | _inside(beside)),
    "kept_background adds the maps before the threshold: each has a threshold of its own":
        lambda target, source, own, beside: torch.where(_inside(own + beside), target, source),
}  # fmt: skip
