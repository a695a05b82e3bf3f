"""Figures of the table of `attention_noise`, as lessons show them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from ...display.plots import draw_intervals
from ...measures.statistics import Estimate
from .table import IMAGE, KINDS, PLACES, STATISTICS, VIDEO

MODELS = ((IMAGE, "image model", -0.12), (VIDEO, "video model", 0.12))  # name, what the legend says, shift to the side


@dataclass(frozen=True, eq=False)
class Series:
    """Figures of one model along x, by statistic, and how they are marked."""

    label: str
    positions: Float[np.ndarray, " places"]
    figures: Mapping[str, Sequence[Estimate]]
    fmt: str = "o"


def by_place(table: Mapping) -> Figure:
    """Every statistic of both models by place, of held-out prompts, beside that of a perfect map."""
    rows, places = table["held out"], np.arange(len(PLACES))
    series = []
    for model, label, shift in MODELS:
        figures = {name: [rows[at][name][model] for at in PLACES] for name in STATISTICS}
        series.append(Series(label, places + shift, figures))
    perfect = {name: [rows[at][name]["perfect"] for at in PLACES] for name in STATISTICS}
    return panels(series, Series("a perfect map", places, perfect), PLACES)


def panels(series: Sequence[Series], perfect: Series, places: Sequence[str]) -> Figure:
    """A panel for each statistic: models with intervals, and a perfect map as a line."""
    figure, axes = plt.subplots(2, 3, figsize=(9.5, 5), layout="compressed", dpi=80)
    plt.close(figure)  # it is returned: the inline backend would show it a second time
    for axis, name in zip(axes.flat, STATISTICS, strict=True):
        for own in series:
            draw_intervals(axis, own.positions, own.figures[name], label=own.label, fmt=own.fmt)
        ideal = [figure.value for figure in perfect.figures[name]]
        axis.plot(perfect.positions, ideal, "_", color="grey", ms=22, label=perfect.label)
        labels = [place.replace(" ", "\n") for place in places]
        axis.set(title=name, xticks=range(len(labels)), xticklabels=labels)
    axes[0, 0].legend(fontsize=8)
    return figure


def of_tokens(table: Mapping, places: Sequence[str]) -> Figure:
    """How much of the object shows under each kind of token, a panel for each place."""
    figure, axes = plt.subplots(1, len(places), figsize=(9.5, 3), layout="compressed", dpi=80, sharey=True)
    plt.close(figure)
    for axis, place in zip(axes, places, strict=True):
        for model, label, shift in MODELS:
            figures = [table["leakage of tokens"][place][kind][model] for kind in KINDS]
            draw_intervals(axis, np.arange(len(figures)) + shift, figures, label=label)
        axis.axhline(0, color="grey", lw=0.8)
        axis.set(title=place, xticks=range(len(KINDS)))
        axis.set_xticklabels(KINDS, rotation=40, ha="right")
    axes[0].set_ylabel("leakage")
    axes[-1].legend(fontsize=8)
    return figure
