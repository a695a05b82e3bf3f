"""How well a detected object keeps to the boxes that it was asked to be in, and what else changed in the video.

Boxes are arrays (frames, 4) as x0, y0, x1, y1 in [0, 1], a row of NaN where the object is not seen; masks are bool,
(frames, height, width). The first four measures are those of Peekaboo (Jain et al., CVPR 2024, section 5.1.1) as its
text defines them. Its scripts do otherwise, and this module does not follow them: they add up the pixels of all
frames before dividing, so that large boxes count more; put the centre of a missing box at the corner of the picture;
normalise by the diagonal of 320 x 576 pixels whatever the video has; and take 9 frames for more than half of any video.
"""

import numpy as np

from .metrics import centres, interval, share

HALF = 0.5  # least IoU of AP50, and the share of frames above which an object counts as there


def frame_iou(boxes: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Intersection over union of two boxes for each frame, (frames,); 0 where either is missing."""
    boxes, targets = _pair(boxes, targets)
    low, high = np.maximum(boxes[:, :2], targets[:, :2]), np.minimum(boxes[:, 2:], targets[:, 2:])
    common = (high - low).clip(min=0).prod(1)
    return np.nan_to_num(common / (_areas(boxes) + _areas(targets) - common))


def covered(boxes: np.ndarray) -> bool:
    """Whether the object is detected in more than half of the frames: the share of such videos is the coverage."""
    return bool(_there(boxes).mean() > HALF)


def mean_iou(boxes: np.ndarray, targets: np.ndarray) -> float:
    """IoU averaged over all frames, in [0, 1]; a frame without detection counts 0 ("penalizes", as the paper says)."""
    return float(frame_iou(boxes, targets).mean())


def ap50(boxes: np.ndarray, targets: np.ndarray) -> float:
    """Share of IoU >= 0.5 among the frames in which the object is detected; NaN when it is in none."""
    there = _there(boxes)
    return float((frame_iou(boxes, targets)[there] >= HALF).mean()) if there.any() else np.nan


def centre_distances(boxes: np.ndarray, targets: np.ndarray, aspect: float = 1.0) -> np.ndarray:
    """Distance of the boxes' centres for each frame, (frames,), over the picture's diagonal; NaN where one is missing.

    `aspect` is width over height of the picture. From corner to corner it is 1.
    """
    boxes, targets = _pair(boxes, targets)
    step = (centres(boxes) - centres(targets)) * [aspect, 1]
    return np.hypot(*step.T) / np.hypot(aspect, 1)


def centre_distance(boxes: np.ndarray, targets: np.ndarray, aspect: float = 1.0) -> float:
    """Mean of `centre_distances` over the frames in which the object is detected; NaN when it is in none."""
    return _mean(centre_distances(boxes, targets, aspect))


def size(boxes: np.ndarray) -> float:
    """The side of a square as large as the box, mean over frames in parts of the picture; NaN when nothing is seen."""
    return _mean(np.sqrt(_areas(np.asarray(boxes, float))))


def size_ratio(boxes: np.ndarray, others: np.ndarray) -> float:
    """Got size over the asked one, or over that of the unguided video: geometric mean over frames that have both."""
    boxes, others = _pair(boxes, others)
    return float(np.exp(_mean(np.log(_areas(boxes) / _areas(others)) / 2)))


def travelled(boxes: np.ndarray, targets: np.ndarray) -> float:
    """How much of the asked way the object goes: its step from the first to the last frame that shows it, along the
    target's step between the same frames, over that step's length. 1 all of it, 0 it stands; NaN for a standing target.
    """
    boxes, targets = _pair(boxes, targets)
    seen = np.flatnonzero(_there(boxes))
    if not len(seen):
        return np.nan
    way, asked = (centres(one)[seen[-1]] - centres(one)[seen[0]] for one in (boxes, targets))
    return float(way @ asked / (asked @ asked)) if asked @ asked > 1e-6 else np.nan


def outside_change(video: np.ndarray, unguided: np.ndarray, masks: np.ndarray, unguided_masks: np.ndarray) -> float:
    """Mean absolute difference of pixels that belong to the object in neither video, in [0, 1]; NaN if there are none.

    Videos are uint8, (frames, height, width, 3), masks those of the object in each. Raises ValueError for other shapes.
    """
    if video.shape != unguided.shape or masks.shape != video.shape[:3] or unguided_masks.shape != masks.shape:
        given = ", ".join(str(one.shape) for one in (video, unguided, masks, unguided_masks))
        raise ValueError(f"video, unguided and their masks have shapes {given}; they must be of the same frames")
    difference = np.abs(video.astype(float) - unguided).mean(-1) / 255
    outside = ~(masks | unguided_masks)
    return float(difference[outside].mean()) if outside.any() else np.nan


def single(counts: np.ndarray) -> float:
    """Share of frames with exactly one instance among those that have any, from counts (frames,); NaN for none."""
    counts = np.asarray(counts)
    return float((counts[counts > 0] == 1).mean()) if (counts > 0).any() else np.nan


def compare(boxes: np.ndarray, targets: np.ndarray, aspect: float = 1.0) -> dict:
    """All measures of one video's boxes against its targets, as a row for `summary`.

    Raises ValueError for shapes that do not fit.
    """
    return {
        "covered": covered(boxes), "iou": mean_iou(boxes, targets), "ap50": ap50(boxes, targets),
        "distance": centre_distance(boxes, targets, aspect), "size ratio": size_ratio(boxes, targets),
        "travelled": travelled(boxes, targets),
    }  # fmt: skip


def summary(rows: list[dict]) -> dict[str, dict]:
    """Figures over videos, each with its 95 % interval: {"mean", "low", "high", "n"}. Rows as from `compare`.

    mIoU is over the covered videos, as published, which is kind to a method that loses its object; therefore also over
    all. AP50 and distance are means over the videos that have a detection at all. Shares have Wilson's interval, means
    a bootstrap's over videos.
    """
    seen = [row for row in rows if row["covered"]]
    of = {"mIoU": (seen, "iou"), "mIoU of all": (rows, "iou"), "AP50": (rows, "ap50")}
    of["centroid distance"] = (rows, "distance")
    found = {"coverage": _figure(share([row["covered"] for row in rows]), len(rows))}
    for name, (some, key) in of.items():
        values = [row[key] for row in some]
        found[name] = _figure(interval(values), sum(value == value for value in values))
    return found


def _figure(numbers: tuple[float, float, float], count: int) -> dict:
    return dict(zip(("mean", "low", "high"), map(float, numbers), strict=True)) | {"n": count}


def _there(boxes: np.ndarray) -> np.ndarray:
    return ~np.isnan(np.asarray(boxes, float)).any(1)


def _areas(boxes: np.ndarray) -> np.ndarray:
    return (boxes[:, 2:] - boxes[:, :2]).prod(1)


def _mean(values: np.ndarray) -> float:
    values = values[~np.isnan(values)]
    return float(values.mean()) if len(values) else np.nan


def _pair(boxes: np.ndarray, targets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    boxes, targets = np.asarray(boxes, float), np.asarray(targets, float)
    if boxes.shape != targets.shape or boxes.ndim != 2 or boxes.shape[1] != 4:
        raise ValueError(f"boxes {boxes.shape} and targets {targets.shape}: both must be (frames, 4)")
    return boxes, targets
