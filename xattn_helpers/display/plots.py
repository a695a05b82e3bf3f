"""Two kinds of plots that the lessons share."""

from collections.abc import Sequence
from typing import Annotated

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes

from ..arguments import UNCHECKED, checked
from .checks import Values, as_maps, require
from .tables import EstimateLike, as_estimate


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
