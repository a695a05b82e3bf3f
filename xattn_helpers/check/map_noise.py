"""Exercises on how noisy a map is: attention on the object, AUROC, roughness, leakage into other words."""

from collections.abc import Callable
from typing import Annotated

import torch
from torch import Tensor

from ..arguments import checked
from ..attention.maps import normalise
from ..kinds import takes
from ..measures import map_quality
from .verdict import Inputs, Verdict, judge

Masked = Annotated[Callable, takes(2)]
Single = Annotated[Callable, takes(1)]
Leaking = Annotated[Callable, takes(3)]
SIZES = ((4, 5), (3, 6))  # of maps; not square, so that height and width are told apart


def _examples() -> list[tuple[Tensor, Tensor]]:
    """Maps (height, width) in tenths, in which values occur twice, and masks of an object."""
    generator = torch.Generator().manual_seed(0)
    examples = []
    for height, width in SIZES:
        values = torch.randint(1, 8, (height, width), generator=generator) / 10
        mask = torch.zeros(height, width, dtype=torch.bool)
        mask[1:3, 1:4] = True
        examples.append((values + 0.2 * mask, mask))
    return examples


@checked
def mass_on_object(function: Masked) -> Verdict:
    """Check `function(map, mask)`: the share of a map's attention that lies on the object; both are (height, width)."""
    calls: list[Inputs] = list(_examples())
    return judge(function, _mass, MASS_MISTAKES, calls, "mass_on_object")


def _mass(values: Tensor, mask: Tensor) -> Tensor:
    return values[mask].sum() / values.sum()


MASS_MISTAKES = {
    "mass_on_object returns the sum on the object: divide it by the sum of the whole map":
        lambda values, mask: values[mask].sum(),
    "mass_on_object returns the mean on the object: it must be a share of the whole sum":
        lambda values, mask: values[mask].mean(),
    "mass_on_object divides by the rest of the map: the whole is the object and the rest":
        lambda values, mask: values[mask].sum() / values[~mask].sum(),
    "mass_on_object is the share outside of the object": lambda values, mask: 1 - _mass(values, mask),
    "mass_on_object is the share of the pixels that are the object's: weigh them by the map":
        lambda values, mask: mask.float().mean(),
}  # fmt: skip


@checked
def auroc(function: Masked) -> Verdict:
    """Check `function(map, mask)`: how likely a pixel of the object is brighter than one outside; ties half."""
    calls: list[Inputs] = list(_examples())
    return judge(function, map_quality.auroc, AUROC_MISTAKES, calls, "auroc")


def _apart(values: Tensor, mask: Tensor) -> Tensor:
    """Each pixel of the object minus each one outside."""
    return values[mask][:, None] - values[~mask]


AUROC_MISTAKES = {
    "auroc does not count ties: pairs that are equally bright count one half":
        lambda values, mask: (_apart(values, mask) > 0).float().mean(),
    "auroc counts ties as one: pairs that are equally bright count one half":
        lambda values, mask: (_apart(values, mask) >= 0).float().mean(),
    "auroc asks how often the object is darker": lambda values, mask: 1 - map_quality.auroc(values, mask),
    "auroc returns how much brighter the object is: count the pairs in which it is brighter":
        lambda values, mask: _apart(values, mask).mean(),
    "auroc compares with all pixels: pairs are of one pixel of the object and one outside":
        lambda values, mask: _ahead(values[mask][:, None] - values.flatten()).mean(),
    "auroc compares the object's brightest pixel alone: take every pixel of the object":
        lambda values, mask: _ahead(values[mask].max() - values[~mask]).mean(),
    "auroc adds the pairs up: divide by how many there are": lambda values, mask: _ahead(_apart(values, mask)).sum(),
}  # fmt: skip


def _ahead(apart: Tensor) -> Tensor:
    """1 where a difference is above zero, one half where it is zero."""
    return (apart > 0).float() + (apart == 0).float() / 2


@checked
def roughness(function: Single) -> Verdict:
    """Check `function(map)`: the mean absolute difference of neighbours of the (height, width) map, stretched."""
    calls: list[Inputs] = [(values,) for values, _ in _examples()]
    return judge(function, map_quality.roughness, ROUGHNESS_MISTAKES, calls, "roughness")


def _steps(values: Tensor) -> Tensor:
    """Differences of all pairs of neighbours, one below the other and side by side."""
    return torch.cat([values.diff(dim=0).flatten(), values.diff(dim=1).flatten()])


ROUGHNESS_MISTAKES = {
    "roughness does not stretch the map: a faint map must be as rough as a bright one":
        lambda values: _steps(values).abs().mean(),
    "roughness lets steps up and down cancel: take their absolute values":
        lambda values: _steps(normalise(values)).mean(),
    "roughness squares the steps: it is the mean of their absolute values":
        lambda values: _steps(normalise(values)).square().mean(),
    "roughness adds the steps up: divide by the number of pairs": lambda values: _steps(normalise(values)).abs().sum(),
    "roughness looks at neighbours side by side only: those below each other count, too":
        lambda values: normalise(values).diff(dim=1).abs().mean(),
    "roughness looks at neighbours below each other only: those side by side count, too":
        lambda values: normalise(values).diff(dim=0).abs().mean(),
    "roughness weighs both directions alike: all pairs of neighbours count alike, whatever their direction":
        lambda values: (normalise(values).diff(dim=0).abs().mean() + normalise(values).diff(dim=1).abs().mean()) / 2,
    "roughness adds both directions: join all pairs, and take one mean":
        lambda values: normalise(values).diff(dim=0).abs().mean() + normalise(values).diff(dim=1).abs().mean(),
}  # fmt: skip


@checked
def leakage(function: Leaking) -> Verdict:
    """Check `function(maps, mask, noun)`: the mean of 2 AUROC - 1 over the maps of all tokens but the noun.

    Maps are (tokens, height, width), the mask is (height, width), and noun is the noun's token.
    """
    generator = torch.Generator().manual_seed(1)
    calls: list[Inputs] = []
    for number, (values, mask) in enumerate(_examples()):
        rest = torch.rand(4, *values.shape, generator=generator) + 0.5 * mask
        rest[3] = 1 - rest[3]  # a shadow of the object
        calls.append((torch.cat([rest[: number + 1], values[None], rest[number + 1 :]]), mask, number + 1))
    return judge(function, _leaked, LEAKAGE_MISTAKES, calls, "leakage")


def _without(maps: Tensor, noun: int) -> Tensor:
    return maps[torch.arange(len(maps)) != noun]


def _leaked(maps: Tensor, mask: Tensor, noun: int) -> Tensor:
    return map_quality.leakage(_without(maps, noun), mask).mean()


LEAKAGE_MISTAKES = {
    "leakage counts the noun itself: it is about all other tokens":
        lambda maps, mask, noun: map_quality.leakage(maps, mask).mean(),
    "leakage is the noun's own: it is about all other tokens":
        lambda maps, mask, noun: map_quality.leakage(maps[noun], mask),
    "leakage is the mean AUROC: 2 AUROC - 1 is 0 for a map that knows nothing":
        lambda maps, mask, noun: map_quality.auroc(_without(maps, noun), mask).mean(),
    "leakage takes absolute values: a shadow of the object counts with its sign":
        lambda maps, mask, noun: map_quality.leakage(_without(maps, noun), mask).abs().mean(),
    "leakage takes the mean of the maps first: every token has an AUROC of its own":
        lambda maps, mask, noun: map_quality.leakage(_without(maps, noun).mean(0), mask),
    "leakage adds the tokens up: take their mean":
        lambda maps, mask, noun: map_quality.leakage(_without(maps, noun), mask).sum(),
    "leakage has the wrong sign": lambda maps, mask, noun: -_leaked(maps, mask, noun),
}  # fmt: skip
