"""Running a UNet only as far, and keeping only as much of it, as the gradient of an energy of its attention needs."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from .attention import Layer, Step


class Reached(Exception):
    """The forward pass has gone as far as guidance needs it."""


@dataclass
class Probe:
    """A controller that keeps the probabilities of layers of some resolutions, with their graph, and then stops."""

    heights: tuple[int, ...]
    last: str | None  # the layer to stop after, once it is known
    at_once: bool = True  # whether to stop right there, or to leave that to `checkpointed`, at the end of the block
    seen: dict[str, Tensor] = field(default_factory=dict)
    records = True

    def __call__(self, probabilities: Tensor, layer: Layer, step: Step) -> Tensor:
        """Keep, and stop; a layer that checkpointing runs again for its gradient is left alone."""
        if probabilities.shape[3] in self.heights and layer.name not in self.seen:
            self.seen[layer.name] = probabilities
            if self.at_once:
                self.stop()
        return probabilities

    def stop(self) -> None:
        """Raise `Reached` when nothing after this is needed."""
        if self.last in self.seen:
            raise Reached


@contextmanager
def checkpointed(unet: nn.Module, probe: Probe) -> Iterator[None]:
    """Inside, each block of the UNet forgets what it computed and does it again for the gradient: slower, smaller.

    `UNet3DConditionModel.enable_gradient_checkpointing` raises. The pass stops at the end of the block that has the
    last needed layer, not inside of it, because a checkpoint must be complete to be run again.
    """

    def again(forward: Callable) -> Callable:
        def run(*inputs, **options):
            result = checkpoint(forward, *inputs, use_reentrant=False, preserve_rng_state=False, **options)
            probe.stop()
            return result

        return run

    blocks = [*unet.down_blocks, unet.mid_block, *unet.up_blocks]
    try:
        for block in blocks:
            block.forward = again(block.forward)
        yield
    finally:
        for block in blocks:
            vars(block).pop("forward", None)  # what the class defines comes back
