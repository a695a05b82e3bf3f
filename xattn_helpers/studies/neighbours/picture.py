"""Adherence against cost: one picture of the table of `neighbours`, which the report `neighbours_picture` writes."""

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from ...display.plots import panels
from ..guidance.figures import pareto

COLORS = {True: "tab:blue", False: "tab:orange"}  # without a gradient, and with one
KINDS = ("without a gradient", "with a gradient")
WITH_GRADIENT = ("gradient", "LVD")


def pareto_picture(table: Mapping[str, Mapping[str, Mapping]]) -> Figure:
    """mIoU, with its interval, against the time over that of an unguided video; a panel for each model.

    Filled dots are methods that no other beats in both. Blue methods need no gradient, orange ones do.
    """
    figure, axes = panels(1, len(table), (5.4 * len(table), 4.2), dpi=80, sharey=True)
    for ax, (model, methods) in zip(axes[0], table.items(), strict=True):
        _panel(ax, methods)
        ax.set_title(model, size=10)
    handles = [Line2D([], [], marker="o", ls="", color=color) for color in COLORS.values()]
    axes[0, -1].legend(handles, KINDS, loc="lower right", fontsize=8, frameon=False)
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
    for name, x, y, height in _labels(list(methods), costs, reached):
        ax.annotate(name, (x, y), xytext=(8, height), textcoords="offset points", size=8, va="center")
    ax.set(xlabel="time over that of an unguided video", ylim=(0, 1), xlim=(0.8, float(np.nanmax(costs)) + 0.7))
    ax.spines[["top", "right"]].set_visible(False)
    ax.grid(alpha=0.3)


def _labels(names: list[str], costs: np.ndarray, reached: np.ndarray) -> list[tuple[str, float, float, float]]:
    """Where names stand: beside their dots, moved up or down where dots are too close (0.035 of the axis is a line)."""
    order, last, labels = np.argsort(reached), -1.0, []
    for place in order:
        height = max(float(reached[place]), last + 0.035)
        last = height
        labels.append(
            (names[place], float(costs[place]), float(reached[place]), 270 * (height - float(reached[place])))
        )
    return labels
