"""Kinds of plots that the lessons share."""

from collections.abc import Mapping, Sequence
from typing import Annotated

import matplotlib.pyplot as plt
import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..arguments import UNCHECKED, checked
from .checks import Values, as_maps, require
from .tables import EstimateLike, as_estimate


def panels(
    rows: int,
    columns: int,
    size: tuple[float, float],
    dpi: float | None = 90,
    *,
    sharey: bool = False,
    width_ratios: Sequence[float] | None = None,
    layout: str = "compressed",
) -> tuple[Figure, np.ndarray]:
    """An empty figure, and its axes as an array (rows, columns).

    size: width and height in inches. dpi: None for that of matplotlib's settings. Others: as `pyplot.subplots` has
    them. The figure is closed, for it is to be returned: the inline backend would show an open one a second time.
    """
    figure, axes = plt.subplots(
        rows, columns, sharey=sharey, squeeze=False, width_ratios=width_ratios, figsize=size, dpi=dpi, layout=layout
    )
    plt.close(figure)
    return figure, axes


@checked
def draw_intervals(
    ax: Axes,
    positions: Annotated[Sequence[float] | Float[np.ndarray, " n"], UNCHECKED],
    figures: Sequence[EstimateLike],
    color: str | None = None,
    label: str | None = None,
    fmt: str = "o",
) -> None:
    """Draws figures as dots with their intervals, at positions along x.

    fmt: marker and line as in matplotlib, "o-" joins the dots. Raises ValueError for another number of positions.
    """
    require(len(positions) == len(figures), "positions", len(positions), f"{len(figures)}, one for each figure")
    estimates = [as_estimate(figure) for figure in figures]
    middle = np.array([estimate.value for estimate in estimates])
    low = np.array([estimate.low for estimate in estimates])
    high = np.array([estimate.high for estimate in estimates])
    reach = np.maximum([middle - low, high - middle], 0)  # rounded in a table, an end may lie beyond the value
    ax.errorbar(positions, middle, reach, fmt=fmt, ms=4, capsize=3, color=color, label=label)


@checked
def draw_signed(ax: Axes, values: Values, title: str = "") -> None:
    """Draws a map (h, w) of numbers with a sign: zero in white, above it red, below it blue, both on one scale."""
    maps = as_maps(values, "values", frames=1)
    highest = float(np.abs(maps).max()) or 1.0
    ax.imshow(maps[0], cmap="RdBu_r", vmin=-highest, vmax=highest)
    ax.set(xticks=[], yticks=[])
    ax.set_title(title, size=9)


@checked
def draw_shares(
    ax: Axes,
    shares: Annotated[Mapping[str, Sequence[float]], UNCHECKED],
    colors: Annotated[Sequence[str] | None, UNCHECKED] = None,
) -> None:
    """Draws shares that add up to one as stacked bars, with a legend on the right.

    shares: by what the legend says, one number for each bar. colors: by default matplotlib's. Raises ValueError for
    another number of colors than shares.
    """
    palette = [None] * len(shares) if colors is None else list(colors)
    require(len(palette) == len(shares), "colors", len(palette), f"{len(shares)}, one for each share")
    bottom = np.zeros(len(next(iter(shares.values()), ())))
    for (label, values), color in zip(shares.items(), palette, strict=True):
        ax.bar(range(len(values)), values, bottom=bottom, color=color, label=label)
        bottom += np.array(values)
    ax.set(xticks=range(len(bottom)), ylim=(0, 1))
    ax.legend(loc="center left", bbox_to_anchor=(1, 0.5), frameon=False)
