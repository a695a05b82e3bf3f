"""A path by sliders: start, end and, if wanted, a point in the middle, where no browser draws."""

from typing import Any

import ipywidgets as widgets
import numpy as np
import traitlets

from .paths import END, SIDE, START

SLIDER = {"width": "290px", "min_width": "220px", "max_width": "100%"}
ROW = {"flex_flow": "row wrap", "max_width": "100%"}
MIDDLE = (0.5, 0.5)
SMALLEST = 0.05  # side of a box, in parts of the picture


class SliderPad(widgets.VBox):
    """A path of two or three points by sliders. Its `value` is that of a `PathPad` with one object, without times.

    Controls: word; start_x, start_y, start_size, end_x, end_y, end_size, by_middle, middle_x, middle_y. Those that do
    nothing, of the middle unless it is wanted and of the end for an image, cannot be moved.
    """

    value = traitlets.List(traitlets.Dict())
    words = traitlets.List(traitlets.Unicode())

    def __init__(self, word: str = "", frames: int = 2):
        self._is_moving = False
        self.word = widgets.Combobox(value=word, description="word", ensure_option=False)
        self.start_x, self.start_y = _slider(START[0], "start x"), _slider(START[1], "start y")
        self.end_x, self.end_y = _slider(END[0], "end x"), _slider(END[1], "end y")
        self.by_middle = widgets.Checkbox(
            False, description="by a middle point", indent=False, layout={"width": "160px"}
        )
        self.middle_x, self.middle_y = _slider(MIDDLE[0], "middle x"), _slider(MIDDLE[1], "middle y")
        self.start_size, self.end_size = _slider(SIDE, "start size", SMALLEST), _slider(SIDE, "end size", SMALLEST)
        rows = [
            [self.start_x, self.start_y, self.start_size],
            [self.end_x, self.end_y, self.end_size],
            [self.by_middle, self.middle_x, self.middle_y],
        ]
        super().__init__([widgets.HBox(row, layout=ROW) for row in [[self.word], *rows]])
        for control in sum(rows, [self.word]):
            control.observe(self._read, names="value")
        for control in (*rows[1], *rows[2]):
            control.disabled = frames == 1
        self.observe(self._write, names="value")
        self.observe(self._offer, names="words")
        self._read()

    def ground(self, _video: Any) -> None:
        """Sliders are not drawn on a picture."""

    def _read(self, _change: Any = None) -> None:
        """The value is what the sliders say; the size at a middle point is the mean of start and end."""
        self.middle_x.disabled = self.middle_y.disabled = not self.by_middle.value or self.by_middle.disabled
        points = [[self.start_x.value, self.start_y.value], [self.end_x.value, self.end_y.value]]
        sizes = [self.start_size.value, self.end_size.value]
        if self.by_middle.value:
            points.insert(1, [self.middle_x.value, self.middle_y.value])
            sizes.insert(1, sum(sizes) / 2)
        if not self._is_moving:
            squares = [[size, size] for size in sizes]
            self.value = [{"word": self.word.value, "points": points, "sizes": squares, "times": None}]

    def _write(self, change: dict) -> None:
        """The sliders go to the first, the last and, of three, the middle point of the first object."""
        if not change["new"] or not change["new"][0]["points"]:
            return
        drawn, self._is_moving = change["new"][0], True
        points, sizes = drawn["points"], drawn["sizes"]
        self.word.value = drawn["word"]
        self.start_x.value, self.start_y.value = points[0]
        self.end_x.value, self.end_y.value = points[-1]
        self.start_size.value, self.end_size.value = _side(sizes[0]), _side(sizes[-1])
        self.by_middle.value = len(points) == 3
        if self.by_middle.value:
            self.middle_x.value, self.middle_y.value = points[1]
        self._is_moving = False

    def _offer(self, change: dict) -> None:
        self.word.options = change["new"]


def _slider(value: float, name: str, low: float = 0.0) -> widgets.FloatSlider:
    """A slider for a share of the picture."""
    return widgets.FloatSlider(value, min=low, max=1, step=0.01, description=name, layout=SLIDER)


def _side(size: list[float]) -> float:
    """The side of a square as large as a box."""
    width, height = size
    return float(np.sqrt(width * height))
