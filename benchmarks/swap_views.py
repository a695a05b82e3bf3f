"""What the detector sees in the pictures of a case of `forward_swap`, and how two such views differ."""

import numpy as np
import torch
from torch import Tensor

from xattn_helpers import maps as measures
from xattn_helpers.metrics import boxes_of, centres, look

from .swap_table import PARTS


class View:
    """What the detector sees of one word in all pictures of a case, uint8 (pictures, height, width, 3)."""

    def __init__(self, pictures: np.ndarray, word: str, device: str):
        self.pictures, self.found = pictures, look(pictures, device=device)
        self.counts = self.found.counts(word)
        self.masks = torch.from_numpy(self.found.masks(word))
        self.pure = float(self.masks.sum() / max((self.found.labels > 0).sum(), 1))
        self.boxes = boxes_of(self.masks.numpy())
        self.confidence = _mean(self.found.sure[self.masks.numpy()])  # of the word: its masks are where it is the label

    def figures(self) -> dict[str, float]:
        """Shares of pictures with the object and with one of it; means over the former: area, long side, aspect, ….

        The long side is a part of the picture's side, the area of the picture, the aspect width by height; NaN where it
        is never seen. "pure" is the share of all pixels that the detector takes for some object which are this one's.
        """
        there = ~np.isnan(self.boxes[:, 0])
        width, height = (self.boxes[there, 2:] - self.boxes[there, :2]).T
        return {
            "seen": float(there.mean()), "one": float((self.counts == 1).mean()), "pure": self.pure,
            "area": _mean(self.masks[there].float().mean((1, 2))), "long": _mean(np.maximum(width, height)),
            "aspect": _mean(width / height), "confidence": self.confidence,
        }  # fmt: skip

    def scene(self, name: str) -> float:
        """The share of pictures with a scene."""
        return float(np.mean([self.found.scene_names[index] == name for index in self.found.scenes]))

    def left(self, word: str) -> float:
        """The share of pictures in which another object is seen, such as the source's."""
        return float(self.found.masks(word).any((1, 2)).mean())


def compare(one: View, other: View) -> dict[str, float]:
    """Overlap of two objects' masks and distance of their boxes' centres, both NaN where one is not seen; background.

    That is the mean difference of colours, in [0, 1], outside both objects.
    """
    overlap = measures.iou(one.masks.float(), other.masks)
    overlap = overlap.where(one.masks.any(-1).any(-1), torch.nan)
    apart = np.linalg.norm(centres(one.boxes) - centres(other.boxes), axis=1)
    outside = ~(one.masks | other.masks).numpy()
    colours = np.abs(one.pictures.astype(float) - other.pictures)[outside].mean() / 255
    return {"iou": float(overlap.nanmean()), "distance": _mean(apart[~np.isnan(apart)]), "background": float(colours)}


def spending(maps: Tensor, masks: Tensor, roles: list[str]) -> dict[str, float]:
    """How the pixels of an object divide their attention: noun, other words, start, end and padding; they add up to 1.

    `maps` is (tokens, pictures, h, w), masks (pictures, H, W); NaN where no cell of the map is the object's.
    """
    mass = maps[:, measures.shrink_mask(masks, maps.shape[-2:])].mean(1)  # (tokens,)
    part = {"noun": "noun", "<start>": "start", "<end>": "padding", "<pad>": "padding"}
    parts = [part.get(role, "words") for role in roles]
    return {name: float(mass[[one == name for one in parts]].sum()) for name in PARTS}


def _mean(values) -> float:
    return float(np.mean(np.asarray(values))) if len(values) else float("nan")
