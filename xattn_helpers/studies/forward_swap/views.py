"""What the detector sees in the pictures of a case of `forward_swap`, and how two such views differ."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, UInt8
from torch import Tensor

from ...measures.boxes import Boxes, boxes_of, centres, detected
from ...measures.detection import Detections, look
from ...measures.map_quality import iou, shrink_mask
from .table import PARTS

Pictures = UInt8[np.ndarray, "pictures height width 3"]
PART_OF = {"noun": "noun", "<start>": "start", "<end>": "padding", "<pad>": "padding"}  # by role; all others are words


@dataclass(frozen=True, eq=False)
class View:
    """What the detector sees of one word in all pictures of a case."""

    pictures: Pictures
    seen: Detections
    word: str
    masks: Bool[Tensor, "pictures height width"]
    boxes: Boxes

    @staticmethod
    def of(pictures: Pictures, word: str, device: str) -> "View":
        """Look for a word in pictures."""
        seen = look(pictures, device)
        masks = seen.masks(word)
        return View(pictures, seen, word, torch.from_numpy(masks), boxes_of(masks))

    def figures(self) -> dict[str, float]:
        """Shares of pictures with the object and with one of it; means over the former: area, long side, aspect, ….

        The long side is a part of the picture's side, the area of the picture, the aspect width by height; NaN where it
        is never seen. "pure" is the share of all pixels that the detector takes for some object which are this one's.
        """
        present = detected(self.boxes)
        width, height = (self.boxes[present, 2:] - self.boxes[present, :2]).T
        return {
            "seen": float(present.mean()),
            "single": float((self.seen.counts(self.word) == 1).mean()),
            "pure": float(self.masks.sum() / max((self.seen.labels > 0).sum(), 1)),
            "area": mean(self.masks[torch.from_numpy(present)].float().mean((1, 2)).numpy()),
            "long": mean(np.maximum(width, height)),
            "aspect": mean(width / height),
            "confidence": self.confidence(),
        }

    def confidence(self) -> float:
        """The detector's confidence in the word, where its masks are; NaN where it is never seen."""
        assert self.seen.confidence is not None
        return mean(self.seen.confidence[self.masks.numpy()])

    def scene(self, name: str) -> float:
        """The share of pictures with a scene."""
        return mean(np.array([self.seen.scene_names[index] == name for index in self.seen.scenes]))

    def left(self, word: str) -> float:
        """The share of pictures in which another object is seen, such as the source's."""
        return float(self.seen.masks(word).any((1, 2)).mean())


def differences(first: View, second: View) -> dict[str, float]:
    """Overlap of two objects' masks and distance of their boxes' centres, both NaN where one is not seen; background.

    That is the mean difference of colours, in [0, 1], outside both objects.
    """
    overlap = iou(first.masks.float(), second.masks)
    overlap = overlap.where(first.masks.any(-1).any(-1), torch.nan)
    apart = np.linalg.norm(centres(first.boxes) - centres(second.boxes), axis=1)
    outside = ~(first.masks | second.masks).numpy()
    colours = np.abs(first.pictures.astype(float) - second.pictures)[outside].mean() / 255
    return {
        "iou": float(overlap.nanmean()),
        "distance": mean(apart[~np.isnan(apart)]),
        "background": float(colours),
    }


def spending(
    maps: Float[Tensor, "tokens pictures h w"], masks: Bool[Tensor, "pictures height width"], roles: Sequence[str]
) -> dict[str, float]:
    """How the pixels of an object divide their attention: noun, words, start, end and padding; they add up to 1.

    NaN where no cell of the map is the object's.
    """
    mass = maps[:, shrink_mask(masks, (maps.shape[-2], maps.shape[-1]))].mean(1)  # (tokens,)
    shares = {part: torch.zeros(()) for part in PARTS}
    for share, role in zip(mass, roles, strict=True):
        part = PART_OF.get(role, "words")
        shares[part] = shares[part] + share
    return {part: float(share) for part, share in shares.items()}


def mean(values: np.ndarray) -> float:
    """The mean, NaN of nothing."""
    return float(values.mean()) if len(values) else float("nan")
