"""Figures of lesson 05: videos frame by frame with targets and maps, what is left out, and the paper's observations."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from IPython.display import Markdown
from jaxtyping import Float, Int, UInt8
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from ..attention.recording import Recording
from ..backbones.model import Model
from ..display.figures import image_grid
from ..display.overlays import draw_boxes, heatmaps
from ..display.pixels import at_frames
from ..display.plots import draw_intervals, panels
from ..display.tables import bullets
from ..edits.guidance import USUAL_ROWS
from ..edits.targets import Track
from .guidance import observations
from .guidance.observations import KINDS, WHEN
from .rows import Row

CELL = 1.5  # inches of a frame
FRAMES = 4  # of a video that are shown
COMPARED = {"unguided": "0.5", "defaults": "#2f6db3", "paper": "#c8692b"}  # settings and their colours
CURVES = {"stays where it was": "#b3262f", observations.COUNTED: "#2f6db3", "scene kept": "0.5"}
HEADROOM = 1.35  # of an axis whose legend lies above the dots

Video = UInt8[np.ndarray, "frames height width 3"]
Maps = Float[Tensor, "frames height width"]


def finest_maps(attention: Recording, word: str, model: Model) -> Maps:
    """The mean of a word's maps of usual sizes, at the size of the finest; of all maps for a model without these."""
    rows = model.defaults.height // model.codec.pixels_per_cell
    usual = [cells for cells in model.cells() if USUAL_ROWS[0] <= rows // cells <= USUAL_ROWS[1]]
    return attention.maps(word, cells=usual or None).cpu()


def frame_by_frame(unguided: Video, guided: Video, maps: Maps, path: Track) -> Figure:
    """Four frames of a clip without guidance and with it, and between them targets and maps of the guided run."""
    count = len(guided)
    shown = frames_shown(count)
    maps = at_frames(maps, count)
    height, width = maps.shape[-2:]
    targets = path.mask(count, height, width, "disc")
    size, boxes = max(guided.shape[1:3]), path.boxes(count)
    rows = {
        "unguided": unguided,
        "the target in the map's cells": heatmaps(targets, size=size, colormap="gray"),
        "the word's map in the guided run": draw_boxes(heatmaps(maps, size=size), boxes),
        "guided": draw_boxes(guided, boxes),
    }
    titles = [f"frame {frame}" for frame in shown]
    return image_grid([list(video[shown]) for video in rows.values()], list(rows), titles, cell=CELL)


def strips(videos: Mapping[str, Video], boxes: Sequence[Float[np.ndarray, "frames 4"]]) -> Figure:
    """Four frames of each video in a row, with the boxes that were asked for."""
    rows = []
    for video, asked in zip(videos.values(), boxes, strict=True):
        rows.append(list(draw_boxes(video, asked)[frames_shown(len(video))]))
    return image_grid(rows, list(videos), cell=CELL)


def frames_shown(count: int) -> Int[np.ndarray, " shown"]:
    """Evenly spaced frames of a video, from its first to its last."""
    return np.linspace(0, count - 1, min(FRAMES, count)).round().astype(int)


def left_out(rows: Sequence[Row], model: str) -> tuple[list[Row], int]:
    """Of prompts with two objects, the clips in which one is seen in no frame, and how many were looked at."""
    two = [row for row in rows if row["model"] == model and row["kind"] == "two"]
    missing = [row for row in two if min(row["present"], row["second present"]) == 0]
    return missing, len(two)


def absent(row: Row) -> str:
    """Which object of such a clip is seen in no frame."""
    return row["word"] if row["present"] == 0 else row["second"]


def left_out_text(rows: Sequence[Row], model: str) -> Markdown | str:
    """Of the study `pocket_quality`, the clips of a model in which one of two objects is seen in no frame."""
    missing, looked = left_out(rows, model)
    if not looked:
        return "The study does not have this model; what follows may leave nothing out."
    lines = [f"“{row['prompt']}”, seed {row['seed']}: no {absent(row)}" for row in missing]
    title = f"{looked} clips were looked at. In {len(missing)}, one of the two objects is seen in no frame:"
    return bullets(lines, title)


def observed(rows: Sequence[Row], settings: Mapping[str, Any], default: float) -> Figure:
    """Growth by kind of track, distances by time, and what strength does: rows and settings of the study `guidance`."""
    figure, [axes] = panels(1, 3, (10.5, 3.3))
    names = [name for name in COMPARED if observations.is_of_today(name, settings)]
    for place, name in enumerate(names):
        shift = 0.16 * (place - (len(names) - 1) / 2)
        growths, offsets = observations.growths(rows, name), observations.offsets(rows, name)
        label, color = observations.SHOWN[name], COMPARED[name]
        draw_intervals(axes[0], np.arange(len(KINDS)) + shift, list(growths.values()), color, label)
        draw_intervals(axes[1], np.arange(len(WHEN)) + shift, list(offsets.values()), color, label)
    _draw_world(axes[0], observations.world_growths(rows, "defaults"))
    axes[1].set(title="distance from the asked centre", xticks=range(len(WHEN)), xticklabels=WHEN.values())
    axes[1].set_ylim(0, HEADROOM * axes[1].get_ylim()[1])
    _draw_strengths(axes[2], observations.by_strength(settings, default))
    for axis in axes:
        axis.title.set_size(10)
        axis.tick_params(labelsize=8)
        axis.legend(frameon=False, fontsize=8)
    return figure


def _draw_world(axis: Axes, growths: Mapping[str, float]) -> None:
    """How much objects grow in the videos of the training."""
    for place, value in enumerate(growths.values()):
        label = None if place else "as drawn in training"
        axis.plot([place - 0.3, place + 0.3], [value] * 2, "k--", lw=1, label=label)
    axis.set(title="growth from first to last frame", xticks=range(len(KINDS)), xticklabels=KINDS)


def _draw_strengths(axis: Axes, figures: Mapping[float, Mapping[str, Any]]) -> None:
    """Figures by strength."""
    for name, color in CURVES.items():
        draw_intervals(axis, list(figures), [part[name] for part in figures.values()], color, name, "o-")
    axis.set(title="too weak, too strong", xlabel="strength", xscale="log", ylim=(-0.03, 1.05), xticks=list(figures))
    axis.set_xticklabels([f"{strength:g}" for strength in figures])
    axis.minorticks_off()
