"""A pad for drawing paths in the browser."""

import anywidget
import traitlets

from ..checks import Frames
from .film import HERE, as_grid, shrunk
from .paths import COLORS, SIDE

SCRIPTS = ("shared", "paths", "path_edits", "path_shapes", "path_tools", "path_drawer")  # of which the last draws


class PathPad(anywidget.AnyWidget):
    """Paths over a picture: click or drag to draw; points, frames along the path and sizes can be dragged.

    Its `value` is a list of objects, dictionaries of word, points (x, y) and sizes (width, height) as shares of the
    picture, and times, the share of the path at each frame, or None for even ones. `words` are those to choose from;
    `grids` are sizes of maps, as ["8 × 8", 8, 8], at which the target is shown, drawn as a `shape`.
    """

    _esm = "".join((HERE / f"{name}.js").read_text(encoding="utf-8") for name in SCRIPTS)
    _css = (HERE / "path_drawer.css").read_text(encoding="utf-8")  # text: a file would keep every widget, see `Film`
    value = traitlets.List(traitlets.Dict()).tag(sync=True)
    words = traitlets.List(traitlets.Unicode()).tag(sync=True)
    colors = traitlets.List(list(COLORS)).tag(sync=True)
    side = traitlets.List([SIDE, SIDE]).tag(sync=True)
    grids = traitlets.List().tag(sync=True)
    shape = traitlets.Unicode("disc").tag(sync=True)
    frames = traitlets.Int(1).tag(sync=True)  # of the clip that is to be made
    room = traitlets.Unicode("").tag(sync=True)  # widgets of one room hear of one another's frames
    film = traitlets.Bytes().tag(sync=True)  # what is drawn on: a grid of frames, none for a grey ground
    columns = traitlets.Int(1).tag(sync=True)
    count = traitlets.Int(1).tag(sync=True)
    width = traitlets.Int(1).tag(sync=True)
    height = traitlets.Int(1).tag(sync=True)

    def ground(self, video: Frames | None) -> None:
        """Draw on a video, uint8 (frames, height, width, 3), or on grey."""
        if video is None:
            self.film = b""
            return
        video = shrunk(video)
        grid, columns = as_grid(video)
        with self.hold_sync():
            self.columns, self.count = columns, len(video)
            self.height, self.width = video.shape[1:3]
            self.film = grid
