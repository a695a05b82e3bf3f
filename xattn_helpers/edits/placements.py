"""Which words shall be where: what `Guidance` and `Bias` are given, checked, and resolved for the prompts of a run."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Annotated, Any

import torch
from jaxtyping import Float
from pydantic import AfterValidator, Field
from torch import Tensor

from .edit import Run, made
from .targets import Shape, Target, draw


def _in_range(target: Target) -> Target:
    """A target; raises ValueError for maps that are not (frames, height, width) in [0, 1]."""
    if not isinstance(target, Tensor):
        return target
    if target.ndim != 3 or not target.numel() or target.is_complex():
        raise ValueError(f"the tensor has shape {tuple(target.shape)}")
    if not (target.min() >= 0 and target.max() <= 1):  # NaN is neither
        raise ValueError(f"the tensor goes from {target.min():.3g} to {target.max():.3g}")
    return target


OneTarget = Annotated[Target, AfterValidator(made), AfterValidator(_in_range)]
Targets = Annotated[
    OneTarget | Sequence[OneTarget] | Sequence[Sequence[OneTarget]],
    Field(description="a track, or maps (frames, height, width) from 0 to 1 as a tensor, or lists of these"),
]  # fmt: skip
WordsOfTargets = Annotated[
    str | Sequence[str] | Sequence[Sequence[str]],
    Field(description="a word, a list of words, or a list of such lists for each prompt"),
]  # fmt: skip


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
            number = len(per_prompt)
            raise ValueError(
                f"word: lists for {number} prompts given; this run has {len(run.prompts)}; give one list for each"
            )
        of_prompts = []
        for prompt, pairs in zip(run.prompts, per_prompt, strict=True):
            of_prompts.append([Placement(_positions(run, prompt, name), goal) for name, goal in pairs])
        return Placements(of_prompts, shape, run.model.codec.frames_per_latent)

    def counts(self) -> tuple[int, ...]:
        """The number of objects of each prompt."""
        return tuple(len(objects) for objects in self.of_prompts)

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
        return self.at(target, (frames, height, width), like.device)

    def at(
        self, target: Target, size: tuple[int, int, int], device: torch.device
    ) -> Float[Tensor, "frames height width"]:
        """A target at frames, height and width of maps, on their device."""
        key = (id(target), *size)
        if key not in self.drawings:
            self.drawings[key] = draw(target, *size, self.shape, self.span).to(device, torch.float32)
        return self.drawings[key]


def check_placements(word: Any, target: Any) -> list[list[tuple[str, Target]]]:
    """Words with their targets, for each prompt; raises ValueError for what can be neither, and for unequal numbers."""
    if not _is_nested(word):
        return [_pairs(word, target)]
    targets = _as_list(target)
    _same_number(word, targets, "prompts")
    return [_pairs(words, goals) for words, goals in zip(word, targets, strict=True)]


def for_some(word: Any, target: Any, chosen: slice) -> dict[str, Any]:
    """Words and targets for some of the prompts of a batch."""
    if not _is_nested(word):
        return {"word": word, "target": target}
    return {"word": list(word)[chosen], "target": _as_list(target)[chosen]}


def _pairs(word: str | Sequence[str], target: Any) -> list[tuple[str, Target]]:
    words, targets = _as_list(word), _as_list(target)
    _same_number(words, targets, "words")
    pairs = []
    for name, goal in zip(words, targets, strict=True):
        if isinstance(goal, (list, tuple)):
            raise ValueError(f"target: a list given for the word {name!r}; give one target for each word")
        pairs.append((name, goal))
    return pairs


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
