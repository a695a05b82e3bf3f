"""How well a detected object keeps to the boxes that it was asked to be in, and what else changed in the video.

Boxes are (frames, 4) as x0, y0, x1, y1 in [0, 1], a row of NaN where the object is not seen; masks are bool, (frames,
height, width). Coverage, mIoU, AP50 and centroid distance are those of Peekaboo (Jain et al., CVPR 2024, section 5.1.1)
as its text defines them. Its scripts do otherwise, and this module does not follow them: they add up the pixels of all
frames before dividing, so that large boxes count more; put the centre of a missing box at the corner of the picture;
normalise by the diagonal of 320 x 576 pixels whatever the video has; and take 9 frames for more than half of any video.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import numpy as np
from jaxtyping import Float, Int, UInt8
from pydantic import BeforeValidator

from ..arguments import checked
from ..kinds import Positive, as_array
from .boxes import AnyBoxes, AnyMasks, areas, centres, detected, frame_iou, same_frames
from .statistics import Estimate

HALF = 0.5  # least IoU of AP50, and the share of frames above which an object counts as being in a video
STANDING = 1e-6  # squared length of a target's way below which it stands



def _counted(values: Any) -> np.ndarray:
    """Counts as integers, also where they come as whole floats."""
    array = as_array(values)
    return array.astype(int) if array.dtype.kind == "f" and (array % 1 == 0).all() else array


Counts = Annotated[Int[np.ndarray, " frames"], BeforeValidator(_counted)]
Row = Mapping[str, Any]  # what `adherence` gives for a video


@checked
def adherence(boxes: AnyBoxes, targets: AnyBoxes, aspect: Positive = 1.0) -> dict[str, float]:
    """All measures of one video's boxes against its targets, as a row for `summary`.

    `aspect` is width over height of the picture. Raises ValueError for shapes that do not fit.
    """
    return {
        "covered": covered(boxes),
        "iou": mean_iou(boxes, targets),
        "ap50": ap50(boxes, targets),
        "distance": centre_distance(boxes, targets, aspect),
        "size ratio": size_ratio(boxes, targets),
        "travelled": travelled(boxes, targets),
    }


@checked
def summary(rows: Sequence[Row]) -> dict[str, Estimate]:
    """Figures over videos with 95 % intervals: coverage, mIoU, mIoU of all, AP50, centroid distance.

    Rows are as from `adherence`. mIoU is over the covered videos, as published, which is kind to a method that loses
    its object; therefore also over all. AP50 and distance are means over the videos that have a detection at all.
    """
    for number, row in enumerate(rows):
        missing = sorted({"covered", "iou", "ap50", "distance"} - set(row))
        if missing:
            raise ValueError(f"rows[{number}] has no {', '.join(missing)}; it must be what adherence(…) gives")
    covering = [row for row in rows if row["covered"]]
    return {
        "coverage": Estimate.rate(row["covered"] for row in rows),
        "mIoU": Estimate.mean(row["iou"] for row in covering),
        "mIoU of all": Estimate.mean(row["iou"] for row in rows),
        "AP50": Estimate.mean(row["ap50"] for row in rows),
        "centroid distance": Estimate.mean(row["distance"] for row in rows),
    }


@checked
def covered(boxes: AnyBoxes) -> bool:
    """Whether the object is detected in more than half of the frames: the share of such videos is the coverage."""
    return bool(detected(boxes).mean() > HALF)


@checked
def mean_iou(boxes: AnyBoxes, targets: AnyBoxes) -> float:
    """IoU averaged over all frames, in [0, 1]; a frame without detection counts 0 ("penalizes", as the paper says)."""
    return float(frame_iou(boxes, targets).mean())


@checked
def ap50(boxes: AnyBoxes, targets: AnyBoxes) -> float:
    """Share of IoU >= 0.5 among the frames in which the object is detected, in [0, 1]; NaN when it is in none."""
    overlaps = frame_iou(boxes, targets)[detected(boxes)]
    return _mean((overlaps >= HALF).astype(float))


@checked
def centre_distances(boxes: AnyBoxes, targets: AnyBoxes, aspect: Positive = 1.0) -> Float[np.ndarray, " frames"]:
    """Distance of the boxes' centres in each frame over the picture's diagonal; NaN where one is missing.

    `aspect` is width over height of the picture. From corner to corner it is 1.
    """
    same_frames(boxes, targets)
    across, down = (centres(boxes) - centres(targets)).T
    return np.hypot(aspect * across, down) / np.hypot(aspect, 1)


@checked
def centre_distance(boxes: AnyBoxes, targets: AnyBoxes, aspect: Positive = 1.0) -> float:
    """Mean of `centre_distances` over the frames in which the object is detected; NaN when it is in none."""
    return _mean(centre_distances(boxes, targets, aspect))


@checked
def size(boxes: AnyBoxes) -> float:
    """The side of a square as large as the box, mean over frames, in parts of the picture; NaN when nothing is seen."""
    return _mean(np.sqrt(areas(boxes)))


@checked
def size_ratio(boxes: AnyBoxes, references: AnyBoxes) -> float:
    """Got size over the asked one, or over that of the unguided video: geometric mean over frames that have both."""
    same_frames(boxes, references)
    return float(np.exp(_mean(np.log(areas(boxes) / areas(references)) / 2)))


@checked
def travelled(boxes: AnyBoxes, targets: AnyBoxes) -> float:
    """How much of the asked way the object goes: 1 all of it, 0 it stands, below 0 backwards.

    Its step from the first to the last frame that shows it, along the target's step between the same frames, over that
    step's length. NaN for a target that stands, and when nothing is seen.
    """
    same_frames(boxes, targets)
    frames = np.flatnonzero(detected(boxes))
    if not len(frames):
        return np.nan
    first, last = frames[0], frames[-1]
    way = centres(boxes)[last] - centres(boxes)[first]
    asked = centres(targets)[last] - centres(targets)[first]
    length = asked @ asked
    return float(way @ asked / length) if length > STANDING else np.nan


@checked
def outside_change(
    video: UInt8[np.ndarray, "frames height width 3"],
    unguided: UInt8[np.ndarray, "frames height width 3"],
    masks: AnyMasks,
    unguided_masks: AnyMasks,
) -> float:
    """Mean absolute difference of pixels that belong to the object in neither video, in [0, 1]; NaN if there are none.

    Masks are those of the object in each video. Raises ValueError for shapes that do not fit.
    """
    arrays = video, unguided, masks, unguided_masks
    if video.shape != unguided.shape or masks.shape != video.shape[:3] or unguided_masks.shape != masks.shape:
        shapes = ", ".join(str(array.shape) for array in arrays)
        raise ValueError(f"video, unguided and their masks have shapes {shapes}; they must be of the same frames")
    difference = np.abs(video.astype(float) - unguided).mean(axis=-1) / 255
    return _mean(difference[~(masks | unguided_masks)])


@checked
def single(counts: Counts) -> float:
    """Share of frames with exactly one instance among those that have any, from counts of instances; NaN for none."""
    return _mean((counts[counts > 0] == 1).astype(float))


def _mean(values: np.ndarray) -> float:
    """The mean of what is not NaN; NaN of nothing."""
    values = values[~np.isnan(values)]
    return float(values.mean()) if len(values) else np.nan
