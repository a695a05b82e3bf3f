"""What explorers show: a player in the browser, or, where anywidget cannot be had, pictures from the kernel."""

import importlib.util
import io
from collections.abc import Sequence
from typing import Any

import ipywidgets as widgets
import numpy as np
from PIL import Image

from ..checks import Frames
from ..overlays import draw_boxes
from ..pixels import Picture

PAUSE = 180  # milliseconds from one frame to the next, where each has to travel from the kernel to the browser


def has_anywidget() -> bool:
    """Whether widgets can be drawn in the browser by our own JavaScript."""
    return importlib.util.find_spec("anywidget") is not None


class Player(widgets.VBox):
    """A video with a slider for its frame.

    There are: frame and play, which moves it; video, uint8 (frames, height, width, 3), and picture, the frame of it
    that is seen, with boxes; both None before the first `show`. film is the player in the browser; where it is None,
    image shows the picture.
    """

    def __init__(self, frames: int, height: int):
        super().__init__(layout={"max_width": "100%", "min_width": "0", "flex": "1 1 340px"})
        last = frames - 1
        self.video: Frames | None = None
        self.picture: Picture | None = None
        self.marks: Sequence[dict[str, Any]] = ()
        self.frame = widgets.IntSlider(0, 0, last, description="frame", disabled=not last)
        self.play = widgets.Play(value=0, min=0, max=last, interval=PAUSE, disabled=not last)
        look = {"display": "none", "height": f"{height}px", "object_fit": "contain"}  # the browser enlarges
        self.image = widgets.Image(format="png", layout=look)
        widgets.link((self.play, "value"), (self.frame, "value"))
        self.frame.observe(self.paint, names="value")
        self.film = self._film()

    def _film(self) -> Any:
        if not has_anywidget():
            self.children = [widgets.HBox([self.frame, self.play]), self.image]
            return None
        from .film import Film

        film = Film()
        widgets.link((film, "frame"), (self.frame, "value"))
        self.children = [film]
        return film

    def show(self, video: Frames, titles: Sequence[str] = (), marks: Sequence[dict[str, Any]] = ()) -> None:
        """Show a video, with what `Film` calls marks."""
        last = len(video) - 1
        self.video, self.marks = video, marks
        self.frame.max = self.play.max = last
        self.frame.disabled = self.play.disabled = not last
        if self.film is not None:
            self.film.show(video, titles, marks)
        self.paint()

    def say(self, alt: str, stale: bool, code: str) -> None:
        """What is seen, whether the controls have changed since, and the cell that makes it."""
        if self.film is not None:
            self.film.alt, self.film.stale, self.film.code = alt, stale, code

    def paint(self, _change: dict | None = None) -> None:
        """Make the picture of the frame."""
        if self.video is None:
            return
        index = self.frame.value
        picture = self.video[index].copy()
        for mark in self.marks:
            draw_mark(picture, mark, index)
        self.picture = picture
        if self.film is None:
            self.image.value, self.image.layout.display = as_png(picture), ""


def draw_mark(picture: Picture, mark: dict[str, Any], index: int) -> None:
    """Draw the boxes of a mark at a frame into a picture: the asked one two pixels thick, the seen one one."""
    width = picture.shape[1]
    left, right = round(mark["left"] * width), round((mark["left"] + mark["width"]) * width)
    for name, thickness in (("asked", 2), ("seen", 1)):
        box = mark[name][index] if mark.get(name) else None
        if box is not None:
            part = draw_boxes(picture[None, :, left:right], np.array([box]), mark["color"], thickness)
            picture[:, left:right] = part[0]


def as_png(picture: Picture) -> bytes:
    """The bytes of a picture."""
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "png")
    return buffer.getvalue()
