"""A second look at the detector: study `by_colour`, an independent segmentation of steered videos.

Does the detector like what a person would not? The pocket world has a still backdrop, so that an object that moves is
what differs from it in colour. At each pixel the backdrop is the median of the frames, or, where the object covers it
in most of them, what the other frames have: the unguided twin, whose backdrop is much the same, decides between the
two. This knows no shapes and no names, and shares nothing with the detector. It does not see what stands still.
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float, UInt8
from scipy import ndimage

from ..display.tables import figure_text, table_text
from ..edits.targets import Track
from ..measures.adherence import mean_iou
from ..measures.boxes import boxes_of, detected
from ..measures.detection import LEAST_AREA, look
from ..measures.statistics import Estimate, spearman
from ..sampling import Clip
from .guidance.cases import table_cases
from .guidance.setting import Setting
from .guidance.steered import OnTracks, Reference
from .guidance.table import group_rows
from .rows import Case, Row

DIFFERENT = 0.15  # of the largest channel: less is the backdrop, whose texture trembles
LEAST = 2  # frames that must show a backdrop that the others do not
MARGIN = 0.1  # of the largest channel, by which these must be nearer to the twin's
COUNT = 48  # cases of each setting
SETTINGS = {"unguided": Setting(), "defaults": Setting({}), "bias": Setting(bias={})}
Video = UInt8[np.ndarray, "frames height width 3"]
Pixels = Float[np.ndarray, "frames height width 3"]  # in [0, 1]
Masks = Bool[np.ndarray, "frames height width"]


class ByColour(OnTracks):
    """Does a segmentation by colour, which knows no objects, see the object where the detector sees it?"""

    batch, batch_on_gpu = 1, 48
    settings = SETTINGS

    def cases(self) -> list[Case]:
        """The first cases of the table of guidance under a few settings."""
        cases: list[Case] = []
        for name in SETTINGS:
            cases += [{"setting": name} | case for case in table_cases()[:COUNT]]
        return cases

    def row(self, case: Case, clip: Clip, asked: Track, reference: Reference) -> Row:
        """How the two segmentations agree, and how each finds the object in the asked box."""
        seen = look(clip.video, self.device).masks(str(case["word"]))
        coloured = colour_masks(clip.video, reference.run.clip.video)
        boxes, own, wanted = boxes_of(coloured), boxes_of(seen), asked.boxes(len(clip.video))
        return {
            "agreement": agreement(coloured, seen), "iou": mean_iou(own, wanted),
            "iou by colour": mean_iou(boxes, wanted), "seen": float(detected(own).mean()),
            "seen by colour": float(detected(boxes).mean()),
        }  # fmt: skip

    def summary(self, rows: Sequence[Row]) -> dict:
        """For each setting the agreement and both mIoUs; and how both order the cases."""
        done = [row for row in rows if not row["failed"]]
        table = {name: figures(own) for name, own in group_rows(done, "setting").items()}
        return {"settings": table, "order of all": order(done)}

    def markdown(self, table: dict) -> str:
        """A row for each setting."""
        labels = ("agreement", "mIoU", "mIoU by colour", "order")
        rows = []
        for name, part in table["settings"].items():
            rows.append([name, *(figure_text(part[label], count=label == "agreement") for label in labels)])
        return table_text(["detector and colour", *labels], rows)


def colour_masks(video: Video, twin: Video) -> Masks:
    """Where a video differs in colour from its backdrop: the largest patch of each frame, without holes."""
    frames = video.astype(np.float32) / 255
    differences = np.abs(frames - backdrop(frames, twin.astype(np.float32) / 255)).max(-1)
    return np.stack([_clean(mask) for mask in differences > DIFFERENT])


def backdrop(frames: Pixels, of_twin: Pixels) -> Float[np.ndarray, "height width 3"]:
    """What a video shows where its object is not."""
    usual, wanted = np.median(frames, axis=0), np.median(of_twin, axis=0)
    differs = np.abs(frames - usual).max(-1, keepdims=True) > DIFFERENT  # (frames, height, width, 1)
    count = differs.sum(0)
    rest = (frames * differs).sum(0) / np.maximum(count, 1)
    farther = np.abs(usual - wanted).max(-1, keepdims=True) - np.abs(rest - wanted).max(-1, keepdims=True)
    return np.where((count >= LEAST) & (farther > MARGIN), rest, usual)


def _clean(mask: Bool[np.ndarray, "height width"]) -> Bool[np.ndarray, "height width"]:
    """The largest patch, without holes and fringes; nothing if it is too small to be an object."""
    filled = ndimage.binary_fill_holes(ndimage.binary_closing(mask, iterations=2))
    opened = ndimage.binary_opening(filled, iterations=2)
    numbered = np.empty(mask.shape, np.int32)  # 0 nothing, from 1 the patches
    ndimage.label(opened, output=numbered)
    areas = np.bincount(numbered.ravel())[1:]
    if not len(areas) or areas.max() < LEAST_AREA * mask.size:
        return np.zeros_like(mask)
    return numbered == 1 + int(areas.argmax())


def agreement(first: Masks, second: Masks) -> float:
    """Intersection over union, mean over the frames in which either sees something; 0 where only one does."""
    union = (first | second).sum((1, 2))
    overlaps = (first & second).sum((1, 2))[union > 0] / union[union > 0]
    return float(overlaps.mean()) if len(overlaps) else 0.0


def figures(rows: Sequence[Row]) -> dict[str, Estimate]:
    """Agreement, both mIoUs, and the correlation of the cases' ranks."""
    return {
        "agreement": Estimate.mean(row["agreement"] for row in rows),
        "mIoU": Estimate.mean(row["iou"] for row in rows),
        "mIoU by colour": Estimate.mean(row["iou by colour"] for row in rows),
        "order": order(rows),
    }


def order(rows: Sequence[Row]) -> Estimate:
    """The rank correlation of the IoUs by the detector and by colour."""
    return Estimate.grouped([(row["iou"], row["iou by colour"]) for row in rows], statistic=spearman)
