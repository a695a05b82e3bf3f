"""Which words shall be where: what `Guidance` and `Bias` are given, checked, and resolved for the prompts of a run."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from .edit import Run
from .targets import Shape, Target, draw


@dataclass(frozen=True, eq=False)
class Placement:
    """One object of one prompt: the positions of its word's tokens, and its target."""

    positions: Tensor  # on the device of the model: a list could not be part of a CUDA graph
    target: Target


@dataclass
class Placements:
    """The objects of each prompt of a run, and their targets as they were drawn for each size of maps."""

    of_prompts: list[list[Placement]]
    shape: Shape
    span: int = 1  # frames of the video that a frame of the maps stands for, but for the first
    drawings: dict[tuple, Tensor] = field(default_factory=dict)

    @staticmethod
    def of(word: Any, target: Any, run: Run, shape: Shape) -> "Placements":
        """What was asked for, in a run. Raises ValueError for a word that a prompt does not have, and for lists of
        lists that are not as many as prompts."""
        per_prompt = check_placements(word, target)
        if not _is_nested(word):
            per_prompt = per_prompt * len(run.prompts)
        if len(per_prompt) != len(run.prompts):
            raise ValueError(f"word: lists for {len(per_prompt)} prompts given; this run has {len(run.prompts)}")
        of_prompts = []
        for prompt, pairs in zip(run.prompts, per_prompt, strict=True):
            of_prompts.append([Placement(_positions(run, prompt, name), goal) for name, goal in pairs])
        return Placements(of_prompts, shape, run.model.codec.frames_per_latent)

    def compact(self) -> tuple[Tensor, "Placements"]:
        """The tokens of all words, and placements whose positions count among these alone."""
        used = [placement.positions for objects in self.of_prompts for placement in objects]
        tokens = torch.cat(used).unique()
        of_prompts = []
        for objects in self.of_prompts:
            within = [torch.searchsorted(tokens, placement.positions) for placement in objects]
            pairs = zip(objects, within, strict=True)
            of_prompts.append([replace(placement, positions=positions) for placement, positions in pairs])
        return tokens, replace(self, of_prompts=of_prompts)

    def drawn(self, target: Target, like: Tensor) -> Float[Tensor, "frames height width"]:
        """A target at the size of maps (frames, heads, height, width, tokens); each is drawn once a run."""
        frames, _, height, width, _ = like.shape
        key = (id(target), frames, height, width)
        if key not in self.drawings:
            drawing = draw(target, frames, height, width, self.shape, self.span)
            self.drawings[key] = drawing.to(like.device, torch.float32)
        return self.drawings[key]


def check_placements(word: Any, target: Any) -> list[list[tuple[str, Target]]]:
    """Words with their targets, for each prompt; raises ValueError for what can be neither, and for unequal numbers."""
    if not _is_nested(word):
        return [_pairs(word, target)]
    targets = _as_list(target)
    _same_number(word, targets, "prompts")
    return [_pairs(words, goals) for words, goals in zip(word, targets, strict=True)]


def _pairs(word: str | Sequence[str], target: Any) -> list[tuple[str, Target]]:
    words, targets = _as_list(word), _as_list(target)
    _same_number(words, targets, "words")
    pairs = []
    for name, goal in zip(words, targets, strict=True):
        if not isinstance(name, str):
            raise ValueError(f"word: {name!r} given; needed is a word of the prompt")
        _check_target(goal)
        pairs.append((name, goal))
    return pairs


def _check_target(target: Any) -> None:
    if not isinstance(target, Tensor):
        if not callable(getattr(target, "mask", None)):
            kind = type(target).__name__
            raise ValueError(f"target: {kind} given; possible are a track, maps as a tensor, or a list of these")
    elif target.ndim != 3 or not target.numel() or not (target.min() >= 0 and target.max() <= 1):
        raise ValueError(f"target: shape {tuple(target.shape)} given; needed are (frames, height, width) in [0, 1]")


def _is_nested(word: Any) -> bool:
    """Whether words are given for each prompt by itself."""
    return isinstance(word, (list, tuple)) and bool(word) and not any(isinstance(name, str) for name in word)


def _as_list(values: Any) -> list:
    return list(values) if isinstance(values, (list, tuple)) else [values]


def _same_number(words: Sequence, targets: Sequence, counted: str) -> None:
    if len(words) != len(targets) or not words:
        raise ValueError(f"target: {len(targets)} given for {len(words)} {counted}; give one for each")


def _positions(run: Run, prompt: str, word: str) -> Tensor:
    return torch.tensor(run.model.text.find(prompt, word), device=run.text.states.device)
