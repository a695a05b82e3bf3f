"""Where an object is asked to be: tracks with boxes and masks, and transforms of the maps of an unguided run."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from scipy.interpolate import PchipInterpolator
from torch import Tensor

from .maps import centre_of_mass

EASINGS = {"linear": lambda time: time, "ease": lambda time: 0.5 - 0.5 * np.cos(np.pi * time)}
SHAPES = ("box", "disc")


@dataclass(frozen=True)
class Track:
    """A path through key points; made by `track`, which checks them."""

    keys: tuple[tuple[float, float], ...]  # centres (x, y) in [0, 1], y down
    sizes: tuple[tuple[float, float], ...]  # (width, height) at each key, in (0, 1]
    smooth: bool = False
    easing: str = "linear"

    def boxes(self, frames: int) -> np.ndarray:
        """Boxes (frames, 4) as x0, y0, x1, y1, clipped to the picture [0, 1]."""
        centres, sizes = self._at(np.array(self.keys), frames), self._at(np.array(self.sizes), frames)
        return np.concatenate([centres - sizes / 2, centres + sizes / 2], axis=1).clip(0, 1)

    def centres(self, frames: int) -> np.ndarray:
        """Centres (frames, 2) as x, y, before any clipping."""
        return self._at(np.array(self.keys), frames)

    def mask(self, frames: int, height: int, width: int, shape: str = "box") -> Tensor:
        """Targets (frames, height, width) in {0, 1}: a cell is in when its middle is inside the box or disc.

        A target smaller than a cell keeps the cell that holds its centre, so that no frame is without one.
        """
        if shape not in SHAPES:
            raise ValueError(f"shape={shape!r}: possible are {', '.join(SHAPES)}")
        centres = torch.from_numpy(self.centres(frames)).float()
        half = torch.from_numpy(self._at(np.array(self.sizes), frames)).float() / 2
        across = ((torch.arange(width) + 0.5) / width - centres[:, :1]) / half[:, :1]  # (frames, width), 1 at the edge
        down = ((torch.arange(height) + 0.5) / height - centres[:, 1:]) / half[:, 1:]
        if shape == "disc":
            inside = down[:, :, None] ** 2 + across[:, None] ** 2 <= 1
        else:
            inside = (down.abs() <= 1)[:, :, None] & (across.abs() <= 1)[:, None]
        rows = (centres[:, 1] * height).long().clamp(max=height - 1)
        columns = (centres[:, 0] * width).long().clamp(max=width - 1)
        inside[torch.arange(frames), rows, columns] = True
        return inside.float()

    def _at(self, values: np.ndarray, frames: int) -> np.ndarray:
        """Values (keys, n) at each frame, (frames, n); the keys are evenly spaced in time."""
        if frames < 1:
            raise ValueError(f"frames={frames}: possible are 1 and more")
        if len(values) == 1:
            return np.repeat(values, frames, axis=0)
        time = EASINGS[self.easing](np.linspace(0, 1, frames) if frames > 1 else np.zeros(1))
        at = np.linspace(0, 1, len(values))
        if self.smooth:
            return PchipInterpolator(at, values)(time)  # never beyond its key points, unlike a cubic spline
        return np.stack([np.interp(time, at, column) for column in values.T], axis=1)


def track(
    keys: Sequence[tuple[float, float]],
    size: float | tuple | Sequence = 0.35,
    smooth: bool = False,
    easing: str = "linear",
) -> Track:
    """A path through key points (x, y) in [0, 1], y down, reached at even times.

    `size` is a side, a (width, height), or a list with one of these for each key, all as shares of the picture.
    `smooth` interpolates each coordinate alone by a monotone cubic curve, so that a coordinate slows down where it
    turns or stops; a corner between ways along the axes stays a corner. Easing "ease" starts and ends slowly. Raises
    ValueError for points outside the picture and sizes that are not in (0, 1].
    """
    keys = [tuple(float(value) for value in key) for key in keys]
    if not keys:
        raise ValueError("keys: none given; a track needs one point (to stay there) or more")
    for key in keys:
        if len(key) != 2 or not all(0 <= value <= 1 for value in key):
            raise ValueError(f"keys: {key} is outside the picture; possible are (x, y) from 0 to 1, y down")
    sizes = list(size) if isinstance(size, list) else [size] * len(keys)
    if len(sizes) != len(keys):
        raise ValueError(f"size: {len(sizes)} sizes given for {len(keys)} keys; give one, or a list with one for each")
    sizes = [tuple(map(float, one)) if isinstance(one, Sequence) else (float(one), float(one)) for one in sizes]
    for one in sizes:
        if len(one) != 2 or not all(0 < side <= 1 for side in one):
            raise ValueError(f"size: {one} given; possible are sides above 0 and up to 1, as shares of the picture")
    if easing not in EASINGS:
        raise ValueError(f"easing={easing!r}: possible are {', '.join(EASINGS)}")
    return Track(tuple(keys), tuple(sizes), smooth, easing)


def transform(maps: Tensor, scale: float | Tensor = 1.0, shift: tuple[float, float] | Tensor = (0.0, 0.0)) -> Tensor:
    """Resize maps (frames, h, w) about their centre of mass and move them by (x, y) in shares of the picture.

    This is the zero-shot target M x shape(A_orig) of the paper, eq. 3. `scale` is a number or (frames,), `shift` a pair
    or (frames, 2). What leaves the picture is gone, and zeros come in; nothing wraps around.
    """
    frames, height, width = maps.shape
    scale = torch.as_tensor(scale, dtype=maps.dtype, device=maps.device).expand(frames)
    shift = torch.as_tensor(shift, dtype=maps.dtype, device=maps.device).expand(frames, 2)
    if not (scale > 0).all():
        raise ValueError(f"scale: {scale.tolist()} given; possible are numbers above 0")
    centre = 2 * centre_of_mass(maps).nan_to_num(0.5) - 1  # in [-1, 1], as grid_sample counts; an empty map stays so
    moved = centre + 2 * shift
    zoom = torch.eye(2, dtype=maps.dtype, device=maps.device) / scale[:, None, None]
    offset = centre - moved / scale[:, None]
    grid = F.affine_grid(torch.cat([zoom, offset[:, :, None]], 2), [frames, 1, height, width], align_corners=False)
    return F.grid_sample(maps[:, None], grid, padding_mode="zeros", align_corners=False)[:, 0]
