"""Exercises on guidance: from a word's map to its energy, eq. 3."""

from collections.abc import Callable
from typing import Annotated

import torch
from torch import Tensor

from ..arguments import checked
from ..attention import maps as of_maps
from ..kinds import takes
from .parts import TOGETHER, raised, stretched
from .verdict import Inputs, Verdict, judge

OfMaps = Annotated[Callable, takes(1)]
OfTwo = Annotated[Callable, takes(2)]
SHARPNESSES = (20.0, 6.0, 2.0)  # at 20 alone, leaving out the last normalisation would not be seen
CELLS = (-2, -1)  # the axes of a map


@checked
def normalise(function: OfMaps) -> Verdict:
    """Check `function(maps)`: each map of (frames, height, width) stretched to [0, 1]; no map is constant."""
    generator = torch.Generator().manual_seed(0)
    calls: list[Inputs] = []
    for frames, height, width in ((3, 4, 5), (2, 6, 3)):
        calls.append((_maps(frames, height, width, generator),))
    return judge(function, of_maps.normalise, NORM_MISTAKES, calls, "normalise")


def _maps(frames: int, height: int, width: int, generator: torch.Generator) -> Tensor:
    """Maps whose frames differ in their darkest and brightest cells."""
    scale = torch.arange(1, frames + 1)[:, None, None]
    return 0.05 * scale * (0.2 + torch.rand(frames, height, width, generator=generator))


NORM_MISTAKES = {
    "normalise stretches all frames together: each frame has a darkest and a brightest cell of its own":
        lambda maps: stretched(maps, TOGETHER),
    "normalise divides by the brightest cell alone: first subtract the darkest":
        lambda maps: maps / maps.amax(CELLS, keepdim=True),
    "normalise divides by the brightest cell: after the subtraction, the brightest is (high - low)":
        lambda maps: (maps - maps.amin(CELLS, keepdim=True)) / maps.amax(CELLS, keepdim=True),
    "normalise only subtracts the darkest cell: then divide by (high - low)":
        lambda maps: maps - maps.amin(CELLS, keepdim=True),
    "normalise stretches each row by itself: a map has two axes": lambda maps: stretched(maps, (-1,)),
    "normalise stretches each column by itself: a map has two axes": lambda maps: stretched(maps, (-2,)),
    "normalise stretches each cell over the frames: a map has the last two axes": lambda maps: stretched(maps, (0,)),
    "normalise makes each map sum to one: its darkest cell must be 0 and its brightest 1":
        lambda maps: maps / maps.sum(CELLS, keepdim=True),
    "normalise turns the map over: (maps - low), not (high - maps)": lambda maps: 1 - of_maps.normalise(maps),
    "normalise returns the maps as they are": lambda maps: maps,
}  # fmt: skip


@checked
def soft_threshold(function: OfTwo) -> Verdict:
    """Check `function(maps, sharpness)`: norm(sigmoid(sharpness * (norm(maps) - 1/2))) of (frames, height, width)."""
    generator = torch.Generator().manual_seed(0)
    calls: list[Inputs] = [(_maps(3, 4, 5, generator), sharpness) for sharpness in SHARPNESSES]
    return judge(function, of_maps.soft_threshold, THRESHOLD_MISTAKES, calls, "soft_threshold")


THRESHOLD_MISTAKES = {
    "soft_threshold leaves out the last normalisation: at a low sharpness the sigmoid does not reach 0 and 1":
        lambda maps, sharpness: raised(of_maps.normalise(maps), sharpness),
    "soft_threshold leaves out the first normalisation: ½ is the middle of a map only if it reaches from 0 to 1":
        lambda maps, sharpness: of_maps.normalise(raised(maps, sharpness)),
    "soft_threshold does not subtract ½: the threshold is then the darkest cell":
        lambda maps, sharpness: of_maps.normalise(raised(of_maps.normalise(maps), sharpness, 0.0)),
    "soft_threshold adds ½: subtract it, so that ½ is where the sigmoid is steep":
        lambda maps, sharpness: of_maps.normalise(raised(of_maps.normalise(maps), sharpness, -0.5)),
    "soft_threshold does not use the sharpness: it multiplies (norm(maps) - ½)":
        lambda maps, sharpness: of_maps.soft_threshold(maps, 1.0),
    "soft_threshold subtracts ½ after the multiplication: the sharpness multiplies (norm(maps) - ½)":
        lambda maps, sharpness: of_maps.normalise(torch.sigmoid(sharpness * of_maps.normalise(maps) - 0.5)),
    "soft_threshold stretches all frames together: each frame has a threshold of its own":
        lambda maps, sharpness: stretched(raised(stretched(maps, TOGETHER), sharpness), TOGETHER),
    "soft_threshold is a hard one, whose gradient is zero: use torch.sigmoid":
        lambda maps, sharpness: (of_maps.normalise(maps) > 0.5).to(maps),
    "soft_threshold only stretches the maps: the sigmoid is missing":
        lambda maps, sharpness: of_maps.normalise(maps),
}  # fmt: skip


@checked
def shape_energy(function: OfTwo) -> Verdict:
    """Check `function(shapes, target)`: the mean squared difference, one number for each head and frame.

    `shapes` are (heads, frames, height, width), the target is (frames, height, width).
    """
    generator = torch.Generator().manual_seed(0)
    calls: list[Inputs] = []
    for heads, frames, height, width in ((2, 3, 4, 5), (3, 2, 6, 4)):
        target = (torch.rand(frames, height, width, generator=generator) > 0.6).float()
        calls.append((torch.rand(heads, frames, height, width, generator=generator), target))
    return judge(function, _energy, ENERGY_MISTAKES, calls, "shape_energy")


def _energy(shapes: Tensor, target: Tensor) -> Tensor:
    return (target - shapes).square().mean(CELLS)


ENERGY_MISTAKES = {
    "shape_energy has no square: its gradient does not know the target": lambda shapes, target: (
        target - shapes).mean(CELLS),
    "shape_energy has no square, and the wrong sign": lambda shapes, target: (shapes - target).mean(CELLS),
    "shape_energy squares the mean: square each cell, then take the mean": lambda shapes, target: (
        target - shapes).mean(CELLS).square(),
    "shape_energy has the absolute difference: the energy of the released code is squared": lambda shapes, target: (
        target - shapes).abs().mean(CELLS),
    "shape_energy has the square root: leave it out": lambda shapes, target: _energy(shapes, target).sqrt(),
    "shape_energy sums over the cells: take their mean, so that maps of every size count alike":
        lambda shapes, target: (target - shapes).square().sum(CELLS),
    "shape_energy takes the mean over everything: it must be one number for each head and frame":
        lambda shapes, target: _energy(shapes, target).mean(),
    "shape_energy takes the mean over the heads, too: that comes later": lambda shapes, target: _energy(
        shapes, target).mean(0),
    "shape_energy takes the mean over the frames, too: each frame has an energy": lambda shapes, target: _energy(
        shapes, target).mean(1),
    "shape_energy looks inside of the target only: attention outside must cost something":
        lambda shapes, target: ((target - shapes) * target).square().mean(CELLS),
}  # fmt: skip
