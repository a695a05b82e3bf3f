"""Where an object is asked to be: tracks with boxes and masks, and transforms of the maps of an unguided run."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Protocol, runtime_checkable

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float
from pydantic import BeforeValidator, Field
from scipy.interpolate import PchipInterpolator
from torch import Tensor

from ..arguments import checked
from ..attention.maps import centre_of_mass
from ..descriptions import shown
from ..kinds import Frames, Positive, Share, Side, listed, numpy_listed

Shape = Literal["box", "disc"]
Easing = Literal["linear", "ease"]
SHAPES: tuple[Shape, ...] = ("box", "disc")
EASINGS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "linear": lambda time: time,
    "ease": lambda time: 0.5 - 0.5 * np.cos(np.pi * time),
}

Point = Annotated[tuple[Share, Share], Field(strict=False, description="(x, y) from 0 to 1, y down")]
Points = Annotated[
    Sequence[Point], BeforeValidator(listed),
    Field(min_length=1, description="a list of one point or more, (x, y) from 0 to 1, y down"),
]  # fmt: skip
Length = Annotated[float, Field(gt=0, le=1)]
Lengths = Annotated[tuple[Length, Length], Field(strict=False)]
Sizes = Annotated[
    Length | tuple[Length, Length] | list[Length | Lengths], BeforeValidator(listed),
    Field(description="a side above 0 and up to 1, (width, height), or a list of one for each key"),
]  # fmt: skip


@runtime_checkable
class Drawable(Protocol):
    """A target that can be drawn at any size: a track, or the maps of an unguided run, moved."""

    def mask(self, frames: int, height: int, width: int, shape: Shape = "box") -> Float[Tensor, "frames height width"]:
        """The target in [0, 1]."""
        ...


Target = Drawable | Tensor  # (frames, height, width), in [0, 1]


def draw(
    target: Target, frames: int, height: int, width: int, shape: Shape, span: int = 1
) -> Float[Tensor, "frames height width"]:
    """A target at the size of some maps, in [0, 1].

    `span` is the number of video frames that each frame of the maps after the first stands for. A track is drawn where
    it is in the middle of them. Maps may have a frame for each frame of the video, of which the mean is taken, or for
    each of the maps. Raises ValueError for maps of another number of frames.
    """
    length = 1 + (frames - 1) * span
    if isinstance(target, Track):
        middle = torch.arange(frames) * span - span // 2
        return target.mask(length, height, width, shape)[middle.clamp(min=0)]
    if not isinstance(target, Tensor):
        return target.mask(frames, height, width, shape)
    if target.ndim != 3 or len(target) not in (frames, length):
        possible = f"{frames}" if span == 1 else f"{length}, or {frames}"
        raise ValueError(f"target: shape {tuple(target.shape)} given; needed is ({possible} frames, height, width)")
    drawn = F.adaptive_avg_pool2d(target.float()[:, None], (height, width))[:, 0]
    if len(drawn) == frames:
        return drawn
    return torch.cat([drawn[:1], drawn[1:].unflatten(0, (-1, span)).mean(1)])


@checked
@dataclass(frozen=True)
class Track:
    """A path through key points, as `track` makes it."""

    keys: tuple[Point, ...]  # centres (x, y) in [0, 1], y down
    sizes: tuple[Lengths, ...]  # (width, height) at each key, in (0, 1]
    smooth: bool
    easing: Easing

    def __post_init__(self):
        if not self.keys or len(self.keys) != len(self.sizes):
            numbers = f"{len(self.sizes)} sizes given for {len(self.keys)} keys"
            raise ValueError(f"size: {numbers}; give one, or a list with one for each key, of which there must be one")

    @checked
    def boxes(self, frames: Frames) -> Float[np.ndarray, "frames 4"]:
        """Boxes as x0, y0, x1, y1, clipped to the picture [0, 1]."""
        centres, sizes = self._at(np.array(self.keys), frames), self._at(np.array(self.sizes), frames)
        return np.concatenate([centres - sizes / 2, centres + sizes / 2], axis=1).clip(0, 1)

    @checked
    def centres(self, frames: Frames) -> Float[np.ndarray, "frames 2"]:
        """Centres as x, y, before any clipping."""
        return self._at(np.array(self.keys), frames)

    @checked
    def lengths(self, frames: Frames) -> Float[np.ndarray, "frames 2"]:
        """Width and height of the boxes, before any clipping."""
        return self._at(np.array(self.sizes), frames)

    @checked
    def mask(
        self, frames: Frames, height: Side, width: Side, shape: Shape = "box"
    ) -> Float[Tensor, "frames height width"]:
        """Targets in {0, 1}: a cell is in when its middle is inside the box or disc.

        A target smaller than a cell keeps the cell that holds its centre, so that no frame is without one. Raises
        ValueError for an unknown shape.
        """
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

    def _at(self, values: Float[np.ndarray, "keys n"], frames: int) -> Float[np.ndarray, "frames n"]:
        """Values at each frame; the keys are evenly spaced in time."""
        if len(values) == 1:
            return np.repeat(values, frames, axis=0)
        time = EASINGS[self.easing](np.linspace(0, 1, frames))  # of one frame it is the start
        at = np.linspace(0, 1, len(values))
        if self.smooth:
            return PchipInterpolator(at, values)(time)  # never beyond its key points, unlike a cubic spline
        return np.stack([np.interp(time, at, column) for column in values.T], axis=1)


@checked
def track(
    keys: Points,
    size: Sizes = 0.35,
    smooth: bool = False,
    easing: Easing = "linear",
) -> Track:
    """A path through key points (x, y) in [0, 1], y down, reached at even times.

    `size` is a side, a (width, height), or a list with one of these for each key, all as shares of the picture.
    `smooth` interpolates each coordinate alone by a monotone cubic curve, so that a coordinate slows down where it
    turns or stops; a corner between ways along the axes stays a corner. Easing "ease" starts and ends slowly. Raises
    ValueError for points outside the picture and sizes that are not in (0, 1].
    """
    sides = size if isinstance(size, list) else [size] * len(keys)
    return Track(tuple(keys), tuple(map(_sides, sides)), smooth, easing)


def _sides(side: float | tuple[float, float]) -> tuple[float, float]:
    """A side, or width and height."""
    return side if isinstance(side, tuple) else (side, side)


Scale = Annotated[Positive | Sequence[Positive] | Float[Tensor, " frames"], BeforeValidator(numpy_listed)]
Shift = Annotated[
    Annotated[tuple[float, float], Field(strict=False)] | Float[Tensor, "frames 2"] | Sequence[tuple[float, float]],
    BeforeValidator(numpy_listed),
    Field(description="(x, y) in shares of the picture, or one for each frame"),
]  # fmt: skip


@checked
def transform(
    maps: Float[Tensor, "frames height width"],
    scale: Scale = 1.0,
    shift: Shift = (0.0, 0.0),
) -> Float[Tensor, "frames height width"]:
    """Resize maps about their centre of mass and move them by (x, y) in shares of the picture.

    This is the zero-shot target M x shape(A_orig) of the paper, eq. 3. What leaves the picture is gone, and zeros come
    in; nothing wraps around. Raises ValueError for a scale that is not above 0.
    """
    frames, height, width = maps.shape
    if not maps.numel() or not maps.isfinite().all():
        raise ValueError(f"maps: {shown(maps)} given, empty, or with NaN or infinity; needed are finite numbers")
    dtype, maps = maps.dtype, maps.float()
    scales, shifts = _for_frames("scale", scale, maps), _for_frames("shift", shift, maps, 2)
    if not (scales > 0).all():
        raise ValueError(f"scale: {scales.tolist()} given; possible are numbers above 0")
    centre = 2 * centre_of_mass(maps).nan_to_num(0.5) - 1  # in [-1, 1], as grid_sample counts; an empty map stays so
    moved = centre + 2 * shifts
    zoom = torch.eye(2, dtype=maps.dtype, device=maps.device) / scales[:, None, None]
    offset = centre - moved / scales[:, None]
    grid = F.affine_grid(torch.cat([zoom, offset[:, :, None]], 2), [frames, 1, height, width], align_corners=False)
    return F.grid_sample(maps[:, None], grid, padding_mode="zeros", align_corners=False)[:, 0].to(dtype)


def _for_frames(name: str, values: Any, maps: Tensor, *axes: int) -> Tensor:
    """One value for all frames, or one for each, on the device of the maps."""
    tensor = torch.as_tensor(values, dtype=maps.dtype, device=maps.device)
    if tensor.ndim > len(axes) and len(tensor) not in (1, len(maps)):
        raise ValueError(f"{name}: {len(tensor)} given for {len(maps)} frames; give one, or one for each")
    if not tensor.isfinite().all():
        raise ValueError(f"{name}: {tensor.tolist()} given; needed are finite numbers")
    return tensor.expand(len(maps), *axes)
