"""What edits make of attention maps: stretch, threshold, find the centre; `measures/map_quality.py` measures them.

Maps are float tensors (..., height, width) with any leading axes (tokens, frames).
"""

import torch
from jaxtyping import Bool, Float
from torch import Tensor

SHARPNESS = 20.0  # of the soft threshold, as in Diffusion self-guidance and in the paper's code
LEAST_RANGE = 1e-8  # a map with less between its ends is constant

Maps = Float[Tensor, "*axes height width"]


def normalise(maps: Maps) -> Maps:
    """Each map stretched to [0, 1]; a constant map becomes 0."""
    low, high = maps.amin((-2, -1), keepdim=True), maps.amax((-2, -1), keepdim=True)
    return (maps - low) / (high - low).clamp(min=LEAST_RANGE)


def soft_threshold(maps: Maps, sharpness: float = SHARPNESS) -> Maps:
    """The paper's shape(k), section 3.4: norm(sigmoid(s * (norm(A) - 1/2))), in [0, 1], differentiable."""
    return normalise(torch.sigmoid(sharpness * (normalise(maps) - 0.5)))


def centre_of_mass(maps: Maps | Bool[Tensor, "*axes height width"]) -> Float[Tensor, "*axes 2"]:
    """Mean position weighted by the map as x, y in [0, 1], y down; NaN for a map of zeros, such as no mask.

    A raw map's background draws its centre to the middle of the picture: take the soft threshold first.
    """
    weights = maps.float()
    height, width = weights.shape[-2:]
    ys = (torch.arange(height, device=maps.device) + 0.5) / height
    xs = (torch.arange(width, device=maps.device) + 0.5) / width
    across = (weights * xs).sum((-2, -1))
    down = (weights * ys[:, None]).sum((-2, -1))
    return torch.stack([across, down], -1) / weights.sum((-2, -1))[..., None]
