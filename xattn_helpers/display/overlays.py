"""Attention maps, boxes and masks laid over a video, and maps by themselves."""

import numpy as np
from jaxtyping import Bool, Float, UInt8

from ..arguments import checked
from ..kinds import Share, as_array
from .checks import Frames, Size, Thickness, Values, Video, as_maps, as_video, require, summary
from .pixels import BILINEAR, COLORMAP, NEAREST, AnyColor, blend, colored, enlarge, repeated, rgb, stretch

FARTHEST = 2  # from zero: a coordinate beyond it is meant in pixels, not as a share of the picture


@checked
def overlay(
    video: Video, maps: Values, alpha: Share = 0.6, colormap: str = COLORMAP, per_frame: bool = False
) -> Frames:
    """Lays attention maps over a video, in colour: uint8 (frames, height, width, 3).

    maps: (frames, h, w), min-max normalised over the whole clip, so that frames compare, or each frame by itself;
    enlarged bilinearly. Of a model whose latent frames stand for 4 or 8 frames each, but for the first, maps are shown
    on all frames that they are about. alpha in [0, 1]: 0 shows the video alone, 1 the maps alone.
    Raises ValueError for another number of maps than frames, an unknown colormap, alpha outside [0, 1].
    """
    clip = as_video(video)
    values = stretch(as_maps(repeated(as_array(maps), len(clip)), frames=len(clip)), per_frame)
    return blend(clip, colored(enlarge(values, clip.shape[1:3], BILINEAR), colormap), alpha)


@checked
def heatmaps(
    maps: Values, size: Size = 128, colormap: str = COLORMAP, per_frame: bool = False
) -> UInt8[np.ndarray, "n height width 3"]:
    """Turns attention maps into pictures where every attention pixel stays visible: uint8 (n, height, width, 3).

    maps: (n, h, w), min-max normalised together or each by itself. size: pixels of the longer side.
    Raises ValueError for another shape, an unknown colormap, size < 1.
    """
    values = stretch(as_maps(maps), per_frame)
    longer = max(values.shape[1:])
    height, width = (max(1, round(size * side / longer)) for side in values.shape[1:])
    return colored(enlarge(values, (height, width), NEAREST), colormap)


@checked
def draw_boxes(video: Video, boxes: Values, color: AnyColor = "red", thickness: Thickness = 2) -> Frames:
    """Draws one box per frame into a copy of the video: uint8 (frames, height, width, 3).

    boxes: (frames, 4) as x0, y0, x1, y1 in [0, 1], y down; a row with NaN draws nothing, and what lies outside the
    picture is cut off. thickness: in pixels, inwards.
    Raises ValueError for another shape, boxes in pixels, x1 < x0 or y1 < y0, an unknown color, thickness < 1.
    """
    clip = as_video(video).copy()
    frames, height, width, _ = clip.shape
    corners = _as_boxes(boxes, frames)
    edges = (corners * (width, height, width, height)).round()  # Shape: (frames, 4), in pixels
    inner = edges + np.array([1, 1, -1, -1]) * float(thickness)
    clip[_inside(edges, height, width) & ~_inside(inner, height, width)] = rgb(color)
    return clip


@checked
def draw_mask(video: Video, masks: Values, color: AnyColor = "red", alpha: Share = 0.4) -> Frames:
    """Tints masks and draws their outline in a copy of the video: uint8 (frames, height, width, 3).

    masks: (frames, h, w), bool or only 0 and 1, enlarged by nearest neighbour. alpha in [0, 1]: strength of the tint;
    0 leaves the outline alone.
    Raises ValueError for another number of masks than frames, other values, an unknown color, alpha outside [0, 1].
    """
    clip = as_video(video)
    values = as_maps(masks, "masks", frames=len(clip))
    require(np.isin(values, (0, 1)).all(), "masks", summary(values), "only 0 and 1, as from soft_mask > .5")
    inside = enlarge(values, clip.shape[1:3], NEAREST) > 0
    paint = np.broadcast_to(rgb(color), clip.shape)
    tinted = np.where(inside[..., None], blend(clip, paint, alpha), clip)
    return np.where(_outline(inside)[..., None], paint, tinted)


def _as_boxes(boxes: Values, frames: int) -> Float[np.ndarray, "frames 4"]:
    array = as_array(boxes)
    fits = array.shape == (frames, 4) and array.dtype.kind in "fiu"
    possible = f"numbers of shape {(frames, 4)}: one box per frame, as from path.boxes({frames})"
    require(fits, "boxes", summary(array), possible)
    # NaN compares as False: a frame without a box is not wrong.
    wrong = (array[:, 2:] < array[:, :2]).any(axis=1) | (np.abs(array) > FARTHEST).any(axis=1)
    require(not wrong.any(), "boxes", array[wrong][:1], "x0 <= x1 and y0 <= y1, as fractions of the picture")
    return array


def _inside(edges: Float[np.ndarray, "frames 4"], height: int, width: int) -> Bool[np.ndarray, "frames height width"]:
    """The pixels inside boxes given in pixels; False throughout where a box is NaN."""
    x0, y0, x1, y1 = edges.T[:, :, None, None]  # Shape of each: (frames, 1, 1)
    x = np.arange(width)
    y = np.arange(height)[:, None]
    return (x >= x0) & (x < x1) & (y >= y0) & (y < y1)


def _outline(inside: Bool[np.ndarray, "frames height width"]) -> Bool[np.ndarray, "frames height width"]:
    """The pixels of a mask of which a neighbour in the same row or column is outside; the picture's edge is none."""
    near = np.pad(inside, ((0, 0), (1, 1), (1, 1)), mode="edge")
    above, below = near[:, :-2, 1:-1], near[:, 2:, 1:-1]
    left, right = near[:, 1:-1, :-2], near[:, 1:-1, 2:]
    return inside & ~(above & below & left & right)
