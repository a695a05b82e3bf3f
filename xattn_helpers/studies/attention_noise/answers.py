"""The answer to how noisy a video model's maps are: three numbers in one figure, and sentences made of the table."""

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ...display.plots import draw_intervals, panels
from ...display.tables import figure_text
from ...measures.statistics import Estimate
from ..transformer_noise import PLACES as BLOCKS
from .table import IMAGE, NUMBERS, PLACES, VIDEO

MODELS = ((IMAGE, "image model", -0.12, "#2f6db3"), (VIDEO, "video model", 0.12, "#c8692b"))
OTHER = "#2a7f62"  # the transformer
FINE, COARSE = "16 up", "8 up"  # where the paper looked, and where maps are best


def three_numbers(table: Mapping, transformer: Mapping | None = None) -> Figure:
    """A panel for each number: both models by place, beside a perfect map; the transformer's blocks, if measured."""
    figure, [axes] = panels(1, 3, (12, 3.6))
    places = [*PLACES, *(BLOCKS if transformer else ())]
    for axis, (name, (title, _)) in zip(axes, NUMBERS.items(), strict=True):
        rows = table["held out"]
        for model, label, shift, color in MODELS:
            positions = np.arange(len(PLACES)) + shift
            draw_intervals(axis, positions, [rows[place][name][model] for place in PLACES], color, label)
        perfect = [rows[place][name]["perfect"].value for place in PLACES]
        if transformer:
            perfect += draw_transformer(axis, transformer, name)
        axis.plot(range(len(perfect)), perfect, "_", color="0.5", ms=20, label="a perfect map")
        labels = [place.replace(" ", "\n") for place in places]
        axis.set(title=title, xticks=range(len(places)))
        axis.set_xticklabels(labels, size=7.5)  # larger ones would run into each other
    axes[1].legend(frameon=False, fontsize=9)
    axes[0].axhline(0.5, color="0.8", lw=0.8)
    axes[2].axhline(0, color="0.8", lw=0.8)
    return figure


def draw_transformer(axis: Axes, table: Mapping, name: str) -> list[float]:
    """Draw the transformer's blocks after the places of the others; returns what a perfect map would have there."""
    rows = table["held out"]
    positions = np.arange(len(BLOCKS)) + len(PLACES)
    draw_intervals(axis, positions, [rows[place][name]["model"] for place in BLOCKS], OTHER, "transformer", fmt="s")
    return [rows[place][name]["perfect"].value for place in BLOCKS]


def verdict(change: Estimate, sign: int) -> str:
    """Whether a change from image to video model is one towards noise; undecided where its interval contains zero."""
    if not change.excludes(0.0):
        return "undecided"
    return "noisier" if change.value * sign > 0 else "cleaner"


def counted(table: Mapping) -> str:
    """A sentence: in how many comparisons of number and place the video model is noisier, cleaner, undecided."""
    verdicts: list[str] = []
    for place in PLACES:
        for name, (_, sign) in NUMBERS.items():
            verdicts.append(verdict(table["held out"][place][name]["difference"], sign))
    parts = [f"{kind} in {verdicts.count(kind)}" for kind in ("noisier", "cleaner", "undecided")]
    return f"of {len(verdicts)} comparisons (three numbers, {len(PLACES)} places) the video model is {', '.join(parts)}"


def answers(table: Mapping) -> list[str]:
    """The answer in sentences: models, layers, other words, and first steps."""
    rows, steps = table["held out"], table["AUROC of steps"]
    lines = [f"**Noisier?** {counted(table).capitalize()}."]
    for name, (_, sign) in NUMBERS.items():
        change = rows[FINE][name]["difference"]
        lines.append(
            f"**Where the paper looked**, 16 × 16 on the way up: {name}, video minus image, "
            f"{figure_text(change, '+.3f')}: {verdict(change, sign)}."
        )
    fine, coarse, middle = (figure_text(rows[place]["auroc"][VIDEO]) for place in (FINE, COARSE, "4 mid"))
    lines.append(f"**Layers**: AUROC in the video model {fine} at 16 × 16, {coarse} at 8 × 8 (up), {middle} at 4 × 4.")
    for model, label, *_ in MODELS:
        leaks = table["leakage of tokens"][FINE]
        into, the = (figure_text(leaks[kind][model]) for kind in ("in, on", "the"))
        lines.append(f"**Other words**, {label} at 16 × 16 (up): leakage into “in” and “on” {into}, into “the” {the}.")
    first = [figure_text(steps[place][0][VIDEO]) for place in (COARSE, FINE)]
    lines.append(f"**First step** of the video model: AUROC {first[0]} at 8 × 8 (up), {first[1]} at 16 × 16 (up).")
    return lines
