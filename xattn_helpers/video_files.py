"""Videos that are given: an array, a file or a folder of pictures, cut and resized to what a model makes."""

import itertools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import imageio.v3 as imageio
import mediapy
import numpy as np
from jaxtyping import UInt8
from PIL import Image
from torch import Tensor

from .arguments import UNCHECKED, checked
from .kinds import Frames, PathLike
from .measures.video import Video, checked_video

PICTURES = (".png", ".jpg", ".jpeg", ".webp", ".bmp")  # of a folder
MOVING = (".gif", ".webp", ".png", ".apng")  # files with frames that Pillow reads
FILMS = (".mp4", ".mov", ".webm", ".avi", ".mkv", ".m4v")  # those for which ffmpeg is needed

FFMPEG = "install it (apt install ffmpeg, conda install ffmpeg or pip install imageio-ffmpeg)"

AnyVideo = Annotated[Video | Tensor | str | Path, UNCHECKED]
Frame = UInt8[np.ndarray, "height width 3"]
Box = tuple[int, int, int, int]  # x0, y0, x1, y1 in pixels


@checked
def read_video(path: PathLike, frames: Frames | None = None) -> Video:
    """The first `frames` frames of a file, or all of them, uint8 (frames, height, width, 3).

    A file is .gif, .webp or .png (one frame or several), .mp4, .mov, .webm, .avi or .mkv; a folder holds a picture a
    frame, in the order of the numbers in their names. Raises FileNotFoundError for a path without a file, and
    ValueError for a file that is broken, of another kind, or needs a codec that is missing.
    """
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(f"video={str(path)!r}: there is no such file or folder; it must be a file or a folder")
    reader = _reader(path)
    try:
        taken = list(itertools.islice(reader, frames))
    except (OSError, ValueError, RuntimeError, SyntaxError, EOFError, IndexError) as error:
        said = str(error).strip().split("\n")[0]
        raise ValueError(f"video={str(path)!r}: it must be a video or a picture; it may be broken ({said})") from None
    if not taken:
        raise ValueError(f"video={str(path)!r}: no frame is in it; a folder needs pictures ({', '.join(PICTURES)})")
    if len({frame.shape for frame in taken}) > 1:
        shapes = sorted({f"{frame.shape[0]} x {frame.shape[1]}" for frame in taken})
        raise ValueError(f"video={str(path)!r}: frames of {', '.join(shapes)}; all must have the same size")
    return np.stack(taken)


def _reader(path: Path) -> Iterator[Frame]:
    """One frame after another, so that no more of a long film is decoded than is needed."""
    if path.is_dir():
        pictures = [file for file in path.iterdir() if file.suffix.lower() in PICTURES]
        return (_picture(file) for file in sorted(pictures, key=_by_number))
    if path.suffix.lower() in MOVING:
        return _moving(path)
    possible = ", ".join((*MOVING, *FILMS))
    if path.suffix.lower() not in FILMS:
        kind = path.suffix or "no suffix"
        raise ValueError(f"video={str(path)!r}: a file of kind {kind!r}; possible are {possible}, or a folder")
    if not find_ffmpeg():
        raise ValueError(f"video={str(path)!r}: {path.suffix} needs ffmpeg, which is missing; {FFMPEG}, or give a .gif")
    return _film(path)


def _moving(path: Path) -> Iterator[Frame]:
    with Image.open(path) as picture:
        for number in range(getattr(picture, "n_frames", 1)):
            picture.seek(number)
            yield np.array(picture.convert("RGB"))


def _film(path: Path) -> Iterator[Frame]:
    """By imageio: mediapy up to 1.2.7 cannot read with recent versions of ffmpeg."""
    yield from imageio.imiter(path, plugin="FFMPEG")


def find_ffmpeg() -> bool:
    """Whether there is an ffmpeg: the machine's own, or that of imageio-ffmpeg, of which mediapy is then told."""
    if not mediapy.video_is_available():
        try:
            import imageio_ffmpeg  # a whole ffmpeg of 28 MB, which those do without who only make pictures

            mediapy.set_ffmpeg(imageio_ffmpeg.get_ffmpeg_exe())
        except (ImportError, RuntimeError):
            return False
    return mediapy.video_is_available()


def _picture(path: Path) -> Frame:
    with Image.open(path) as picture:
        return np.array(picture.convert("RGB"))


def _by_number(path: Path) -> list[Any]:
    """frame_2 before frame_10: numbers in a name count as numbers."""
    parts: list[Any] = []
    for part in re.split(r"(\d+)", path.name):
        parts.append((0, int(part), "") if part.isdigit() else (1, 0, part))
    return parts


def as_given(video: Any, frames: int, height: int, width: int) -> tuple[Video, str]:
    """A video as a model makes them, and in a sentence what was done for it, "" if nothing was.

    Its first frames are taken, the middle is cut out in the proportions that are asked for, and resized. Raises
    ValueError for a video that is shorter or smaller, and what `read_video` and `checked_video` raise.
    """
    whole = read_video(video, frames + 1) if isinstance(video, (str, Path)) else checked_video(video)
    count, rows, columns = whole.shape[:3]
    if count < frames:
        raise ValueError(
            f"video has shape {whole.shape}, and {frames} frames are needed; give a longer one, or frames={count}"
        )
    if rows < height or columns < width:
        raise ValueError(
            f"video has shape {whole.shape}, and {height} x {width} pixels are needed; give a larger one, or a smaller "
            "height and width"
        )
    box = _middle(rows, columns, height, width)
    if box == (0, 0, width, height):
        pixels = whole[:frames]
    else:
        pixels = np.stack([_resized(frame, box, height, width) for frame in whole[:frames]])
    return pixels, _said(count, frames, (rows, columns), box, (height, width))


def _middle(rows: int, columns: int, height: int, width: int) -> Box:
    """The largest part of a picture with the proportions of height and width, from its middle."""
    scale = min(rows / height, columns / width)
    tall, wide = round(scale * height), round(scale * width)
    left, top = (columns - wide) // 2, (rows - tall) // 2
    return left, top, left + wide, top + tall


def _resized(frame: Frame, box: Box, height: int, width: int) -> Frame:
    picture = Image.fromarray(frame).resize((width, height), Image.Resampling.LANCZOS, box=box)
    return np.array(picture)


def _said(count: int, frames: int, size: tuple[int, int], box: Box, asked: tuple[int, int]) -> str:
    """What was done to a video, in a sentence; "" if nothing was."""
    parts = [f"the first {frames} of its frames are taken"] if count > frames else []
    cut = box[3] - box[1], box[2] - box[0]
    if cut != size:
        parts.append(f"its middle, {cut[0]} x {cut[1]} of {size[0]} x {size[1]} pixels, is cut out")
    if cut != asked:
        parts.append(f"the pictures are resized to {asked[0]} x {asked[1]} pixels")
    return f"Of the given video, {', '.join(parts)}." if parts else ""
