"""What is measured of the maps of one case: a row of `attention_noise`."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float
from torch import Tensor

from ...attention.maps import centre_of_mass, soft_threshold
from ...measures import map_quality
from ..rows import Row
from .maps import PlaceMaps, perfect
from .prompts import PICTURES
from .table import KINDS, STEPWISE

LEAKS = ("in, on", "the")  # the words under which the paper sees its shark
Maps = Float[Tensor, "pictures height width"]
Masks = Bool[Tensor, "pictures rows columns"]


def describe(average: PlaceMaps, by_step: Sequence[PlaceMaps], masks: Masks, roles: Sequence[str]) -> Row:
    """All numbers of one case; `masks` are those of every frame, `roles` those of the tokens."""
    positions = positions_of(roles)
    chosen = counted(len(masks))
    seen = masks[chosen].any(-1).any(-1)
    row: Row = {"seen": float(seen.float().mean()), "area": float(masks[chosen][seen].float().mean())}
    for place, maps in average.items():
        row |= of_place(place, maps, positions, masks)
    for place in STEPWISE:
        if place in average:
            row |= of_steps(place, by_step, positions["noun"], masks[chosen])
    return row


def positions_of(roles: Sequence[str]) -> dict[str, list[int]]:
    """The positions of the tokens of each kind."""
    positions: dict[str, list[int]] = {}
    for kind in KINDS:
        indices = [index for index, role in enumerate(roles) if role == kind]
        if indices:
            positions[kind] = indices
    return positions


def counted(frames: int) -> list[int]:
    """Which frames of a clip count: PICTURES of them, evenly spaced, or all if there are no more."""
    return np.linspace(0, frames - 1, min(PICTURES, frames)).round().astype(int).tolist()


def of_place(
    place: str, maps: Float[Tensor, "tokens frames height width"], positions: dict[str, list[int]], masks: Masks
) -> Row:
    """The statistics of a place: of the noun's maps, of a faultless map, and the leakage of every kind of token."""
    chosen = counted(len(masks))
    cells = map_quality.shrink_mask(masks[chosen], (maps.shape[-2], maps.shape[-1]))
    seen = masks[chosen].any(-1).any(-1)
    noun = maps[positions["noun"]].sum(0)
    leaks = {kind: leakage(maps[indices][:, chosen].mean(0), cells) for kind, indices in positions.items()}
    row = statistics(noun[chosen], masks[chosen]) | jitter(noun, masks)
    row["leakage"] = float(np.mean([leaks[kind] for kind in LEAKS if kind in leaks]))
    row["counted"] = float(cells.any(-1).any(-1).float().mean())
    ideal, side = masks[chosen][seen], maps.shape[-1]
    faultless = jitter(perfect(masks, side), masks) | statistics(perfect(ideal, side), ideal)
    named = {f"{name} {place}": value for name, value in row.items()}
    named |= {f"perfect {name} {place}": value for name, value in faultless.items()}
    return named | {f"leakage of {kind}, {place}": value for kind, value in leaks.items()}


def statistics(noun: Maps, masks: Masks | None = None) -> dict[str, float]:
    """Means over pictures for a noun's maps; without masks only what needs none."""
    values = {"entropy": map_quality.entropy(noun), "roughness": map_quality.roughness(noun)}
    if masks is not None:
        cells = map_quality.shrink_mask(masks, (noun.shape[-2], noun.shape[-1]))
        values["auroc"] = map_quality.auroc(noun, cells)
        values["iou"] = map_quality.iou(soft_threshold(noun), cells)
    return {name: float(by_picture.nanmean()) for name, by_picture in values.items()}


def jitter(noun: Maps, masks: Masks) -> dict[str, float]:
    """How the centre of a noun's map trembles about the object's, over all frames; nothing for pictures."""
    if len(noun) <= PICTURES:
        return {}
    centres, objects = centre_of_mass(soft_threshold(noun)), centre_of_mass(masks)
    return {"jitter": float(map_quality.jitter(centres, objects))}


def leakage(maps: Maps, cells: Bool[Tensor, "pictures height width"]) -> float:
    """How much a token's maps know of the object, mean over the pictures that have it."""
    return float(map_quality.leakage(maps, cells).nanmean())


def of_steps(place: str, by_step: Sequence[PlaceMaps], noun: Sequence[int], masks: Masks) -> Row:
    """The AUROC of the noun's maps after each step, in the frames that count."""
    row: Row = {}
    for number, step in enumerate(by_step):
        maps = step[place][list(noun)].sum(0)
        maps = maps[counted(len(maps))]
        cells = map_quality.shrink_mask(masks, (maps.shape[-2], maps.shape[-1]))
        row[f"step {number} auroc {place}"] = float(map_quality.auroc(maps, cells).nanmean())
    return row
