"""What a recording keeps of a layer: all of its steps, or their running mean."""

from dataclasses import dataclass, field
from functools import reduce
from operator import add

from torch import Tensor

from .attention import Step


@dataclass
class Kept:
    """What is kept of one layer: every step, or only the last one beside the sum of those before it."""

    every_step: bool
    steps: list[int] = field(default_factory=list)  # index of each step that was added
    latest: list[Tensor] = field(default_factory=list)  # (batch, frames, heads, height, width, tokens) each
    before: Tensor | None = None  # sum of the steps that are no longer in `latest`
    call: int = -1

    def add(self, probabilities: Tensor, step: Step) -> None:
        """Add a call of the UNet; a later one of the same step replaces it (guidance looks before it acts)."""
        if self.call == step.call:
            return  # under checkpointing a layer runs again, for its gradient
        self.call = step.call
        if self.steps and self.steps[-1] == step.index:
            self.latest.pop()
        else:
            self.steps.append(step.index)
            if self.latest and not self.every_step:
                self.before = _sum([self.before, self.latest.pop()])
        self.latest.append(probabilities)

    def mean(self) -> Tensor:
        """The mean over all steps that were added."""
        return _sum([self.before, *self.latest]) / len(self.steps)


def _sum(parts: list[Tensor | None]) -> Tensor:
    there = [part for part in parts if part is not None]
    if len({part.shape for part in there}) > 1:
        sizes = " and ".join(str(tuple(part.shape)) for part in (there[0], there[-1]))
        raise ValueError(f"this block has recorded runs of different size, {sizes}: use a capture for each")
    return reduce(add, there)
