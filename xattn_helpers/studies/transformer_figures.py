"""Figures and sentences on the video transformer and its studies, as lessons show them."""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from jaxtyping import Float, UInt8
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from ..attention.recording import Recording
from ..backbones.model import Model
from ..display.figures import image_grid
from ..display.overlays import heatmaps
from ..display.plots import draw_intervals, draw_shares, panels
from ..display.tables import figure_text
from ..measures.map_quality import auroc, shrink_mask
from .dit_maps import noun_maps
from .dit_steering import BIAS, GRADIENT, GROUPS, UNGUIDED
from .full_size_steps import FEW, OURS
from .full_size_steps import UNGUIDED as UNGUIDED_STEP
from .guidance.table import COUNTED
from .quality_table import obeyed

MOST_COLUMNS = 10
BORDERS = (3.5, 6.5)  # between early, middle and late blocks
COLORS = {GRADIENT: "#2a7f62", BIAS: "#c8692b", UNGUIDED: "0.5"}
FINDING, FINDING_FIRST = "#2f6db3", "#9dc0e4"
SHARES = ("#c8692b", "#2f6db3", "#9dc0e4", "#d9dee3")  # colours of a word, other words, start and end, and padding
SIDES = ("to the left", "to the right")
SCHOOL = {"positions": "trained longer, with positions", "longer": "trained longer, without"}

Grid = Float[np.ndarray, "blocks steps"]
Latents = Float[Tensor, "1 channels frames height width"]


def sides(titles: Mapping[str, str], *tables: Mapping | None) -> list[str]:
    """How often models obey "to the left" and "to the right", a line each, in the order of their titles.

    The tables are of `pocket_quality` or `motion_school`; None for one that is not measured.
    """
    figures: dict = {}
    for table in tables:
        figures |= table or {}
    return obeyed(figures, titles, SIDES)


def noisy_and_guessed(model: Model, ways: Mapping[float, tuple[Latents, Latents]]) -> Figure:
    """The middle frame of noisy latents and of the clean ones that a network guesses, a column for each sigma."""
    rows = []
    for part in range(2):
        videos = [model.decode(pair[part])[0].numpy() for pair in ways.values()]
        rows.append([video[len(video) // 2] for video in videos])
    titles = ["what the network sees", "the clean video that it guesses"]
    return image_grid(rows, titles, [f"σ = {sigma:g}" for sigma in ways], cell=1.5)


def token_shares(recording: Recording, prompt: str, word: str) -> dict[str, list[float]]:
    """The shares of a word, other words, start and end, and padding in each block's attention, of the first clip."""
    text = recording.model.text
    labels = text.labels(prompt)[: text.count(prompt)]  # without the padding
    noun = text.find(prompt, word)
    ends = [index for index, label in enumerate(labels) if label.startswith("<")]
    shares: dict[str, list[float]] = {word: [], "other words": [], "start and end": [], "padding": []}
    for site in recording.sites():
        tokens = recording.probabilities(site)[0].mean((0, 1, 2, 3))[: len(labels)].cpu()
        shares[word].append(float(tokens[noun].sum()))
        shares["start and end"].append(float(tokens[ends].sum()))
        shares["other words"].append(float(tokens.sum() - tokens[noun].sum() - tokens[ends].sum()))
        shares["padding"].append(1 - float(tokens.sum()))
    return shares


def shares_by_block(shares: Mapping[str, Sequence[float]]) -> Figure:
    """What `token_shares` gives as stacked bars, one for each block."""
    figure, [[axis]] = panels(1, 1, (8, 2.8))
    draw_shares(axis, shares, SHARES)
    axis.set(xlabel="block", ylabel="share of the attention")
    return figure


def maps_by_block(recording: Recording, word: str, video: UInt8[np.ndarray, "frames height width 3"]) -> Figure:
    """A word's maps of the middle frame, a row for each of four steps and a column for each of at most ten blocks."""
    count, sites = len(recording.steps), recording.sites()
    chosen = sites if len(sites) <= MOST_COLUMNS else sites[:: len(sites) // MOST_COLUMNS]
    steps = sorted({0, count // 4, count // 2, count - 1})
    rows = []
    for step in steps:
        row = [video[len(video) // 2]]
        for site in chosen:
            maps = recording.maps(word, site=site, step=step).cpu()
            row.append(heatmaps(maps[[len(maps) // 2]], size=64)[0])
        rows.append(row)
    titles = [f"{site.group} {sites.index(site)}" for site in chosen]
    return image_grid(rows, [f"step {step + 1} of {count}" for step in steps], ["frame", *titles], cell=0.8)


def auroc_grid(recording: Recording, word: str, masks: Float[np.ndarray, "frames height width"]) -> Grid:
    """AUROC of a word's map of the first clip by block and step, of an object whose masks are given."""
    maps = noun_maps(recording, word, batch=0)
    cells = shrink_mask(torch.from_numpy(masks), (maps.shape[-2], maps.shape[-1]))
    return auroc(maps, cells).nanmean(-1).numpy()


def found_by_block(clip: Grid, table: Mapping | None) -> Figure:
    """AUROC of a noun's map by block and step, of one clip and, where it is measured, of the study `dit_maps`."""
    grids = {"this clip": clip}
    if table:
        prompts = table["blocks"]["block 0"].n
        grids[f"{prompts} prompts (study dit_maps)"] = np.array(list(table["blocks by steps"].values()))
    figure, [axes] = panels(1, len(grids), (4.5 * len(grids), 3.4))
    for axis, (title, values) in zip(axes, grids.items(), strict=True):
        shown = axis.imshow(values, vmin=0.5, vmax=1, cmap="viridis", aspect="auto")
        axis.set(title=title, xlabel="denoising step", ylabel="block", yticks=range(len(values)))
        for border in BORDERS:
            axis.axhline(border, color="white", lw=2)
    figure.colorbar(shown, ax=axes, label="AUROC of the noun's map")
    return figure


def finding_and_steering(maps: Mapping, steering: Mapping) -> Figure:
    """Where maps find the object, by block, and where they move it, by group: `dit_maps` beside `dit_steering`."""
    figure, [(left, right)] = panels(1, 2, (9, 3))
    _draw_finding(left, maps)
    settings = steering["settings"]
    for way, shift in ((GRADIENT, -0.07), (BIAS, 0.08)):
        figures = [settings[name][COUNTED] for name in (*(f"{way}, {group}" for group in GROUPS), way)]
        draw_intervals(right, np.arange(4) + shift, figures, color=COLORS[way], label=way)
    right.axhline(settings[UNGUIDED][COUNTED].value, color=COLORS[UNGUIDED], ls="--", label=UNGUIDED)
    right.set(title="steering: IoU with the path", xticks=range(4), xticklabels=[*GROUPS, "all"], ylim=(0, 1))
    right.legend(frameon=False, fontsize=9, loc="upper center", ncols=3)
    return figure


def fewer_blocks(costs: Mapping, steering: Mapping) -> list[str]:
    """What a gradient through the early third and the first fifth of the blocks costs and reaches, a line each.

    `costs` are the clips of `full_size`, of which the one whose steps take longest counts, and `steering` is
    `dit_steering`.
    """
    lines = []
    clip, steps = max(costs.items(), key=lambda entry: entry[1][UNGUIDED_STEP]["ms"])
    for part, kind, setting in (("early third", OURS, "early"), ("first fifth", FEW, "first fifth")):
        cost = steps[kind]
        reached = figure_text(steering["settings"][f"{GRADIENT}, {setting}"][COUNTED], ".2f")
        spent = f"{cost['over unguided']:.2f} × in {cost['peak GiB']:.1f} GiB ({clip})"
        lines.append(f"{part} of the blocks: {spent}; IoU {reached} on the pocket transformer")
    return lines


def bias_beside_gradient(steering: Mapping | None) -> str:
    """How the bias follows beside the gradient, both through all blocks, by `dit_steering`; "" if not measured."""
    if steering is None:
        return ""
    figure = steering["settings"][BIAS][f"mIoU minus {GRADIENT}"]
    return f"{figure.n} cases, bias minus gradient, both through all blocks: IoU {figure_text(figure, '+.2f')}"


def _draw_finding(axis: Axes, maps: Mapping) -> None:
    blocks = list(maps["blocks"].values())
    draw_intervals(axis, range(len(blocks)), blocks, color=FINDING, label="all steps", fmt="o-")
    early = [np.mean(values[: len(values) // 4]) for values in maps["blocks by steps"].values()]
    axis.plot(range(len(blocks)), early, "o--", color=FINDING_FIRST, ms=4, label="first quarter of the steps")
    axis.set(title="finding: AUROC of the noun's map", xlabel="block", xticks=range(len(blocks)), ylim=(0.5, 1.01))
    axis.legend(frameon=False, fontsize=9, loc="lower center")
    for border in BORDERS:
        axis.axvline(border, color="0.8")
