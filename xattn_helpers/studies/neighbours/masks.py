"""Attention masks, as in Peekaboo and in the manner of DiTraj: inside the target only the word, outside all but it.

Peekaboo (Jain et al., CVPR 2024) adds -10000 to the scores of three attentions in the first steps: between pixels and
words that are not of one side, and between pixels that are not, within frames and along time. DiTraj (Lei et al. 2025)
gives a transformer a prompt of the foreground inside and one of the background outside; here they are the two parts of
one prompt, whose start and padding both sides see. (Its rotary positions, which also follow the track, are left out.)
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from ...arguments import checked
from ...attention.processor import Maps, listening
from ...backbones.backbone import Call, Site
from ...backbones.self_attention import Regions, apart
from ...edits.edit import Run, State
from ...edits.placements import Placements, Targets, WordsOfTargets, check_placements
from ...edits.targets import Shape
from ...kinds import Share

LEAST = 1e-12  # of attention that is left to divide by


@checked
@dataclass(frozen=True)
class Masks:
    """Words attract attention inside their targets only, and inside there is no other word."""

    word: WordsOfTargets
    target: Targets
    until: Share = 0.1  # share of the denoising steps: Peekaboo's 4 of 40
    shared: bool = False  # whether start, end and padding are seen on both sides
    pixels: bool = True  # whether pixels of the two sides are kept from each other, too
    shape: Shape = "box"  # how a track is drawn
    source: Literal[""] = ""

    def __post_init__(self):
        check_placements(self.word, self.target)

    @contextmanager
    def attach(self, run: Run) -> Iterator[State]:
        """Mask the attention of the targets inside the block."""
        backbone, state = run.model.backbone, Masking(self, run)
        with ExitStack() as stack:
            stack.enter_context(listening(backbone, state))
            if self.pixels:
                stack.enter_context(apart(backbone, state.regions))
            yield state


class Masking(State):
    """Masks the first steps."""

    edits = True

    def __init__(self, description: Masks, run: Run):
        self.description, self.run, self.last = description, run, run.until(description.until)
        self.placements = Placements.of(description.word, description.target, run, description.shape)
        self.everywhere = [_ends(run, prompt) if description.shared else [] for prompt in run.prompts]

    def __call__(self, maps: Maps, site: Site, call: Call) -> Maps:
        """The conditional half: what is left of the rows, divided by its sum, is the softmax of masked scores."""
        part = call.part("conditional")
        if part is None or (call.index or 0) >= self.last:
            return maps
        masked = maps.clone()
        for clip in range(len(self.placements.of_prompts)):
            seen = maps[part.start + clip] * self._visible(clip, maps[part.start + clip])[:, None]
            masked[part.start + clip] = seen / seen.sum(-1, keepdim=True).clamp(min=LEAST)
        return masked

    def _visible(
        self, clip: int, maps: Float[Tensor, "frames heads height width tokens"]
    ) -> Bool[Tensor, "frames height width tokens"]:
        """Which tokens each cell may see."""
        objects = self.placements.of_prompts[clip]
        covered = self._covered(clip, maps)
        visible = ~covered.any(0)[..., None].expand(*covered.shape[1:], maps.shape[-1]).clone()
        for placement, inside in zip(objects, covered, strict=True):
            visible[..., placement.positions] = inside[..., None]
        visible[..., self.everywhere[clip]] = True
        return visible

    def _covered(self, clip: int, maps: Tensor) -> Bool[Tensor, "objects frames height width"]:
        drawn = []
        for placement in self.placements.of_prompts[clip]:
            drawn.append(self.placements.drawn(placement.target, maps) >= 0.5)
        return torch.stack(drawn)

    def regions(self, grid: dict[str, int], call: Call) -> Regions | None:
        """0 outside, and inside the number of the object, for self-attention; None once the masks have ended."""
        if (call.index or 0) >= self.last or call.clips != len(self.placements.of_prompts):
            return None
        like = torch.empty(grid["frames"], 0, grid["height"], grid["width"], 0, device=self.run.model.device)
        clips = []
        for clip in range(call.clips):
            covered = self._covered(clip, like).long()
            numbers = torch.arange(1, len(covered) + 1, device=covered.device).view(-1, 1, 1, 1)
            clips.append((covered * numbers).amax(0))
        return torch.stack(clips)


def _ends(run: Run, prompt: str) -> list[int]:
    """The positions of start, end and padding."""
    labels = run.model.text.labels(prompt)
    return [position for position, label in enumerate(labels) if label.startswith("<")]
