"""TrailBlazer's edit (Ma et al. 2024): a Gaussian is added to the word's maps inside its box, the rest nearly vanishes.

A <- A * w + s, with w = 1 inside and 0.001 outside, and s = 0.1 * max A * exp(-(dx^2 + dy^2) / 2) inside, where dx and
dy are distances from the middle of the box in half widths and heights. Tokens are those of the word and the padding
behind the prompt. TrailBlazer edits temporal attention in further steps, too; this is its spatial part.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated, Literal

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor

from ...arguments import checked
from ...attention.processor import Maps, listening
from ...backbones.backbone import Call, Site
from ...edits.edit import Run, State
from ...edits.placements import Placement, Placements, Targets, WordsOfTargets, check_placements
from ...edits.targets import Track
from ...kinds import Share

Factor = Annotated[float, Field(ge=0, le=1)]


@checked
@dataclass(frozen=True)
class Gaussian:
    """Words attract attention in their boxes. Targets must be tracks."""

    word: WordsOfTargets
    target: Targets
    raised: Factor = 0.1  # of the largest value of a map: what is added in the middle of the box
    lowered: Factor = 0.001  # what is left outside
    until: Share = 0.125  # share of the denoising steps: 5 of 40
    source: Literal[""] = ""

    def __post_init__(self):
        for pairs in check_placements(self.word, self.target):
            for _, target in pairs:
                if not isinstance(target, Track):
                    raise ValueError(f"target: a {type(target).__name__} given; TrailBlazer's edit needs a track")

    @contextmanager
    def attach(self, run: Run) -> Iterator[State]:
        """Change the words' maps inside the block."""
        state = Raising(self, run)
        with listening(run.model.backbone, state):
            yield state


class Raising(State):
    """Changes the maps of the targets in the conditional half."""

    edits = True

    def __init__(self, description: Gaussian, run: Run):
        self.description, self.last = description, run.until(description.until)
        self.placements = Placements.of(description.word, description.target, run, "box")
        self.trailing = []
        for prompt in run.prompts:
            labels = run.model.text.labels(prompt)
            self.trailing.append([position for position, label in enumerate(labels) if label in ("<end>", "<pad>")])

    def __call__(self, maps: Maps, site: Site, call: Call) -> Maps:
        """Listen, and edit in the first steps; rows do not sum to one afterwards, as in TrailBlazer's code."""
        part = call.part("conditional")
        if part is None or (call.index or 0) >= self.last:
            return maps
        edited = maps.clone()
        for clip, objects in enumerate(self.placements.of_prompts):
            for placement in objects:
                tokens = [*placement.positions.tolist(), *self.trailing[clip]]
                before = maps[part.start + clip][..., tokens]  # (frames, heads, height, width, tokens)
                inside = self.placements.drawn(placement.target, maps[part.start + clip])[:, None, :, :, None]
                left = inside + (1 - inside) * self.description.lowered
                largest = before.amax((-3, -2), keepdim=True)
                added = self.description.raised * largest * inside * bump(placement, before)[:, None, :, :, None]
                edited[part.start + clip][..., tokens] = before * left + added
        return edited


def bump(placement: Placement, like: Tensor) -> Float[Tensor, "frames height width"]:
    """A Gaussian about the middle of the box, half its sides wide, 1 in the middle."""
    frames, height, width = like.shape[0], like.shape[2], like.shape[3]
    assert isinstance(placement.target, Track)
    boxes = torch.from_numpy(placement.target.boxes(frames)).to(like)  # (frames, 4)
    middle, half = (boxes[:, :2] + boxes[:, 2:]) / 2, (boxes[:, 2:] - boxes[:, :2]) / 2
    x = (torch.arange(width).to(like) + 0.5) / width
    y = (torch.arange(height).to(like) + 0.5) / height
    across, down = (x - middle[:, :1]) / half[:, :1], (y - middle[:, 1:]) / half[:, 1:]
    return torch.exp(-(across[:, None, :] ** 2 + down[:, :, None] ** 2) / 2)
