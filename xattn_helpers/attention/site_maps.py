"""The maps of one site, added up while they come."""

from dataclasses import dataclass, field

from jaxtyping import Float
from torch import Tensor

from ..backbones.backbone import Call

Probabilities = Float[Tensor, "batch frames heads height width tokens"]


@dataclass
class SiteMaps:
    """The maps of one site and half: of every step, or the last step beside the sum of those before it."""

    every_step: bool
    steps: list[int] = field(default_factory=list)  # index of each step that was added
    latest: list[Tensor] = field(default_factory=list)
    before: Tensor | None = None  # sum of the steps that are no longer in `latest`
    call: Call | None = None

    def add(self, maps: Probabilities, step: int, call: Call) -> None:
        """Add the maps of a call. Solvers may call twice a step: the later call replaces the earlier.

        Raises ValueError for maps of another size than those before them.
        """
        if self.call is call:
            return  # under checkpointing a site runs again, for its gradient
        self.call = call
        if self.latest and self.latest[-1].shape != maps.shape:
            sizes = f"{tuple(self.latest[-1].shape)} and {tuple(maps.shape)}"
            raise ValueError(f"this block has recorded calls of different size, {sizes}: use a capture for each")
        if self.steps and self.steps[-1] == step:
            self.latest.pop()
        else:
            self.steps.append(step)
            if self.latest and not self.every_step:
                last = self.latest.pop()
                self.before = last if self.before is None else self.before + last
        self.latest.append(maps)

    def mean(self) -> Probabilities:
        """The mean over all steps that were added."""
        total = self.latest[0] if self.before is None else self.before + self.latest[0]
        for maps in self.latest[1:]:
            total = total + maps
        return total / len(self.steps)
