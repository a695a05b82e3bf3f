"""Steps that the right answers and the mistakes of several exercises have in common."""

import torch
from torch import Tensor

TOGETHER = (0, 1, 2)  # the axes of maps (frames, height, width), for a mistake that takes all frames as one


def stretched(maps: Tensor, axes: tuple[int, ...]) -> Tensor:
    """Maps stretched from 0 to 1 along axes; those of `normalise` are the last two."""
    low, high = maps.amin(axes, keepdim=True), maps.amax(axes, keepdim=True)
    return (maps - low) / (high - low)


def raised(normed: Tensor, sharpness: float, middle: float = 0.5) -> Tensor:
    """Stretched maps after the sigmoid of the soft threshold, which is steepest at `middle`."""
    return torch.sigmoid(sharpness * (normed - middle))


def mean_over_all(ious: Tensor) -> Tensor:
    """The mean IoU of (frames,) over all frames: one without the object, NaN, counts 0."""
    return ious.nan_to_num(0.0).mean()
