"""Videos made visible: in the notebook, in a file, as a row of frames.

Why not `mediapy.show_videos`: it needs an ffmpeg binary, which Binder, Windows and plain CI lack. Pillow alone writes
an animated WebP, about as small as a short MP4, which loops in every current browser, also where a page may run no
script. Where it may, the player of `players/` takes it over: to pause, step, scrub. mediapy does what it is better at
here: conversions to uint8, colour maps, and MP4 files.
"""

import html
import io
from base64 import b64encode
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated

import mediapy
import numpy as np
from IPython.display import HTML
from PIL import Image

from ..arguments import UNCHECKED, checked
from ..kinds import Count, PathLike, Side
from ..video_files import find_ffmpeg
from .checks import Frames, Gap, Labels, Rate, Video, as_labels, as_video, require
from .pixels import Picture, side_by_side
from .players.markup import player, webp

LONGEST_SIDE = 16383  # pixels, of WebP
SUFFIXES = (".webp", ".gif", ".png", ".mp4")
ROW = 1000  # CSS pixels: what fits beside each other


@checked
def show(
    *videos: Video,
    titles: Labels = None,
    fps: Rate = 8,
    width: Side | None = None,
    columns: Count | None = None,
    descriptions: Labels = None,
) -> HTML:
    """Plays clips side by side in the notebook, in a loop, under one bar: pause, step by frame, scrub, loop, speed.

    videos: arrays or `Clip`s. titles: one per video. width: of each clip in CSS pixels (the browser scales, so the data
    stays small), by default that of the first, at least 200. columns: clips in a row, by default as many as fit into
    1000 pixels. descriptions: what is to be seen, for whom cannot see it, one per video; by default title and prompt.
    Raises ValueError for no video, another number of titles or descriptions than videos, and fps, width or columns of
    0 or less.
    """
    clips = _clips(videos)
    titles = as_labels(titles, "titles", len(clips))
    texts = as_labels(descriptions, "descriptions", len(clips))
    width = max(200, clips[0].shape[2]) if width is None else width
    columns = max(1, ROW // width) if columns is None else columns
    cells = []
    for video, clip, title, text in zip(videos, clips, titles, texts, strict=True):
        alternative = text.strip() or _alternative(video, len(clip), title)
        cells.append(_table_cell(clip, title, alternative, fps, width))
    # A table, not a flexbox: sanitizers (an untrusted notebook, GitHub) strip styles but keep tables.
    rows = ["".join(cells[start : start + columns]) for start in range(0, len(cells), columns)]
    body = "".join(f'<tr style="background:none">{row}</tr>' for row in rows)
    table = f'<table style="border:0;margin:0"><tbody>{body}</tbody></table>'
    return HTML(player("video", table, {"fps": fps, "columns": columns}))


@checked
def save(video: Video, path: PathLike, fps: Rate = 8) -> Path:
    """Writes a video as .webp (small), .gif (plays anywhere), .png (lossless, animated) or .mp4; returns the path.

    Missing folders are made. Raises ValueError for another suffix or fps <= 0, RuntimeError for .mp4 without ffmpeg.
    """
    clip = as_video(video)
    path = Path(path)
    suffix = path.suffix.lower()
    require(suffix in SUFFIXES, "path", path, f"a name in {', '.join(SUFFIXES)}")
    if suffix == ".mp4" and not find_ffmpeg():
        raise RuntimeError(
            f"path: given {path}, but .mp4 needs ffmpeg, which is not found. Install it (apt install ffmpeg, conda"
            " install ffmpeg or pip install imageio-ffmpeg), or save as .webp, .gif or .png."
        )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if suffix == ".mp4":
            mediapy.write_video(path, clip, fps=fps, qp=20)
        else:
            path.write_bytes(encode(clip, fps, suffix[1:]))
    except OSError as error:
        raise ValueError(f"path: given {path}; it must be a file that can be written ({error.strerror})") from None
    return path


@checked
def strip(video: Video, frames: Annotated[int | Sequence[int], UNCHECKED] = 4, gap: Gap = 2) -> Picture:
    """Puts some frames of a video into one row, with white gaps: uint8 (height, total width, 3).

    frames: which of them, or how many (evenly spaced from first to last, at most as many as the video has); 4 of 16 are
    0, 5, 10, 15. gap: in pixels.
    Raises ValueError for a frame that the video lacks, for no frame at all, and for gap < 0.
    """
    clip = as_video(video)
    return side_by_side([clip[frame] for frame in _frame_numbers(frames, len(clip))], gap)


def _clips(videos: Sequence[Video]) -> list[Frames]:
    require(videos, "videos", "none", "one or more arrays or clips: show(first, second)")
    clips = []
    for index, video in enumerate(videos):
        name = f"videos[{index}]"
        is_list = isinstance(video, (list, tuple))
        require(not is_list, name, f"a {type(video).__name__}", "one array or clip, and for several show(*videos)")
        clips.append(as_video(video, name))
    return clips


def _frame_numbers(frames: int | Sequence[int], available: int) -> list[int]:
    """Which frames of a video are meant by a count or by numbers, negative ones from the end."""
    possible = f"a count above 0, or numbers of frames up to {available - 1}"
    if isinstance(frames, (int, np.integer)):
        require(frames > 0 and not isinstance(frames, bool), "frames", frames, possible)
        evenly = np.linspace(0, available - 1, min(frames, available))
        return [int(frame) for frame in evenly.round()]
    require(isinstance(frames, Iterable), "frames", repr(frames), possible)
    numbers = list(frames)
    known = [frame for frame in numbers if isinstance(frame, (int, np.integer)) and -available <= frame < available]
    require(numbers and len(known) == len(numbers), "frames", numbers, possible)
    return known


def encode(clip: Frames, fps: float, file_format: str = "webp") -> bytes:
    """The bytes of an animated picture, or of a still one for one frame."""
    fits = file_format != "webp" or max(clip.shape[1:3]) <= LONGEST_SIDE
    require(fits, "video", f"pictures of shape {clip.shape[1:]}", f"sides up to {LONGEST_SIDE} pixels")
    first, *rest = pictures = [Image.fromarray(frame) for frame in clip]
    if file_format == "webp":
        return webp(pictures, fps)
    timing = {"duration": max(1, round(1000 / fps)), "loop": 0}  # milliseconds per frame; 0: forever
    moving = {"save_all": True, "append_images": rest, **timing} if rest else {}
    buffer = io.BytesIO()
    first.save(buffer, file_format, **moving)
    return buffer.getvalue()


def _alternative(video: Video, frames: int, title: str) -> str:
    """What is told to whom cannot see the video."""
    kind = "an image" if frames == 1 else f"a video of {frames} frames"
    prompt = getattr(video, "prompt", "")
    said = f"{kind}: {prompt}" if prompt and prompt not in title else kind
    return f"{title.strip()}, {said}" if title.strip() else said


def _table_cell(clip: Frames, title: str, alternative: str, fps: float, width: int) -> str:
    data = b64encode(encode(clip, fps)).decode()
    look = f'width="{width}" alt="{html.escape(alternative)}" style="image-rendering:auto"'
    caption = f"<div>{html.escape(title)}</div>" if title else ""
    image = f'<img src="data:image/webp;base64,{data}" {look}>'
    return f'<td style="text-align:center;vertical-align:bottom;padding:4px">{caption}{image}</td>'
