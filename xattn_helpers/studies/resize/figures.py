"""Figures of lesson 04: rows of asked sizes, what energies pull at, and asked against got size of the stored table."""

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Float
from matplotlib.figure import Figure
from torch import Tensor

from ...display.figures import image_grid
from ...display.overlays import draw_boxes
from ...display.plots import draw_signed, panels
from ...display.tables import figure_text
from ...edits.targets import Track
from ...measures.statistics import Estimate
from ...sampling import Clip
from ..rows import Row
from .table import BEST, NAMES, STATISTICS

SHOWN = (BEST, "defaults", "old defaults", "paper")  # settings of the table that have a panel
LONGER = "equal, 0.08"  # the gradient alone, in longer steps
TITLES = NAMES | {LONGER: "gradient alone, steps of .08 in place of .055"}
COLORS = {BEST: "#7a3b8f", "defaults": "#2a7f62", "old defaults": "#2f6db3", "paper": "#c8692b"}
LARGEST = 0.85  # of the axes
TENTHS = 10  # parts of the videos, by what was asked, that the line of medians has a point for
TICKS = (0.01, 0.03, 0.1, 0.3, 1)
HIGHEST_SHARE = 0.985  # of the cells of a pull: colours stop beyond it, for the two cells that norm is made from

Map = Float[Tensor, "height width"]


def sheet(free: Clip, rows: Mapping[str, Sequence[Clip]], paths: Mapping[str, Track], cell: float = 1.1) -> Figure:
    """The unguided picture, and then a guided one for each asked size, with its box; a row for each way to guide."""
    pictures = []
    for clips in rows.values():
        row = [_middle(free.video)]
        for clip, path in zip(clips, paths.values(), strict=True):
            row.append(_middle(draw_boxes(clip.video, path.boxes(len(clip.video)))))
        pictures.append(row)
    return image_grid(pictures, list(rows), ["unguided", *paths], cell=cell)


def _middle(video: np.ndarray) -> np.ndarray:
    return video[len(video) // 2]


def pulls(target: Mapping[str, Map], pull: Mapping[str, Mapping[str, Map]], around: Map) -> Figure:
    """A map with the outline of each target, and beside it what each energy pulls at: red wants more, blue less.

    `target` and `pull` are by the name of the target; `pull[name]` is by the name of the energy. Colours stop at the
    98.5th percentile.
    """
    columns = 1 + max(map(len, pull.values()))
    size = (2.1 * columns, 2.1 * len(target) + 0.3)
    figure, axes = panels(len(target), columns, size, dpi=80)
    for row, (name, drawn) in zip(axes, target.items(), strict=True):
        row[0].imshow(around, cmap="magma")
        row[0].contour(drawn, levels=[0.5], colors="white")
        row[0].set(xticks=[], yticks=[])
        row[0].set_title(f"map and {name}", size=9)
        for axis, (energy, values) in zip(row[1:], pull[name].items(), strict=True):
            limit = max(float(values.abs().flatten().quantile(HIGHEST_SHARE)), 1e-12)
            draw_signed(axis, values.clamp(-limit, limit), energy)
            axis.contour(drawn, levels=[0.5], colors="0.3", linewidths=0.8)
    return figure


def lengths(clips: Mapping[str, Clip]) -> Figure:
    """Energy before each update, and how far the update moves a latent at most, of some clips by their titles."""
    figure, [axes] = panels(1, 2, (8.5, 2.7), dpi=80)
    for title, clip in clips.items():
        steps = [update.step + 1 for update in clip.updates]
        axes[0].plot(steps, [np.mean(update.energy) for update in clip.updates], "o-", ms=3, label=title)
        axes[1].semilogy(steps, [update.change for update in clip.updates], "o-", ms=3, label=title)
    axes[0].set(title="energy", xlabel="denoising step", ylim=(0, 1))
    axes[1].set(title="largest change of a latent, in standard deviations", xlabel="denoising step")
    axes[1].set_yticks(TICKS, [f"{tick:g}" for tick in TICKS])
    axes[1].minorticks_off()
    axes[0].legend(fontsize=8, frameon=False)
    return figure


def present(rows: Sequence[Row], names: Sequence[str] = SHOWN) -> dict[str, list[Row]]:
    """The rows of each of some settings, without settings that the table does not have."""
    settings = {}
    for name in names:
        members = [row for row in rows if row["setting"] == name]
        if members:
            settings[name] = members
    return settings


def asked_and_got(rows: Sequence[Row]) -> Figure:
    """Asked against got size, a panel for each setting and a dot for each video that has its object.

    Grey is what was asked, and the dark line the median of tenths of the videos.
    """
    settings = present(rows)
    size = (2.4 * len(settings), 2.7)
    figure, axes = panels(1, len(settings), size, dpi=72, sharey=True)
    for axis, (name, members) in zip(axes[0], settings.items(), strict=True):
        seen = [row for row in members if not row["failed"] and not np.isnan(row["size"])]
        asked, detected = ([row[column] for row in seen] for column in ("side", "size"))
        axis.plot(asked, detected, "o", ms=3, mew=0, alpha=0.3, color=COLORS[name])
        axis.axline((0, 0), slope=1, color="0.5", lw=1)
        axis.plot(*medians(asked, detected), color="0.1", lw=1.8)
        axis.set(xlabel="asked size", xlim=(0, LARGEST), ylim=(0, LARGEST), aspect="equal")
        axis.set_title(NAMES[name], size=10)
    axes[0][0].set_ylabel("got size")
    return figure


def medians(asked: Sequence[float], detected: Sequence[float]) -> Float[np.ndarray, "2 parts"]:
    """The medians of asked and of detected sizes, of each tenth of the videos by what was asked."""
    order = np.argsort(asked, kind="stable")
    pairs = np.array([asked, detected])[:, order]
    parts = [part for part in np.array_split(pairs, TENTHS, axis=1) if part.size]
    return np.stack([np.median(part, axis=1) for part in parts], axis=1)


def settings_lines(table: Mapping, rows: Sequence[Row]) -> list[str]:
    """The knobs of each setting that has a panel, and how many videos it was measured on."""
    texts = []
    for name in present(rows):
        part = table["settings"][name]
        texts.append(f"{NAMES[name]}: {part['guidance'] or 'as Guidance.for_size'}, {part['cases']} videos")
    return texts


def lines(table: Mapping, rows: Sequence[Row]) -> list[str]:
    """What the table says of each setting that the lesson speaks of, in words; and of a model that hears no wish."""
    texts = []
    for name, members in present(rows, (*SHOWN, LONGER)).items():
        part = table["settings"][name]
        lost = Estimate.rate(bool(row["failed"]) or not row["covered"] for row in members)
        texts.append(f"**{TITLES[name]}**: {_agreement(part, 'all')}, lost {figure_text(lost, '.0f', percent=True)}")
    deaf = {name: {"all": figure} for name, figure in table["no guidance"].items()}
    missing = "; ".join(name for name in (*SHOWN, LONGER) if name not in table["settings"])
    texts.append(f"a model that hears no wish: {_agreement(deaf, 'all')}")
    return texts + ([f"not in the stored table yet: {missing}"] if missing else [])


def _agreement(part: Mapping, kind: str) -> str:
    order, error = (part[name][kind] for name in STATISTICS)
    slope = figure_text(part["slope"][kind])
    percent = figure_text(error, ".0f", percent=True)
    return f"rank correlation {figure_text(order)}, median error {percent}, slope {slope}"


def verdicts(table: Mapping) -> list[str]:
    """The best setting's figures against the two bounds that were set before anything was measured."""
    texts = []
    for name, (sign, bound) in STATISTICS.items():
        figure = table["settings"][BEST][name]["all"]
        clear = figure.low >= bound if sign == "≥" else figure.high <= bound
        met = figure.value >= bound if sign == "≥" else figure.value <= bound
        word = "met" if clear else "met, but the interval has the bound in it" if met else "missed"
        texts.append(f"{name}, asked {sign} {bound:g}: {figure_text(figure, '.3f')}, {word}")
    return texts
