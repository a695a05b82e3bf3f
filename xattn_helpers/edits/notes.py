"""What guidance did to each clip of a run, and whether a step left no picture."""

import math
from typing import TYPE_CHECKING

from jaxtyping import Bool, Float
from torch import Tensor

from .edit import Run, Update
from .steps import LAWS

if TYPE_CHECKING:
    from .guidance import Guidance


class Notes:
    """The updates of a run; on a GPU they are read one step late.

    Reading waits for the GPU. Left alone, it computes the gradient while Python launches the rest of the step, which
    takes Python as long as the GPU for a large network.
    """

    def __init__(self, guidance: "Guidance", run: Run):
        self.guidance, self.run = guidance, run
        self.updates: list[list[Update]] = [[] for _ in run.prompts]
        self._unread: list[tuple[int, Tensor, Tensor, Tensor]] = []

    def add(
        self, index: int, energy: Float[Tensor, "prompts frames"],
        change: Float[Tensor, "prompts channels frames height width"], moved: Bool[Tensor, " prompts"],
    ) -> None:  # fmt: skip
        """Keep the energies of a step before its update, how much it changed, and which clips it moved."""
        self._unread.append((index, energy, change.abs().amax((1, 2, 3, 4)), moved))
        if not reads_late(change):
            self.read()

    def read(self) -> None:
        """Add what was kept to the updates.

        Raises FloatingPointError for a gradient that is not finite, and ValueError for a change beyond the limit.
        """
        unread, self._unread = self._unread, []
        for index, energy, change, moved in unread:
            energies, largest = energy.tolist(), change.tolist()
            for clip, has_moved in enumerate(moved.tolist()):
                if has_moved:
                    self.updates[clip].append(Update(index, tuple(energies[clip]), largest[clip]))
            self._refuse(largest, index)

    def _refuse(self, largest: list[float], index: int) -> None:
        if not all(math.isfinite(value) for value in largest):
            precision = str(self.run.model.dtype).removeprefix("torch.")
            raise FloatingPointError(
                f'step {index}: the gradient is not finite in {precision}; load the model with dtype="float32" or '
                "lower strength"
            )
        guidance = self.guidance
        if max(largest) > guidance.limit:
            raise ValueError(
                f"strength={guidance.strength} with law={guidance.law!r} moves a latent by {max(largest):.0f} standard "
                f"deviations at step {index}, which leaves no picture; lower strength, take another law (possible are "
                f"{', '.join(map(repr, LAWS))}), or see what happens with a higher limit={guidance.limit}"
            )


def reads_late(tensor: Tensor) -> bool:
    """Whether reading a tensor makes Python wait for other work."""
    return tensor.is_cuda
