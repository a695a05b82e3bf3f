"""Figures on what single tokens attend to: their maps with a caption each, and how well each one finds an object."""

import math
from collections.abc import Mapping, Sequence
from typing import Annotated

import numpy as np
import torch
from matplotlib.figure import Figure

from ..arguments import UNCHECKED, checked
from ..attention.maps import soft_threshold
from ..kinds import Count, as_array
from .checks import Inches, Labels, Values, Video, as_labels, as_maps, as_video, require
from .pixels import COLORMAP, colored, stretch
from .plots import draw_shares, panels

COLORS = ("#2f6db3", "#c8692b", "#6b7783")
CHANCE = 0.5  # AUROC of a map that knows nothing of the object
SHARES = {"start": "#2f6db3", "words": "#c8692b", "end": "#9dc0e4", "padding": "#d9dee3"}  # kinds of tokens
Scores = Annotated[Sequence[float], UNCHECKED]  # an AUROC for each map


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
    figure, axes = panels(rows, columns, size)
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
    figure, [[axis]] = panels(1, 1, (8, 0.6 * len(scores) + 0.9))
    for row, (kind, values) in enumerate(scores.items()):
        color = COLORS[row % len(COLORS)]
        axis.plot(values, np.full(len(values), -row), "o", color=color, alpha=0.6, ms=8, label=kind)
    axis.axvline(CHANCE, color="0.7", lw=0.8)
    axis.set(xlim=(-0.03, 1.03), ylim=(0.6 - len(scores), 0.6), xlabel="AUROC of each token’s map")
    axis.set_yticks(-np.arange(len(scores)), list(scores))
    return figure


@checked
def maps_by_size(maps: Annotated[Sequence[Values], UNCHECKED], names: Labels, scores: Scores) -> Figure:
    """Draws maps (h, w), each in a column of its own, those of one height in a row, with name, height and AUROC."""
    values = [as_maps(array, "maps", frames=1)[0] for array in maps]
    titles = as_labels(names, "names", len(values))
    require(len(scores) == len(values), "scores", len(scores), f"{len(values)}, one for each map")
    pictures, captions = [], []
    for height in sorted({len(array) for array in values}, reverse=True):
        for array, name, score in zip(values, titles, scores, strict=True):
            is_here = len(array) == height
            pictures.append(array if is_here else None)
            captions.append(f"{name}, {height} high: {float(score):.2f}" if is_here else "")
    return captioned(pictures, captions, columns=len(values))


@checked
def maps_of_steps(maps: Values, scores: Scores, picture: Video) -> Figure:
    """Draws the maps (steps, h, w) of some steps, most of them early, with AUROCs, and the picture at the end."""
    values = as_maps(maps)
    steps = len(values)
    require(len(scores) == steps, "scores", len(scores), f"{steps}, one for each map")
    shown = sorted({0, 1, steps // 7, steps // 3, steps // 2, steps - 1} & set(range(steps)))
    captions = [f"step {step + 1}: {float(scores[step]):.2f}" for step in shown]
    return captioned([*values[shown], picture], [*captions, "picture"], columns=len(shown) + 1, cell=1.4)


@checked
def maps_and_shapes(maps: Annotated[Sequence[Values], UNCHECKED], names: Labels) -> Figure:
    """Draws maps (h, w) with height and highest value above, and beside each its soft threshold; two maps in a row."""
    pictures, captions = [], []
    for values, name in zip(maps, as_labels(names, "names", len(maps)), strict=True):
        (array,) = as_maps(values, "maps", frames=1)
        pictures += [array, soft_threshold(torch.from_numpy(array))]
        captions += [f"{name}, {len(array)} high: at most {array.max():.2f}", "its shape"]
    return captioned(pictures, captions, columns=4, cell=2.2)


@checked
def shares_by_layer(shares: Values, layers: Labels) -> Figure:
    """Draws shares (layers, 4) of start token, words, end token and padding as a stacked bar for each layer."""
    (rows,) = as_maps(shares, "shares", frames=1)
    require(rows.shape[1] == len(SHARES), "shares", f"{rows.shape[1]} in a layer", ", ".join(SHARES))
    names = as_labels(layers, "layers", len(rows))
    figure, [[axis]] = panels(1, 1, (9, 2.8))
    draw_shares(axis, dict(zip(SHARES, rows.T.tolist(), strict=True)), list(SHARES.values()))
    axis.set_xticks(range(len(names)), names)
    axis.set(xlabel="layer, and height of its maps", ylabel="share of the attention")
    return figure
