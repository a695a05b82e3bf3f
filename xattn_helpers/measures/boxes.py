"""Boxes and masks of one object in a video: from one to the other, their sizes, places and overlap.

Boxes are (frames, 4) as x0, y0, x1, y1 in parts of the picture, y down, a row of NaN where nothing is seen; masks are
bool, (frames, height, width).
"""

from typing import Annotated, Any

import numpy as np
from jaxtyping import Bool, Float
from pydantic import BeforeValidator, Field

from ..arguments import checked
from ..kinds import Side, as_array

Boxes = Float[np.ndarray, "frames 4"]
Masks = Bool[np.ndarray, "frames height width"]


def as_boxes(values: Any) -> Any:
    """Boxes as an array of floats; raises ValueError for numbers that can be no boxes."""
    array = as_array(values)
    if array.dtype.kind not in "fiu":
        return values
    array = array.astype(float)
    if np.isinf(array).any():
        raise ValueError("some are infinite")
    if array.ndim == 2 and array.shape[1] == 4 and (array[:, 2:] < array[:, :2]).any():  # NaN is not less
        raise ValueError("some have x1 < x0 or y1 < y0")
    return array


def as_masks(values: Any) -> Any:
    """Masks of True and False, or of ones and zeros, as an array of True and False."""
    array = as_array(values)
    return array.astype(bool) if array.dtype.kind in "iuf" and np.isin(array, (0, 1)).all() else array


AnyBoxes = Annotated[
    Boxes, BeforeValidator(as_boxes),
    Field(description="boxes (frames, 4) as x0, y0, x1, y1, a row of NaN where there is none"),
]  # fmt: skip
AnyMasks = Annotated[
    Masks, BeforeValidator(as_masks), Field(description="masks (frames, height, width) of True and False")
]  # fmt: skip


@checked
def boxes_of(masks: AnyMasks) -> Boxes:
    """The tight box of each mask, from the outer edges of its pixels; NaN for an empty mask.

    Raises ValueError for another shape.
    """
    boxes = np.full((len(masks), 4), np.nan)
    for frame, mask in enumerate(masks):
        if mask.any():
            boxes[frame] = _tight(mask)
    return boxes


def _tight(mask: Bool[np.ndarray, "height width"]) -> tuple[float, float, float, float]:
    height, width = mask.shape
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return columns[0] / width, rows[0] / height, (columns[-1] + 1) / width, (rows[-1] + 1) / height


@checked
def masks_of(boxes: AnyBoxes, height: Side, width: Side) -> Masks:
    """Filled boxes: a pixel is in when its middle is; none is in a box of NaN. Raises ValueError for another shape."""
    x0, y0, x1, y1 = boxes.T[:, :, None]  # (frames, 1) each; comparisons with NaN are false
    xs, ys = (np.arange(width) + 0.5) / width, (np.arange(height) + 0.5) / height
    in_columns = (x0 <= xs) & (xs < x1)  # (frames, width)
    in_rows = (y0 <= ys) & (ys < y1)  # (frames, height)
    return in_rows[:, :, None] & in_columns[:, None, :]


@checked
def detected(boxes: AnyBoxes) -> Bool[np.ndarray, " frames"]:
    """In which frames there is a box."""
    return np.logical_not(np.isnan(boxes).any(axis=1))


@checked
def centres(boxes: AnyBoxes) -> Float[np.ndarray, "frames 2"]:
    """Middles of boxes as x, y in parts of the picture; NaN where there is none."""
    return (boxes[:, :2] + boxes[:, 2:]) / 2


@checked
def areas(boxes: AnyBoxes) -> Float[np.ndarray, " frames"]:
    """Areas of boxes in parts of the picture's; NaN where there is none."""
    return (boxes[:, 2:] - boxes[:, :2]).prod(axis=1)


@checked
def frame_iou(boxes: AnyBoxes, targets: AnyBoxes) -> Float[np.ndarray, " frames"]:
    """Intersection over union of two boxes in each frame, in [0, 1]; 0 where either is missing or both are points.

    Raises ValueError for shapes that differ.
    """
    same_frames(boxes, targets)
    corners = np.maximum(boxes[:, :2], targets[:, :2]), np.minimum(boxes[:, 2:], targets[:, 2:])
    common = (corners[1] - corners[0]).clip(min=0).prod(axis=1)
    union = areas(boxes) + areas(targets) - common
    return np.divide(common, union, out=np.zeros(len(boxes)), where=union > 0)  # a comparison with NaN is false


def same_frames(boxes: Boxes, targets: Boxes) -> None:
    """Raise ValueError unless both have as many frames."""
    if len(boxes) != len(targets):
        raise ValueError(f"boxes has {len(boxes)} frames and targets {len(targets)}: there must be one for each")
