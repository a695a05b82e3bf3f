"""A player in the browser: all frames travel once, and playing them asks nothing of the kernel."""

import io
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import anywidget
import numpy as np
import traitlets
from PIL import Image

from ..checks import Frames

HERE = Path(__file__).parent
QUALITY = 85  # of lossy WebP
RATE = 8  # frames per second at speed 1
MOST = 2**24  # pixels of all frames together: a browser has to hold them


class Film(anywidget.AnyWidget):
    """Plays a video, with boxes over it. Traits: frame, the one that is seen; stale, whether the controls have changed
    since; alt, what it shows for whom cannot see it; code, what the button copies, hidden where it is empty.

    `marks` are dictionaries: left and width, as shares of the picture, of the part that they are about; color; and
    boxes `asked` and `seen`, one for each frame as shares of that part, None where there is none.
    """

    _esm = "".join((HERE / name).read_text(encoding="utf-8") for name in ("shared.js", "film.js"))
    _css = (HERE / "film.css").read_text(encoding="utf-8")  # text: anywidget watches a file, and keeps every widget
    film = traitlets.Bytes().tag(sync=True)  # a grid of all frames
    columns = traitlets.Int(1).tag(sync=True)  # of the grid
    count = traitlets.Int(1).tag(sync=True)  # of the frames
    width = traitlets.Int(1).tag(sync=True)  # pixels of a frame
    height = traitlets.Int(1).tag(sync=True)
    rate = traitlets.Float(RATE).tag(sync=True)
    frame = traitlets.Int(0).tag(sync=True)
    plays = traitlets.Bool(True).tag(sync=True)  # whether it begins to play when a film comes
    titles = traitlets.List().tag(sync=True)
    marks = traitlets.List().tag(sync=True)
    stale = traitlets.Bool(False).tag(sync=True)
    alt = traitlets.Unicode("").tag(sync=True)
    code = traitlets.Unicode("").tag(sync=True)
    room = traitlets.Unicode("").tag(sync=True)  # widgets of one room hear of one another's frames

    def show(self, video: Frames, titles: Sequence[str] = (), marks: Sequence[dict[str, Any]] = ()) -> None:
        """Play a video from now on, uint8 (frames, height, width, 3)."""
        video = shrunk(video)
        grid, columns = as_grid(video)
        count, height, width, _ = video.shape
        with self.hold_sync():
            self.columns, self.count, self.width, self.height = columns, count, width, height
            self.titles, self.marks = list(titles), list(marks)
            self.frame = min(self.frame, count - 1)
            self.film = grid


def shrunk(video: Frames) -> Frames:
    """A video that is small enough to travel, by means over squares of pixels."""
    times = math.ceil(math.sqrt(video[..., 0].size / MOST))
    if times == 1:
        return video
    return np.stack([np.asarray(Image.fromarray(frame).reduce(times)) for frame in video])


def as_grid(video: Frames) -> tuple[bytes, int]:
    """All frames in one picture as WebP, row by row, and the number of columns."""
    count, height, width, _ = video.shape
    columns = min(count, math.ceil(math.sqrt(count * height / width)))  # about a square: WebP ends at 16383 pixels
    rows = -(-count // columns)
    grid = np.zeros((rows * height, columns * width, 3), np.uint8)
    for index, frame in enumerate(video):
        top, left = index // columns * height, index % columns * width
        grid[top : top + height, left : left + width] = frame
    buffer = io.BytesIO()
    Image.fromarray(grid).save(buffer, "webp", quality=QUALITY)
    return buffer.getvalue(), columns
