"""What a gradient pass reads beside latents and time: tensors, so that a graph can be given those of another run."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from jaxtyping import Float, Int
from torch import Tensor

from ..backbones.backbone import Backbone, Site
from ..backbones.text import Condition
from .placements import Placement, Placements
from .targets import Shape

Size = tuple[int, int, int]  # frames, height and width of maps


@dataclass(frozen=True, eq=False)
class Facts:
    """The facts of a run's gradient passes."""

    text: Condition
    tokens: Int[Tensor, " tokens"]  # whose maps are kept
    order: Int[Tensor, " frames"]  # the frame that answers for each frame's target
    placements: Placements  # whose positions count among the tokens
    sizes: tuple[Size, ...]  # of the maps, each of them once

    @staticmethod
    def of(text: Condition, placements: Placements, order: Tensor, sizes: Sequence[Size]) -> "Facts":
        """The facts for maps of some sizes, of the tokens of some placements."""
        tokens, compact = placements.compact()
        return Facts(text, tokens, order, compact, tuple(dict.fromkeys(sizes)))

    def tensors(self) -> list[Tensor]:
        """All of them in a fixed order; equally many for equally many objects of equally many prompts."""
        tensors = [self.text.states, self.tokens, self.order]
        tensors += [] if self.text.mask is None else [self.text.mask]
        for objects in self.placements.of_prompts:
            for placement in objects:
                tensors.append(placement.positions)
                tensors += [self.placements.at(placement.target, size, self.tokens.device) for size in self.sizes]
        return tensors

    def filled(self, tensors: Sequence[Tensor]) -> "Facts":
        """Facts that are read from tensors, in the order that `tensors` gives."""
        left = iter(tensors)
        states, tokens, order = next(left), next(left), next(left)
        text = Condition(states, None if self.text.mask is None else next(left))
        of_prompts = []
        for objects in self.placements.of_prompts:
            read = []
            for _ in objects:
                positions = next(left)
                read.append(Placement(positions, Drawn({size: next(left) for size in self.sizes})))
            of_prompts.append(read)
        return Facts(text, tokens, order, replace(self.placements, of_prompts=of_prompts, drawings={}), self.sizes)


@dataclass(frozen=True, eq=False)
class Drawn:
    """A target that is drawn already."""

    masks: dict[Size, Tensor]

    def mask(self, frames: int, height: int, width: int, shape: Shape = "box") -> Float[Tensor, "frames height width"]:
        """The drawing of a size."""
        return self.masks[frames, height, width]


def sizes_of(backbone: Backbone, sites: Sequence[Site], size: Size) -> list[Size]:
    """Frames, height and width of the maps of sites, for latents of a size."""
    grids = [backbone.grid(site, size) for site in sites]
    return [(grid["frames"], grid["height"], grid["width"]) for grid in grids]
