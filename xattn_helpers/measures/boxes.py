"""Boxes and masks of one object in a video: from one to the other, their sizes, places and overlap.

Boxes are (frames, 4) as x0, y0, x1, y1 in parts of the picture, y down, a row of NaN where nothing is seen; masks are
bool, (frames, height, width).
"""

import numpy as np
from jaxtyping import Bool, Float

Boxes = Float[np.ndarray, "frames 4"]
Masks = Bool[np.ndarray, "frames height width"]


def boxes_of(masks: Masks) -> Boxes:
    """The tight box of each mask, from the outer edges of its pixels; NaN for an empty mask.

    Raises ValueError for another shape.
    """
    masks = np.asarray(masks)
    if masks.ndim != 3:
        raise ValueError(f"masks has shape {masks.shape}: it must be (frames, height, width)")
    boxes = np.full((len(masks), 4), np.nan)
    for frame, mask in enumerate(masks):
        if mask.any():
            boxes[frame] = _tight(mask)
    return boxes


def _tight(mask: Bool[np.ndarray, "height width"]) -> tuple[float, float, float, float]:
    height, width = mask.shape
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return columns[0] / width, rows[0] / height, (columns[-1] + 1) / width, (rows[-1] + 1) / height


def masks_of(boxes: Boxes, height: int, width: int) -> Masks:
    """Filled boxes: a pixel is in when its middle is; none is in a box of NaN. Raises ValueError for another shape."""
    x0, y0, x1, y1 = checked(boxes).T[:, :, None]  # (frames, 1) each; comparisons with NaN are false
    xs, ys = (np.arange(width) + 0.5) / width, (np.arange(height) + 0.5) / height
    in_columns = (x0 <= xs) & (xs < x1)  # (frames, width)
    in_rows = (y0 <= ys) & (ys < y1)  # (frames, height)
    return in_rows[:, :, None] & in_columns[:, None, :]


def detected(boxes: Boxes) -> Bool[np.ndarray, " frames"]:
    """In which frames there is a box."""
    return np.logical_not(np.isnan(np.asarray(boxes, float)).any(axis=1))


def centres(boxes: Boxes) -> Float[np.ndarray, "frames 2"]:
    """Middles of boxes as x, y in parts of the picture; NaN where there is none."""
    boxes = np.asarray(boxes, float)
    return (boxes[:, :2] + boxes[:, 2:]) / 2


def areas(boxes: Boxes) -> Float[np.ndarray, " frames"]:
    """Areas of boxes in parts of the picture's; NaN where there is none."""
    boxes = np.asarray(boxes, float)
    return (boxes[:, 2:] - boxes[:, :2]).prod(axis=1)


def frame_iou(boxes: Boxes, targets: Boxes) -> Float[np.ndarray, " frames"]:
    """Intersection over union of two boxes in each frame, in [0, 1]; 0 where either is missing or both are points.

    Raises ValueError for shapes that differ.
    """
    boxes, targets = paired(boxes, targets)
    corners = np.maximum(boxes[:, :2], targets[:, :2]), np.minimum(boxes[:, 2:], targets[:, 2:])
    common = (corners[1] - corners[0]).clip(min=0).prod(axis=1)
    union = areas(boxes) + areas(targets) - common
    return np.divide(common, union, out=np.zeros(len(boxes)), where=union > 0)  # a comparison with NaN is false


def checked(boxes: Boxes) -> Boxes:
    """The boxes as floats. Raises ValueError for another shape than (frames, 4)."""
    boxes = np.asarray(boxes, float)
    if boxes.ndim != 2 or boxes.shape[1] != 4:
        raise ValueError(f"boxes has shape {boxes.shape}: it must be (frames, 4)")
    return boxes


def paired(boxes: Boxes, targets: Boxes) -> tuple[Boxes, Boxes]:
    """Both as floats. Raises ValueError unless both are (frames, 4) of as many frames."""
    boxes, targets = np.asarray(boxes, float), np.asarray(targets, float)
    if boxes.shape != targets.shape or boxes.ndim != 2 or boxes.shape[1] != 4:
        raise ValueError(f"boxes {boxes.shape} and targets {targets.shape}: both must be (frames, 4)")
    return boxes, targets
