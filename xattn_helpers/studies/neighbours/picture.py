"""Adherence against cost: one picture of the table of `neighbours`, which the report `neighbours_picture` writes."""

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import NullLocator

from ...display.plots import panels
from ..guidance.figures import pareto

COLORS = {True: "tab:blue", False: "tab:orange"}  # without a gradient, and with one
KINDS = ("without a gradient", "with a gradient")
WITH_GRADIENT = ("gradient", "LVD")
TICKS, MOST = (1, 2, 5, 10, 20, 50), 120  # of the time, on a logarithmic axis; names have room on the right
LINE, WIDTH = 0.042, 0.5  # a name's height, as a share of the axis, and its width, in powers of ten
POINTS = 270  # of the axis


def pareto_picture(table: Mapping[str, Mapping[str, Mapping]]) -> Figure:
    """mIoU, with its interval, against the time over that of an unguided video; a panel for each model.

    Filled dots are methods that no other beats in both. Blue methods need no gradient, orange ones do.
    """
    figure, axes = panels(1, len(table), (5.4 * len(table), 4.2), dpi=80, sharey=True)
    for ax, (model, methods) in zip(axes[0], table.items(), strict=True):
        _panel(ax, methods)
        ax.set_title(model, size=10)
    handles = [Line2D([], [], marker="o", ls="", color=color) for color in COLORS.values()]
    axes[0, -1].legend(handles, KINDS, loc="upper right", fontsize=8, frameon=False)
    axes[0, 0].set_ylabel("mIoU with the asked boxes (lost = 0)")
    return figure


def _panel(ax: Axes, methods: Mapping[str, Mapping]) -> None:
    costs = np.array([part["time over unguided"] for part in methods.values()])
    reached = np.array([part["mIoU"].value for part in methods.values()])
    unbeaten = pareto(np.stack([-costs, reached], 1))
    for place, (name, part) in enumerate(methods.items()):
        color = COLORS[not name.startswith(WITH_GRADIENT)]
        ax.plot([costs[place]] * 2, [part["mIoU"].low, part["mIoU"].high], color=color, lw=1.2)
        face = color if unbeaten[place] else "white"
        ax.plot(costs[place], reached[place], "o", ms=6, color=color, mfc=face, label=name)
    for name, cost, own, height in zip(methods, costs, reached, _heights(costs, reached), strict=True):
        above = POINTS * (height - own)
        ax.annotate(name, (cost, own), xytext=(8, above), textcoords="offset points", size=8, va="center")
    ax.set(xlabel="time over that of an unguided video", ylim=(0, 1), xscale="log", xlim=(0.85, MOST))
    ax.set_xticks(TICKS, [f"{tick} ×" for tick in TICKS])
    ax.xaxis.set_minor_locator(NullLocator())
    ax.spines[["top", "right"]].set_visible(False)
    ax.grid(alpha=0.3)


def _heights(costs: np.ndarray, reached: np.ndarray) -> np.ndarray:
    """How high names stand on the axis: beside their dots, moved up where another name would be in the way."""
    heights, placed = reached.copy(), []
    for place in np.argsort(reached):
        for below in placed:
            if abs(np.log10(costs[below] / costs[place])) < WIDTH:
                heights[place] = max(heights[place], heights[below] + LINE)
        placed.append(place)
    return heights
