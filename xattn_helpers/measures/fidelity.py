"""How much of a given video an edit keeps: the background outside of all masks, and what the object looks like.

Videos are uint8, (frames, height, width, 3), masks bool, (frames, height, width).
"""

from typing import Annotated, Any

import numpy as np
from jaxtyping import Float
from PIL import Image
from pydantic import Field
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from ..arguments import checked
from .boxes import AnyMasks, Masks
from .video import Video

BRIGHTEST = 255
CROP = 32  # height and width at which two objects are compared
SAME = 60.0  # dB that are told of pictures without any difference, whose PSNR is infinite

Pixels = Annotated[Video, Field(description="a video, uint8 (frames, height, width, 3)")]


@checked
def background_psnr(video: Pixels, reference: Pixels, objects: AnyMasks) -> float:
    """Peak signal to noise ratio outside the objects, in dB, over all pixels of the video together; at most 60.

    NaN where nothing is outside. Raises ValueError for shapes that do not fit.
    """
    _same_shapes(video, reference, objects)
    outside = ~objects
    if not outside.any():
        return np.nan
    if (video[outside] == reference[outside]).all():
        return SAME
    return min(SAME, float(peak_signal_noise_ratio(reference[outside], video[outside], data_range=BRIGHTEST)))


@checked
def background_ssim(video: Pixels, reference: Pixels, objects: AnyMasks) -> float:
    """Structural similarity (Wang et al. 2004) outside the objects, from -1 to 1: mean over pixels, then over frames.

    Near an object the windows of 7 x 7 pixels see some of it. NaN where nothing is outside.
    """
    _same_shapes(video, reference, objects)
    means = []
    for picture, wanted, inside in zip(video, reference, objects, strict=True):
        similarity = _similarity(picture, wanted)
        if not inside.all():
            means.append(similarity[~inside].mean())
    return float(np.mean(means)) if means else np.nan


@checked
def mask_iou(masks: AnyMasks, wanted: AnyMasks) -> float:
    """Intersection over union of two objects' masks, mean over the frames in which either is; NaN where none is."""
    _same_frames(masks, wanted)
    union = (masks | wanted).sum((1, 2))
    overlap = (masks & wanted).sum((1, 2))
    frames = union > 0
    return float((overlap[frames] / union[frames]).mean()) if frames.any() else np.nan


@checked
def appearance_change(video: Pixels, masks: AnyMasks, reference: Pixels, wanted: AnyMasks) -> float:
    """How different two objects look wherever they are: the mean absolute difference of their pixels, in [0, 1].

    Each is cut out by its box, its background made grey, and resized to 32 x 32; mean over the frames that show both,
    NaN where none does.
    """
    _same_shapes(video, reference, masks)
    _same_frames(masks, wanted)
    changes = []
    for frame in np.flatnonzero(masks.any((1, 2)) & wanted.any((1, 2))):
        first, second = _crop(video[frame], masks[frame]), _crop(reference[frame], wanted[frame])
        changes.append(np.abs(first - second).mean())
    return float(np.mean(changes)) if changes else np.nan


def _similarity(picture: np.ndarray, wanted: np.ndarray) -> Float[np.ndarray, "height width"]:
    """Of each pixel, the mean over colours."""
    answer: Any = structural_similarity(picture, wanted, channel_axis=-1, data_range=BRIGHTEST, full=True)
    return answer[1].mean(-1)


def _crop(picture: np.ndarray, mask: np.ndarray) -> Float[np.ndarray, "32 32 3"]:
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    cut = np.where(mask[..., None], picture, BRIGHTEST // 2)[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    resized = Image.fromarray(cut.astype(np.uint8)).resize((CROP, CROP), Image.Resampling.BILINEAR)
    return np.asarray(resized) / BRIGHTEST


def _same_shapes(video: Video, reference: Video, masks: Masks) -> None:
    if video.shape != reference.shape or masks.shape != video.shape[:3]:
        shapes = ", ".join(str(array.shape) for array in (video, reference, masks))
        raise ValueError(
            f"video, reference and the masks of objects have shapes {shapes}; they must be of the same frames"
        )


def _same_frames(masks: Masks, wanted: Masks) -> None:
    if masks.shape != wanted.shape:
        raise ValueError(f"masks has shape {masks.shape} and wanted {wanted.shape}: they must be of the same frames")
