"""Images and maps laid out as one figure."""

import itertools
import textwrap
from collections.abc import Iterable, Sequence
from typing import Annotated, Any

import numpy as np
from matplotlib.figure import Figure

from ..arguments import UNCHECKED, checked
from ..kinds import as_array
from .checks import Inches, Labels, Video, as_labels, as_maps, as_video, require
from .pixels import COLORMAP, Picture, colored, stretch
from .plots import panels
from .videos import strip

LINE = 24  # characters of a title on the left


@checked
def image_grid(
    rows: Annotated[Sequence[Sequence[Video | None]], UNCHECKED],
    row_titles: Labels = None,
    column_titles: Labels = None,
    cell: Inches = 1.2,
    colormap: str = COLORMAP,
) -> Figure:
    """Draws rows of images and maps as one small figure, with titles on the left and on top.

    rows: lists of images (height, width, 3) or clips of one frame, maps (h, w), each drawn in its own range (for a
    common one pass `heatmaps`), or None for an empty cell; lengths may differ. cell: height of a row in inches.
    Raises ValueError for no cells, videos in a cell, another number of titles than rows or columns, cell <= 0.
    """
    cells = _cells(rows, colormap)
    left = as_labels(row_titles, "row_titles", len(cells))
    top = as_labels(column_titles, "column_titles", len(cells[0]))
    widths = [max(image.shape[1] / image.shape[0] for image in column) for column in zip(*cells, strict=True)]
    size = cell * (sum(widths) + 1.2 * any(left)), cell * (len(cells) + 0.2 * any(top))
    figure, axes = panels(len(cells), len(widths), size, width_ratios=widths)
    for ax, picture in zip(axes.flat, itertools.chain(*cells), strict=True):
        ax.imshow(picture)
        ax.set(xticks=[], yticks=[])
        ax.spines[:].set_visible(False)
    for ax, title in zip(axes[:, 0], left, strict=True):
        lines = [textwrap.fill(line, LINE) for line in title.splitlines()]
        ax.set_ylabel("\n".join(lines), rotation=0, ha="right", va="center", size=9)
    for ax, title, width in zip(axes[0], top, widths, strict=True):
        ax.set_title(textwrap.fill(title, max(8, int(14 * cell * width))), size=9)
    return figure


@checked
def contact_sheet(
    videos: Annotated[Sequence[Video], UNCHECKED], captions: Labels,
    frames: Annotated[int | Sequence[int], UNCHECKED] = 4, cell: Inches = 1.2,
) -> Figure:  # fmt: skip
    """Draws one row of frames per video, its caption on the left, as one figure.

    frames: as in `strip`. cell: as in `image_grid`. Raises ValueError for another number of captions than videos.
    """
    require(isinstance(videos, Iterable), "videos", repr(videos), "a list of arrays or clips")
    strips = [[strip(video, frames)] for video in videos]
    require(strips, "videos", "none", "a list of arrays or clips")
    return image_grid(strips, row_titles=as_labels(captions, "captions", len(strips)), cell=cell)


def _cells(rows: Any, colormap: str) -> list[list[Picture]]:
    """Rows of pictures, filled up to one length by white pixels."""
    possible = "lists of images or maps"
    require(isinstance(rows, Iterable), "rows", repr(rows), possible)
    cells = []
    for row in rows:
        is_picture = as_array(row).shape[2:] == (3,)
        require(isinstance(row, Iterable) and not isinstance(row, str), "rows", repr(row), possible)
        require(not is_picture, "rows", "a picture as a row", possible)
        cells.append([_cell(image, colormap) for image in row])
    columns = max((len(row) for row in cells), default=0)
    require(columns, "rows", "no cells", possible)
    blank = _cell(None, colormap)
    return [row + [blank] * (columns - len(row)) for row in cells]


def _cell(image: Video | None, colormap: str) -> Picture:
    """One cell of a grid; None becomes a white pixel."""
    if image is None:
        return np.full((1, 1, 3), 255, np.uint8)
    array = as_array(getattr(image, "video", image))
    if array.ndim > 2 and array.shape[-1] == 3:
        pictures = as_video(array, "rows")
    else:
        pictures = colored(stretch(as_maps(array, "rows")), colormap)
    require(len(pictures) == 1, "rows", f"{len(pictures)} pictures in one cell", "one image or map per cell")
    return pictures[0]
