"""Figures on what single tokens attend to: their maps with a caption each, and how well every one finds an object."""

import math
from collections.abc import Mapping, Sequence
from typing import Annotated

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from ..arguments import UNCHECKED, checked
from ..kinds import Count, as_array
from .checks import Inches, Labels, Values, Video, as_labels, as_maps, as_video, require
from .pixels import COLORMAP, colored, stretch

COLORS = ("#2f6db3", "#c8692b", "#6b7783")
CHANCE = 0.5  # AUROC of a map that knows nothing of the object


@checked
def captioned(
    pictures: Annotated[Sequence[Video | Values | None], UNCHECKED], captions: Labels, columns: Count = 5,
    cell: Inches = 1.8,
) -> Figure:  # fmt: skip
    """Draws pictures and maps in rows, each with its own caption.

    pictures: images (height, width, 3), maps (h, w), each in its own range, or None for an empty place. cell: height
    and width in inches.
    Raises ValueError for no pictures, or another number of captions.
    """
    require(len(pictures), "pictures", "none", "a list of images or maps")
    titles = as_labels(captions, "captions", len(pictures))
    rows = math.ceil(len(pictures) / columns)
    size = cell * columns, (cell + 0.3) * rows
    figure, axes = plt.subplots(rows, columns, squeeze=False, figsize=size, dpi=90, layout="compressed")
    plt.close(figure)  # it is returned: the inline backend would show it a second time
    for axis in axes.flat:
        axis.set_axis_off()
    for axis, picture, title in zip(axes.flat, pictures, titles, strict=False):
        if picture is not None:
            axis.imshow(_colors(picture))
        axis.set_title(title, size=10)
    return figure


def _colors(picture: Video | Values) -> np.ndarray:
    """An image as it is, a map in colours."""
    array = as_array(picture)
    if array.shape[2:] == (3,):
        return as_video(array[None], "pictures")[0]
    return colored(stretch(as_maps(array, "pictures", frames=1)), COLORMAP)[0]


@checked
def scores_by_kind(scores: Annotated[Mapping[str, Sequence[float]], UNCHECKED]) -> Figure:
    """Draws a row of dots for each kind of token, one dot a token, at its AUROC. NaN draws nothing."""
    figure, axis = plt.subplots(figsize=(8, 0.6 * len(scores) + 0.9), dpi=90, layout="compressed")
    plt.close(figure)
    for row, (kind, values) in enumerate(scores.items()):
        color = COLORS[row % len(COLORS)]
        axis.plot(values, np.full(len(values), -row), "o", color=color, alpha=0.6, ms=8, label=kind)
    axis.axvline(CHANCE, color="0.7", lw=0.8)
    axis.set(xlim=(-0.03, 1.03), ylim=(0.6 - len(scores), 0.6), xlabel="AUROC of each token’s map")
    axis.set_yticks(-np.arange(len(scores)), list(scores))
    return figure
