"""Figures and sentences of the table of `forward_swap`, as lessons show them."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ...display.figures import image_grid
from ...display.overlays import heatmaps
from ...display.plots import draw_intervals, draw_shares, panels
from ...display.tables import figure_text
from ...display.videos import strip
from ..rows import Row, select
from .likeness import KINDS, damage_by_kind, mismatch_and_damage
from .table import IMAGE, PARTS, PLACES, VIDEO, by_pair, log_ratio

MODELS = {IMAGE: "image model", VIDEO: "video model"}
COLORS = {IMAGE: "#2f6db3", VIDEO: "#c8692b"}
SHIFTS = {IMAGE: -0.1, VIDEO: 0.1}
PART_COLORS = ("#c8692b", "#2f6db3", "#9dc0e4", "#d9dee3")  # noun, other words, start, end and padding
SHOWN = 5  # frames of a row
MAP_SIDE = 128  # pixels


def figure_two(clips: Mapping[str, tuple[Any, Any]]) -> Figure:
    """Rows of frames, and below each the maps of its word; by title a clip and its maps, or None for no maps."""
    rows, titles = [], []
    for title, (clip, maps) in clips.items():
        rows.append([strip(clip.video, SHOWN)])
        titles.append(title)
        if maps is not None:
            rows.append([strip(heatmaps(maps.cpu(), size=MAP_SIDE), SHOWN)])
            titles.append("its map")
    return image_grid(rows, row_titles=titles, cell=1.25)


def pictures_by_seed(
    rows: Mapping[str, Sequence[Any]], seeds: Sequence[int], sources: Sequence[Any | None] | None = None
) -> Figure:
    """A row of clips of one frame for each title, the clip of each seed in a column of its own.

    sources: for each row the source's clip of the first seed, or None for no source; they stand in a first column.
    """
    columns, pictures = [f"seed {seed}" for seed in seeds], list(rows.values())
    if sources is None:
        return image_grid(pictures, row_titles=list(rows), column_titles=columns, cell=1.4)
    pictures = [[source, *clips] for source, clips in zip(sources, pictures, strict=True)]
    return image_grid(pictures, list(rows), [f"source, {columns[0]}", *columns], cell=1.2)


def pictures_by_way(columns: Mapping[str, Sequence[Any]], seeds: Sequence[int]) -> Figure:
    """A column of clips of one frame for each title, the clip of each seed in a row of its own."""
    rows = list(zip(*columns.values(), strict=True))
    return image_grid(rows, row_titles=[f"seed {seed}" for seed in seeds], column_titles=list(columns), cell=1.2)


def place_size_damage(table: Mapping, rows: Sequence[Row]) -> Figure:
    """Three panels: does a swapped object go where the source is, how large is it, and how often is it still seen?"""
    figure, [(place, size, damage)] = panels(1, 3, (11, 3.6))
    for model, label in MODELS.items():
        figures = table["swap"][model]["all"]
        before_after = [figures[f"distance {clip} source"] for clip in ("own", "swapped")]
        draw_intervals(place, np.arange(2) + SHIFTS[model], before_after, COLORS[model], label)
        size.plot(*sizes(swaps(rows, model)), "o", ms=5, color=COLORS[model], label=label)
        kinds = damage_by_kind(swaps(rows, model))
        changes = [kinds[kind]["seen gained"] for kind in KINDS]
        draw_intervals(damage, np.arange(len(KINDS)) + SHIFTS[model], changes, COLORS[model], label)
    place.set(title="place: distance to the source", xticks=range(2), xticklabels=["without a swap", "swapped"])
    place.set(xlim=(-0.5, 1.5), ylim=(0, 0.3), ylabel="share of the picture's side")
    place.legend(frameon=False, fontsize=9)
    draw_size_lines(size)
    damage.set(title="damage: how much less it is seen", xticks=range(len(KINDS)), ylim=(-1, 0.1))
    damage.set_xticklabels([kind.replace(" ", "\n") for kind in KINDS], fontsize=7.5)
    damage.axhline(0, color="0.6", lw=0.8)
    return figure


def draw_size_lines(axis: Axes) -> None:
    """The lines on which an object keeps its own size, or takes the source's."""
    axis.axhline(0, color="0.6", lw=0.8)
    axis.axline((0, 0), slope=1, color="0.6", lw=0.8, ls="--")
    axis.text(-0.85, 0.03, "keeps its own size", color="0.4", fontsize=8)
    axis.text(-0.15, 0.45, "takes the\nsource's size", color="0.4", fontsize=8, va="center")
    axis.set(title="size: each dot is a pair", xlim=(-0.9, 0.8), ylim=(-1.4, 0.6), xticks=[-0.5, 0, 0.5])
    axis.set(xlabel="source by own (log2 of long sides)", ylabel="swapped by own (log2)")


def swaps(rows: Sequence[Row], model: str) -> list[Row]:
    """The rows of swaps of one model."""
    return select(select(rows, "model", model), "kind", "swap")


def sizes(rows: Sequence[Row]) -> Float[np.ndarray, "2 pairs"]:
    """For each pair log2 of the long side of the source's object, and of the swapped one, by the target's own."""
    compared = []
    for row in rows:
        ratios = {name: log_ratio(row[f"{name} long"], row["own long"]) / np.log(2) for name in ("source", "swapped")}
        compared.append(row | ratios)
    source, swapped = by_pair(compared, "source"), by_pair(compared, "swapped")
    common = [pair for pair in source if pair in swapped]
    return np.array([[source[pair] for pair in common], [swapped[pair] for pair in common]])


def spent_attention(table: Mapping) -> Figure:
    """How the pixels of the source's object divide their attention among tokens, at every place of both models."""
    figure, [axes] = panels(1, 2, (10, 3), sharey=True)
    for axis, (model, title) in zip(axes, MODELS.items(), strict=True):
        figures, shares = table["swap"][model]["all"], {}
        for part in PARTS:
            label = {"words": "other words", "padding": "end and padding"}.get(part, part)
            shares[label] = [figures[f"attention {place} {part}"].value for place in PLACES]
        draw_shares(axis, shares, PART_COLORS)
        axis.set(title=title, xticklabels=PLACES)
    axes[0].get_legend().remove()
    axes[0].set_ylabel("share of the object's attention")
    return figure


def causes(rows: Sequence[Row]) -> list[str]:
    """What sizes and shapes that differ have to do with damage, in the pairs of the study: a sentence a model."""
    lines = []
    for model, label in MODELS.items():
        figures = mismatch_and_damage(swaps(rows, model))
        size, shape = (figure_text(figures[name], "+.2f") for name in ("size", "shape"))
        lines.append(f"{label}, {figures['size'].n} pairs: with unlike sizes {size}, with unlike shapes {shape}")
    return lines


def words_changed(table: Mapping) -> list[str]:
    """What a second differing word costs where all words take the source's maps: a sentence a model."""
    lines = []
    for model, label in MODELS.items():
        cost = table["words"][model]["2 minus 1"]
        scene = figure_text(table["words"][model]["2"]["edited scene"], ".0f", percent=True)
        pure, seen = (figure_text(cost[f"edited {name}"], "+.2f") for name in ("pure", "seen"))
        lines.append(f"**{label}**: the right scene in {scene}; object seen {seen}, its purity {pure}")
    return lines


def verdict(table: Mapping) -> list[str]:
    """What a swap does to place, size, shape and the object itself: sentences made of the table's figures."""
    lines = []
    for model, label in MODELS.items():
        figures, taken = table["swap"][model]["all"], table["taken over"][model]["swap"]
        far, near = (figure_text(figures[f"distance {clip} source"]) for clip in ("own", "swapped"))
        pairs = figures["iou gained"].n
        smaller = figure_text(taken["long"]["offset"], transform=np.exp)
        size, shape = (figure_text(taken[name]["slope"]) for name in ("long", "aspect"))
        seen = figure_text(figures["swapped seen"], ".0f", percent=True)
        lines += [
            f"**{label}, place**: the distance from the source falls from {far} to {near}; {pairs} pairs",
            f"**{label}, size**: beside an equally large source, {smaller} times its own size",
            f"**{label}, what is taken over**: of a difference in size {size}, in width by height {shape}",
            f"**{label}, damage**: still seen in {seen}",
        ]
    return lines
