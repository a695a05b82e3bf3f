"""Energies: how far attention maps are from a target, as pure functions with a gradient.

Each takes maps (..., frames, height, width), probabilities of one word, any leading axes such as heads, and targets
(frames, height, width) in [0, 1], and returns one number a frame, (..., frames). Guidance goes downhill.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from .maps import centre_of_mass, soft_threshold

TOP_SHARE = 0.2  # of the cells inside (and of as many outside) that the top-k energy looks at
OUTSIDE_WEIGHT = 1.0  # of what is attended to outside, in the top-k energy


def shape_energy(maps: Tensor, targets: Tensor) -> Tensor:
    """mean (shape(A_tar) - shape(A))^2 over pixels: the paper's eq. 3, squared as in its released code."""
    return (targets - soft_threshold(maps)).square().mean((-2, -1))


def signed_energy(maps: Tensor, targets: Tensor) -> Tensor:
    """mean (shape(A_tar) - shape(A)): eq. 3 to the letter. It only asks for more attention, anywhere: a lesson."""
    return (targets - soft_threshold(maps)).mean((-2, -1))


def box_energy(maps: Tensor, targets: Tensor) -> Tensor:
    """(1 - sum A M / sum A)^2: the share of attention outside the target (Chen et al., layout guidance)."""
    return (1 - (maps * targets).sum((-2, -1)) / maps.sum((-2, -1)).clamp(min=1e-8)).square()


def top_energy(maps: Tensor, targets: Tensor) -> Tensor:
    """1 - mean of the largest values inside + w * mean of the largest outside, of A / max A (Lian et al., LVD)."""
    scaled = (maps / maps.amax((-2, -1), keepdim=True).clamp(min=1e-8)).flatten(-2)  # (..., frames, pixels)
    inside = targets.flatten(-2) >= 0.5  # (frames, pixels)
    rows = []
    for frame, there in enumerate(inside):  # targets of different size look at different numbers of cells
        values, count = scaled[..., frame, :], max(1, round(TOP_SHARE * int(there.sum())))
        within, without = (values.masked_fill(hidden, 0).topk(count).values.mean(-1) for hidden in (~there, there))
        rows.append(1 - within + OUTSIDE_WEIGHT * without)
    return torch.stack(rows, -1)


def centre_energy(maps: Tensor, targets: Tensor) -> Tensor:
    """Squared distance of the centres of mass of shape(A) and target (Epstein et al., self-guidance)."""
    return (_centre(soft_threshold(maps)) - _centre(targets)).square().sum(-1)


def size_energy(maps: Tensor, targets: Tensor) -> Tensor:
    """Squared difference of the areas of shape(A) and target, in shares of the picture (self-guidance)."""
    return (soft_threshold(maps).mean((-2, -1)) - targets.mean((-2, -1))).square()


def velocity_energy(maps: Tensor, targets: Tensor) -> Tensor:
    """Squared difference of the centres' steps from frame to frame; the first frame has none and counts 0."""
    steps = [_centre(one).diff(dim=-2) for one in (soft_threshold(maps), targets)]
    energy = (steps[0] - steps[1]).square().sum(-1)
    return torch.cat([torch.zeros_like(energy[..., :1]), energy], -1)


def _centre(maps: Tensor) -> Tensor:
    """The centre of mass, (..., 2); an empty map's is the middle of the picture, so that its gradient is finite."""
    return centre_of_mass(maps + 1e-6)


Energy = Callable[[Tensor, Tensor], Tensor]
ENERGIES: dict[str, Energy] = {
    "box": box_energy,
    "shape": shape_energy,
    "signed": signed_energy,
    "top": top_energy,
    "centre": centre_energy,
    "size": size_energy,
    "velocity": velocity_energy,
}


def combine(weights: str | dict[str, float] | Energy) -> Energy:
    """One energy of a name, of names with weights {"box": 1, "size": 5}, or of a function like those above.

    Raises ValueError for an unknown name.
    """
    if callable(weights):
        return weights
    weights = {weights: 1.0} if isinstance(weights, str) else weights
    unknown = set(weights) - set(ENERGIES)
    if unknown or not weights:
        raise ValueError(f"energy: {', '.join(sorted(unknown)) or 'none'} given; possible are {', '.join(ENERGIES)}")
    return lambda maps, targets: sum(weight * ENERGIES[name](maps, targets) for name, weight in weights.items())

