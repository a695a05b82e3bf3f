"""Steering without a gradient: a number is added to a word's logits, up inside a target and down outside.

    clip = generate(model, "a burger floats on the water", edits=Bias("burger", path))
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor

from ..arguments import checked
from ..attention.processor import Maps, listening
from ..backbones.backbone import Call, Site, choose_sites
from ..kinds import Cells, Share, Words
from .edit import Run, State
from .placements import Placements, Targets, WordsOfTargets, check_placements, for_some
from .targets import Shape

FOR_SIZE: dict[str, Any] = {"inside": 4.0, "outside": -4.0, "until": 0.25}
Logit = Annotated[float, Field(ge=-1e4, le=1e4)]  # what is added to one: half precision holds no more


@checked
@dataclass(frozen=True)
class Bias:
    """Where words shall attract attention. Lists of words and targets steer several objects at once.

    softmax(logits + b) with b = inside in the target and b = outside elsewhere, for the word's tokens alone. Lists of
    lists, one for each prompt of a batch, give every prompt words and targets of its own.
    """

    word: WordsOfTargets
    target: Targets
    inside: Logit = 8.0
    outside: Logit = -8.0
    until: Share = 0.5  # share of the denoising steps: later the object shall find its own shape
    groups: Words | None = None  # of sites; None is all
    cells: Cells | None = None  # latent cells a map cell; None is all
    shape: Shape = "disc"  # how a track is drawn
    source: Literal[""] = ""

    def __post_init__(self):
        check_placements(self.word, self.target)

    @classmethod
    def for_size(cls, word: Any, target: Any, **knobs: Any) -> "Bias":
        """Beside `Guidance.for_size`, for objects that take a size where they are: a light one, in the first steps.

        There the object's size is decided, and a gradient alone is late. Chosen in the study `tuning`.
        """
        return cls(word, target, **(FOR_SIZE | knobs))

    def for_prompts(self, chosen: slice) -> "Bias":
        """The same for some of the prompts of a batch."""
        return replace(self, **for_some(self.word, self.target, chosen))

    @contextmanager
    def attach(self, run: Run) -> Iterator[State]:
        """Change the word's maps inside the block."""
        sites = choose_sites(run.model.backbone, self.groups, self.cells)
        state = Biasing(self, run)
        with listening(run.model.backbone, state, sites):
            yield state


class Biasing(State):
    """Changes the maps of the targets in the conditional half."""

    edits = True

    def __init__(self, description: Bias, run: Run):
        self.description, self.last = description, run.until(description.until)
        self.placements = Placements.of(description.word, description.target, run, description.shape)

    def __call__(self, maps: Maps, site: Site, call: Call) -> Maps:
        """Logits are the logarithm of probabilities, up to a number for each row that a softmax does not see."""
        part = call.part("conditional")
        if part is None or (call.index or 0) >= self.last:
            return maps
        biased = maps.clone()
        for clip, objects in enumerate(self.placements.of_prompts):
            # (frames, heads, height, width, tokens); masked tokens have none, and the logarithm of 0 has no gradient
            logits = maps[part.start + clip].clamp(min=torch.finfo(maps.dtype).tiny).log()
            for placement in objects:
                drawn = self.placements.drawn(placement.target, logits)
                logits[..., placement.positions] += self._bias(drawn)[:, None, :, :, None]
            biased[part.start + clip] = logits.softmax(-1)
        return biased

    def _bias(self, drawn: Float[Tensor, "frames height width"]) -> Float[Tensor, "frames height width"]:
        """b of each cell; where a target is soft, b lies between its two values."""
        inside, outside = self.description.inside, self.description.outside
        return outside + (inside - outside) * drawn
