"""What the functions of this room accept, and how they refuse the rest: by the argument's name, with what is possible.

A video is uint8 (frames, height, width, 3), or float in [0, 1]; an image is a video of one frame, with or without that
axis; a `Clip` stands for its video. Maps are finite numbers (frames, h, w) of any resolution. Numpy arrays and torch
tensors, on any device, are taken alike.
"""

from collections.abc import Sequence
from typing import Annotated, Any, Protocol, TypeAlias

import mediapy
import numpy as np
from jaxtyping import Float, UInt8
from numpy.typing import ArrayLike
from pydantic import BeforeValidator, Field

from ..arguments import UNCHECKED
from ..kinds import Prompt, as_array, listed


class HasVideo(Protocol):
    """Whatever has a video, as a `Clip`."""

    @property
    def video(self) -> Any:
        """A video as this room takes it."""
        ...


Video: TypeAlias = Annotated[ArrayLike | HasVideo, UNCHECKED]  # by `as_video`
Values: TypeAlias = Annotated[ArrayLike, UNCHECKED]  # by `as_maps` and its like
Labels: TypeAlias = Annotated[
    Prompt | Sequence[Prompt | None] | None, BeforeValidator(listed), Field(description="a text, or a list of texts")
]  # fmt: skip
Rate: TypeAlias = Annotated[float, Field(ge=0.01, le=1000)]  # frames per second that all formats can say
Gap: TypeAlias = Annotated[int, Field(ge=0, le=4096)]  # pixels
Inches: TypeAlias = Annotated[float, Field(ge=0.1, le=20)]  # of a row
Thickness: TypeAlias = Annotated[int, Field(ge=1, le=4096)]  # pixels
Size: TypeAlias = Annotated[float, Field(ge=1, le=4096)]  # pixels
Frames: TypeAlias = UInt8[np.ndarray, "frames height width 3"]
VIDEOS = "uint8, or float in [0, 1], of shape (frames, height, width, 3), for an image also (height, width, 3)"
MAPS = "finite numbers of shape (frames, h, w), for one map also (h, w)"


def require(condition: object, name: str, value: object, possible: str) -> None:
    """Raise ValueError unless the condition holds."""
    if not condition:
        raise ValueError(f"{name}: given {value}; possible: {possible}.")


def as_video(video: Any, name: str = "video") -> Frames:
    """A video, or the video of a clip, as uint8; raises ValueError for anything else."""
    array = as_array(getattr(video, "video", video))
    array = array[None] if array.ndim == 3 else array
    fits = array.ndim == 4 and array.shape[-1] == 3 and array.size > 0
    require(fits and array.dtype.kind in "fu", name, summary(array), VIDEOS)
    if array.dtype.kind == "f":
        fits = array.min() >= 0 and array.max() <= 1  # NaN is neither
        require(fits, name, summary(array), VIDEOS)
        array = mediapy.to_uint8(array)
    require(array.dtype == np.uint8, name, summary(array), VIDEOS)
    return array


def as_maps(maps: Any, name: str = "maps", frames: int | None = None) -> Float[np.ndarray, "frames h w"]:
    """Maps in single precision; raises ValueError for anything else, and for another number of them than frames."""
    array = as_array(maps)
    array = array[None] if array.ndim == 2 else array
    fits = array.ndim == 3 and array.size > 0 and array.dtype.kind in "fbiu"
    require(fits, name, summary(array), MAPS)
    with np.errstate(over="ignore"):  # what does not fit becomes infinite, and is refused
        values = array.astype(np.float32)
    require(np.isfinite(values).all(), name, summary(array), MAPS)
    require(frames in (None, len(values)), name, f"{len(values)} for {frames} frames", "one per frame of the video")
    return values


def as_labels(labels: Labels, name: str, count: int) -> list[str]:
    """As many texts as there are things to label, by default empty; one text may come without a list."""
    if labels is None:
        return [""] * count
    labels = [labels] if isinstance(labels, str) else labels
    texts = ["" if label is None else str(label) for label in labels]
    require(len(texts) == count, name, f"{len(texts)}, {texts}", f"exactly {count}")
    return texts


def summary(array: np.ndarray) -> str:
    """The type, shape and range of an array, for a message."""
    if array.dtype == object:
        return f"{type(array.item()).__name__}" if array.ndim == 0 else f"a list of {len(array)}, not an array"
    values = f" from {array.min():.3g} to {array.max():.3g}" if array.size and array.dtype.kind in "fiu" else ""
    return f"{array.dtype} of shape {array.shape}{values}"
