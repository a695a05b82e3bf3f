"""The protocol of everything that changes a run: swaps, biases, guidance.

An edit is a frozen description. `attach(run)` is a context manager that gives the state which the edit has in one run:
it listens to attention inside the block, and may move the latents before each denoising step. Several edits of a run
act in the order in which they are given. An edit that treats each prompt of a batch by itself may have a method
`for_prompts(chosen)`, which gives the edit for a slice of the prompts: then clips that do not fit the memory together
are made in parts.
"""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Annotated, Any, Protocol, runtime_checkable

from jaxtyping import Float
from pydantic import AfterValidator, Field
from torch import Tensor

from ..backbones.backbone import Call
from ..backbones.noise import Level
from ..backbones.text import Condition

Latents = Float[Tensor, "batch channels frames height width"]


@dataclass(frozen=True, eq=False)
class Run:
    """The facts of one run of `generate`.

    The batch holds the targets, one clip for each prompt, and then for each source prompt as many clips beside them,
    from the same noise.
    """

    model: Any
    prompts: tuple[str, ...]  # of the targets
    sources: tuple[str, ...]  # different source prompts; each runs beside every target
    seeds: tuple[int, ...]  # of the targets
    steps: int
    size: tuple[int, int, int]  # frames, height and width of the latents
    text: Condition  # of the whole batch
    cfg_scale: float = 1.0

    @property
    def batch(self) -> tuple[str, ...]:
        """The prompts of the whole batch."""
        prompts = list(self.prompts)
        for source in self.sources:
            prompts += [source] * len(self.prompts)
        return tuple(prompts)

    @property
    def targets(self) -> slice:
        """Where the targets are in the batch."""
        return slice(0, len(self.prompts))

    def beside(self, source: str) -> slice:
        """Where the clips of a source prompt are in the batch."""
        start = len(self.prompts) * (1 + self.sources.index(source))
        return slice(start, start + len(self.prompts))

    def call(self, index: int, gradient: bool = False) -> Call:
        """The facts of a call of the network, for `Model.predict`."""
        return Call(index=index, prompts=self.batch, run=self, gradient=gradient)

    def until(self, share: float) -> int:
        """The number of denoising steps in a share of the run."""
        return round(share * self.steps)


@dataclass(frozen=True)
class Update:
    """What guidance did to one clip at one denoising step."""

    step: int
    energy: tuple[float, ...]  # of each frame, before the update
    change: float  # the largest of one latent


class State:
    """What an edit knows of one run. Those that only listen to attention inherit everything."""

    updates: Sequence[Sequence[Update]] = ()  # for each target, what happened to it

    def update(self, latents: Latents, level: Level, index: int) -> Latents:
        """The latents of the batch before a denoising step, whose network call sees `level.scale` times them."""
        return latents


@runtime_checkable
class Edit(Protocol):
    """A frozen description of a change."""

    @property
    def source(self) -> str:
        """A prompt that must run beside each target, or ""."""
        ...

    def attach(self, run: Run) -> AbstractContextManager[State]:
        """Change the run inside the block. Raises ValueError for what the run's model or prompts do not have."""
        ...


def made(value: Any) -> Any:
    """What is no class: a class may have all that is asked of its instances. Raises ValueError."""
    if isinstance(value, type):
        raise ValueError(f"make one: {value.__name__}(…)")
    return value


Made = Annotated[
    Edit, AfterValidator(made), Field(description="a Swap, Replace, Refine, Reweight, Bias or Guidance")
]  # fmt: skip
Edits = Made | Sequence[Made] | None


def as_edits(edits: Any) -> tuple[Edit, ...]:
    """One edit, several or none, as a tuple."""
    return (edits,) if isinstance(edits, Edit) else tuple(edits or ())
