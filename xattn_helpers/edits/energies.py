"""Energies: how far attention maps are from a target, as pure functions with a gradient.

Each takes maps (..., frames, height, width), probabilities of one word with any leading axes such as heads, and targets
(frames, height, width) in [0, 1], and returns one number a frame, (..., frames). Guidance goes downhill.
"""

from collections.abc import Callable, Mapping
from typing import Annotated, Literal

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor

from ..arguments import checked
from ..attention.maps import LEAST_RANGE, SHARPNESS, centre_of_mass, soft_threshold
from ..descriptions import describe
from ..kinds import takes

Maps = Float[Tensor, "*heads frames height width"]
Targets = Float[Tensor, "frames height width"]
Energies = Float[Tensor, "*heads frames"]
Energy = Callable[[Maps, Targets], Energies]
Name = Literal["box", "shape", "released", "signed", "top", "lvd", "centre", "size", "velocity"]
Weighted = Annotated[
    Name | Mapping[Name, float] | Annotated[Callable, takes(2)],
    Field(description=f"{describe(Name)}, a dictionary of these with finite weights, or a function of maps, targets"),
]  # fmt: skip

TOP_SHARE = 0.2  # of the cells inside (and of as many outside) that the top-k energy looks at
OUTSIDE_WEIGHT = 1.0  # of what is attended to outside, in the top-k energy
LEAST = 1e-8  # of a map that is divided by
LVD_SHARE = 0.75  # of the cells, on either side, in LVD's code for ModelScope
LVD_OUTSIDE, LVD_CENTRES = 4.0, 0.03  # its weights


def shape_energy(maps: Maps, targets: Targets) -> Energies:
    """mean (shape(A_tar) - shape(A))^2 over cells: the paper's eq. 3, squared as in its released code."""
    return (targets - soft_threshold(maps)).square().mean((-2, -1))


def released_energy(maps: Maps, targets: Targets) -> Energies:
    """The shape energy as the paper's released code has it: maps are stretched over all heads of a frame together.

    A weak head then stays weak, where "shape" makes every head's map reach from 0 to 1. Maps without an axis of heads
    are one head.
    """
    heads = (-4, -2, -1) if maps.ndim > 3 else (-2, -1)
    raised = torch.sigmoid(SHARPNESS * (_stretched(maps, heads) - 0.5))
    return (targets - _stretched(raised, heads)).square().mean((-2, -1))


def _stretched(maps: Maps, axes: tuple[int, ...]) -> Maps:
    """Maps stretched to [0, 1] over several axes together; constant ones become 0."""
    low, high = maps.amin(axes, keepdim=True), maps.amax(axes, keepdim=True)
    return (maps - low) / (high - low).clamp(min=LEAST_RANGE)


def signed_energy(maps: Maps, targets: Targets) -> Energies:
    """mean (shape(A_tar) - shape(A)): eq. 3 to the letter. It only asks for more attention, anywhere: a lesson."""
    return (targets - soft_threshold(maps)).mean((-2, -1))


def box_energy(maps: Maps, targets: Targets) -> Energies:
    """(1 - sum A M / sum A)^2: the share of attention outside the target (Chen et al., layout guidance)."""
    inside = (maps * targets).sum((-2, -1))
    return (1 - inside / maps.sum((-2, -1)).clamp(min=LEAST)).square()


def top_energy(maps: Maps, targets: Targets) -> Energies:
    """1 - mean of the largest values inside + w * mean of the largest outside, of A / max A (after LVD)."""
    scaled = maps / maps.amax((-2, -1), keepdim=True).clamp(min=LEAST)
    return _largest(scaled, targets, _as_many_outside, OUTSIDE_WEIGHT)


def lvd_energy(maps: Maps, targets: Targets) -> Energies:
    """The energy of LVD's code for ModelScope (Lian et al. 2024): top values of A itself, centres of mass, velocities.

    heads * (1 - mean of the top 75 % inside + 4 * mean of the top 75 % outside) + 0.03 * (squared distance of the
    centres of mass of map and target, in cells, and of their steps to the next frame): it adds the first terms up over
    heads and takes the mean of the last ones. Maps without an axis of heads are one head.
    """
    heads = maps.shape[-4] if maps.ndim > 3 else 1
    largest = _largest(maps, targets, _of_each_side, LVD_OUTSIDE)
    cells = maps.new_tensor([maps.shape[-1], maps.shape[-2]])  # x, y
    centres, wanted = cells * _centre(maps), cells * _centre(targets)
    places = (centres - wanted).square().sum(-1)
    steps = (centres.diff(dim=-2) - wanted.diff(dim=-2)).square().sum(-1)  # of all frames but the last
    last = steps.new_zeros((*steps.shape[:-1], 1))
    return heads * largest + LVD_CENTRES * (places + torch.cat([steps, last], -1))


def _largest(maps: Maps, targets: Targets, counts: Callable[[int, int], tuple[int, int]], weight: float) -> Energies:
    """1 - mean of the largest values inside + weight * mean of the largest outside.

    `counts(cells inside, cells)` tells how many are the largest, inside and outside.
    """
    flat, energies = maps.flatten(-2), []
    for frame, inside in enumerate(targets.flatten(-2) >= 0.5):  # (cells,), of which each frame may have another number
        values = flat[..., frame, :]
        count_inside, count_outside = counts(int(inside.sum()), len(inside))
        largest_inside = values.masked_fill(~inside, 0).topk(count_inside).values.mean(-1)
        largest_outside = values.masked_fill(inside, 0).topk(count_outside).values.mean(-1)
        energies.append(1 - largest_inside + weight * largest_outside)
    return torch.stack(energies, -1)


def _as_many_outside(inside: int, cells: int) -> tuple[int, int]:
    return _share(TOP_SHARE, inside), _share(TOP_SHARE, inside)


def _of_each_side(inside: int, cells: int) -> tuple[int, int]:
    return _share(LVD_SHARE, inside), _share(LVD_SHARE, cells - inside)


def _share(share: float, count: int) -> int:
    return max(1, round(share * count))


def centre_energy(maps: Maps, targets: Targets) -> Energies:
    """Squared distance of the centres of mass of shape(A) and target (Epstein et al., self-guidance)."""
    return (_centre(soft_threshold(maps)) - _centre(targets)).square().sum(-1)


def size_energy(maps: Maps, targets: Targets) -> Energies:
    """Squared difference of the areas of shape(A) and target, in shares of the picture (self-guidance)."""
    return (soft_threshold(maps).mean((-2, -1)) - targets.mean((-2, -1))).square()


def velocity_energy(maps: Maps, targets: Targets) -> Energies:
    """Squared difference of the centres' steps from frame to frame; the first frame has none and counts 0."""
    steps = _centre(soft_threshold(maps)).diff(dim=-2)
    wanted = _centre(targets).diff(dim=-2)
    energies = (steps - wanted).square().sum(-1)
    first = energies.new_zeros((*maps.shape[:-3], 1))
    return torch.cat([first, energies], -1)


def _centre(maps: Maps) -> Float[Tensor, "*heads frames 2"]:
    """The centre of mass; an empty map's is the middle of the picture, so that its gradient is finite."""
    return centre_of_mass(maps + 1e-6)


ENERGIES: dict[str, Energy] = {
    "box": box_energy,
    "shape": shape_energy,
    "released": released_energy,
    "signed": signed_energy,
    "top": top_energy,
    "lvd": lvd_energy,
    "centre": centre_energy,
    "size": size_energy,
    "velocity": velocity_energy,
}


@checked
def combine(weights: Weighted) -> Energy:
    """One energy of a name, of names with weights {"box": 1, "size": 5}, or of a function like those above.

    Raises ValueError for an unknown name, for a weight that is not finite, and for no names.
    """
    if callable(weights):
        return weights
    by_name = {weights: 1.0} if isinstance(weights, str) else dict(weights)
    if not by_name:
        raise ValueError(f"energy={{}}: no energy is named; possible are {', '.join(ENERGIES)}")

    def weighted(maps: Maps, targets: Targets) -> Energies:
        terms = [weight * ENERGIES[name](maps, targets) for name, weight in by_name.items()]
        return torch.stack(terms).sum(0)

    return weighted
