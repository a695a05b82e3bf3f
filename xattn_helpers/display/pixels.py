"""The arithmetic of pictures: colours, blends, enlargements and rows of them."""

from collections.abc import Sequence
from typing import Annotated, Any, TypeAlias

import matplotlib
import matplotlib.colors
import mediapy
import numpy as np
from jaxtyping import Float, UInt8
from PIL import Image
from torch import Tensor

from ..arguments import UNCHECKED
from .checks import Frames, require

Color: TypeAlias = str | tuple[int, int, int]  # a matplotlib name or "#rrggbb", or three integers in 0..255
AnyColor: TypeAlias = Annotated[Color, UNCHECKED]  # by `rgb`
Picture: TypeAlias = UInt8[np.ndarray, "height width 3"]
COLORMAP = "magma"  # dark where there is no attention: in an overlay, the attended part looks lit
NEAREST, BILINEAR = Image.Resampling.NEAREST, Image.Resampling.BILINEAR
SPANS = (4, 8)  # frames that a latent frame stands for, of video autoencoders


def side_by_side(pictures: Sequence[Picture], gap: int = 0) -> Picture:
    """Pictures of one height in a row, with `gap` white pixels between them."""
    white = np.full((len(pictures[0]), gap, 3), 255, np.uint8)
    parts = [pictures[0]]
    for picture in pictures[1:]:
        parts += [white, picture]
    return np.concatenate(parts, axis=1)


def rows_of(videos: Sequence[Frames], gap: int = 0) -> Frames:
    """Videos of one size in a row, frame by frame, with `gap` white pixels between them."""
    frames, height, _, _ = videos[0].shape
    white = np.full((frames, height, gap, 3), 255, np.uint8)
    parts = [videos[0]]
    for video in videos[1:]:
        parts += [white, video]
    return np.concatenate(parts, axis=2)


def stretch(maps: Float[np.ndarray, "frames h w"], per_frame: bool = False) -> Float[np.ndarray, "frames h w"]:
    """Min-max normalises maps to [0, 1], all together or each by itself; constant maps become 0."""
    axes = (1, 2) if per_frame else None
    low, high = maps.min(axis=axes, keepdims=True), maps.max(axis=axes, keepdims=True)
    return (maps - low) / np.where(high > low, high - low, 1)


def enlarge(
    maps: Float[np.ndarray, "frames h w"], size: tuple[int, int], resampling: Image.Resampling
) -> Float[np.ndarray, "frames height width"]:
    """Maps at another size (height, width)."""
    # Not mediapy.resize_video: that is always Lanczos, which leaves dark and bright rings around a peak.
    height, width = size
    pictures = [Image.fromarray(single).resize((width, height), resampling) for single in maps]
    return np.stack([np.asarray(picture) for picture in pictures])


def colored(values: Float[np.ndarray, "frames h w"], colormap: str) -> UInt8[np.ndarray, "frames h w 3"]:
    """Values in [0, 1] in the colours of a matplotlib colour map; raises ValueError for one that is unknown."""
    known = isinstance(colormap, str) and colormap in matplotlib.colormaps
    possible = "'magma', 'inferno', 'viridis', 'gray' or another name in matplotlib.colormaps"
    require(known, "colormap", repr(colormap), possible)
    return mediapy.to_uint8(mediapy.to_rgb(values, vmin=0, vmax=1, cmap=colormap))


def rgb(color: Color) -> UInt8[np.ndarray, " 3"]:
    """A colour's red, green and blue; raises ValueError for what is none."""
    if isinstance(color, str) and color != "none" and matplotlib.colors.is_color_like(color):
        return mediapy.to_uint8(np.array(matplotlib.colors.to_rgb(color)))
    array = np.asarray(color)
    fits = array.shape == (3,) and array.dtype.kind in "iu" and array.min() >= 0 and array.max() <= 255
    require(fits, "color", repr(color), "a name such as 'red', '#rrggbb', or three integers in 0..255")
    return array.astype(np.uint8)


def blend(
    below: UInt8[np.ndarray, "*shape"], above: UInt8[np.ndarray, "*shape"], alpha: float
) -> UInt8[np.ndarray, "*shape"]:
    """(1 - alpha) * below + alpha * above, rounded."""
    return ((1 - alpha) * below + alpha * above + 0.5).astype(np.uint8)


def repeated(maps: Any, frames: int) -> Any:
    """Maps of latent frames, each for all frames of the video that it is about; others as they are.

    The first latent frame is the first frame, and each later one 4 or 8 frames.
    """
    for span in SPANS:
        if maps.ndim == 3 and len(maps) > 1 and frames == 1 + (len(maps) - 1) * span:
            return maps[-(-np.arange(frames) // span)]
    return maps


def at_frames(maps: Float[Tensor, "latent_frames h w"], frames: int) -> Float[Tensor, "frames h w"]:
    """A map for each frame of the video: the one that is about it, or the nearest in time."""
    maps = repeated(maps, frames)
    if len(maps) == frames:
        return maps
    nearest = np.linspace(0, len(maps) - 1, frames).round()
    return maps[nearest.astype(int)]
