"""A recording as maps of places, and the maps that a faultless model would have."""

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor

from ...attention.recording import Recording

PlaceMaps = dict[str, Float[Tensor, "tokens pictures height width"]]


def place_maps(attention: Recording, step: int | None = None) -> PlaceMaps:
    """A recording as {"16 up": maps, …}: the mean over the sites of a height and group, of one step or all.

    Pictures are the frames of all videos, or all images, one after the other.
    """
    places: dict[str, list[Tensor]] = {}
    for site in attention.sites():
        maps = attention.probabilities(site, step).mean(2).flatten(0, 1)  # (pictures, height, width, tokens)
        places.setdefault(f"{maps.shape[1]} {site.group}", []).append(maps)
    return {place: torch.stack(maps).mean(0).movedim(-1, 0) for place, maps in places.items()}


def perfect(masks: Bool[Tensor, "pictures rows columns"], side: int) -> Float[Tensor, "pictures side side"]:
    """What a faultless map would be: the share of each cell that the object covers."""
    return F.adaptive_avg_pool2d(masks.float()[:, None], side)[:, 0]
