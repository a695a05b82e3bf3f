"""Figures over the stored table of `guidance`, for notebook 06: comparisons of settings, and what control costs.

Everywhere `settings` is `load_table("guidance")["settings"]` and its figures are `Estimate`s. Differences are paired:
both settings were measured on the same cases.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Bool, Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ...display.plots import panels
from ...measures.statistics import Estimate, spearman
from ..rows import Row
from .table import COUNTED, group_rows, ious

QUALITY = {"scene kept": (0, 1.05), "one instance": (0, 1.05), "outside": (0, None)}  # figure: range of its axis
TITLES = {"outside": "outside change", "mIoU of all": "mIoU", COUNTED: "mIoU (a lost object counts 0)"}
REFERENCES = {"defaults": "the defaults", "old defaults": "the defaults before", "paper": "the paper's setting"}
CLOSE = 0.03  # of the range of both axes: points that are closer are numbered together
NOTHING = Estimate(0.0, 0.0, 0.0, 0)  # the difference of a reference from itself


def group(settings: Mapping[str, dict], *names: str) -> list[str]:
    """The settings of one or more groups of `settings.FACTORS`, in the order of the table."""
    return [name for name, part in settings.items() if part["group"] in names]


def references(settings: Mapping[str, dict], *groups: str) -> dict[str, str]:
    """Each setting of the groups with what it was made from by one change."""
    return {name: settings[name]["base"] for name in group(settings, *groups)}


def difference(rows: Sequence[Row], name: str, reference: str = "defaults") -> Estimate:
    """mIoU of a setting minus that of any other, from stored rows, over the cases that both have; NaN without any."""
    by_setting = group_rows(rows, "setting")
    return Estimate.difference(ious(by_setting[name]), ious(by_setting[reference]))


def rank_correlation(first: Sequence[float], second: Sequence[float]) -> Estimate:
    """Spearman's of two series of numbers, with percentiles of 2,000 resamples of cases; pairs with a NaN are left out.

    It is the correlation of ranks. A resample in which a series has one value only has no correlation and is left out.
    """
    return Estimate.grouped(zip(first, second, strict=True), statistic=spearman)


def forest(settings: Mapping[str, dict], compared: Mapping[str, str]) -> Figure:
    """Settings, each with its reference {name: reference}: the paired difference of mIoU, and beside it the quality.

    Dots are means, lines 95 % intervals. Every reference opens a block, hollow, with a difference of 0; a setting that
    `Guidance` refused to run has the count of its failures instead of a dot. A reference is the setting's base or
    "defaults": the table has no other differences.
    """
    rows = _blocks(compared)
    size, widths = (10, 0.9 + 0.26 * len(rows)), [1.7, *[1] * len(QUALITY)]
    figure, [axes] = panels(1, len(widths), size, dpi=72, sharey=True, width_ratios=widths)
    labels = [_row(axes, place, settings[name], *rows[place]) for place, (name, _) in enumerate(rows)]
    axes[0].axvline(0, color="0.6", lw=0.8)
    axes[0].set(yticks=range(len(rows)), yticklabels=labels, ylim=(len(rows) - 0.5, -0.5))
    axes[0].set_title("difference of mIoU", size=9)
    for ax, (name, limits) in zip(axes[1:], QUALITY.items(), strict=True):
        ax.set_xlim(*limits)
        ax.set_title(TITLES.get(name, name), size=9)
    return figure


def _blocks(compared: Mapping[str, str]) -> list[tuple[str, str]]:
    """Rows of a forest: each reference, then what is held against it."""
    rows = []
    for reference in dict.fromkeys(compared.values()):
        rows.append((reference, reference))
        rows += [(name, base) for name, base in compared.items() if base == reference]
    return rows


def _row(axes: Sequence[Axes], place: int, part: dict, name: str, reference: str) -> str:
    """Draw one setting over all panels; its label, with the mean difference in digits."""
    own = name == reference
    change = NOTHING if own else _difference(part, reference)
    _dot(axes[0], place, change, "tab:blue", own)
    for ax, figure in zip(axes[1:], QUALITY, strict=True):
        _dot(ax, place, part["figures"][figure], "0.4", own)
    if own:
        for ax in axes:
            ax.axhspan(place - 0.5, place + 0.5, color="0.93")
    if part["failed"]:
        text = f"  {part['failed']} of {part['cases']} failed  "
        side = "right" if change.value < 0 else "left"  # where the panel is wide and the dot is not
        axes[0].text(0, place, text, va="center", ha=side, size=8, color="tab:red")
    if own:
        return REFERENCES.get(name, name)
    return f"{name}  {change.value:+.2f}" if change.n else name


def _difference(part: dict, reference: str) -> Estimate:
    if part["failed"] == part["cases"]:
        return Estimate.mean([])  # there is nothing to be compared but an error
    if reference == "defaults":
        return part["mIoU minus defaults"]
    if reference != part["base"]:
        raise ValueError(
            f"compared: {reference!r} given; possible are 'defaults' and the setting's base {part['base']!r}"
        )
    return part["mIoU minus base"]


def _dot(ax: Axes, place: float, figure: Estimate, color: str, hollow: bool) -> None:
    ax.plot([figure.low, figure.high], [place, place], color=color, lw=1.4)
    ax.plot(figure.value, place, "o", ms=4.5, color=color, mfc="white" if hollow else color)


def pareto(points: Float[np.ndarray, "points criteria"]) -> Bool[np.ndarray, " points"]:
    """Which points no other point beats; larger is better in each criterion.

    One point beats another when it is as good in all criteria and better in one. Points with a NaN are never in.
    """
    points = np.asarray(points, float)
    first, second = points[:, None], points[None]  # (points, 1, criteria), (1, points, criteria)
    beats = (second >= first).all(-1) & (second > first).any(-1)  # (points, points)
    beaten = np.asarray(beats).any(axis=-1)
    return np.asarray(~beaten & ~np.isnan(points).any(axis=-1))


def trade_off(settings: Mapping[str, dict], costs: Mapping[str, int], control: str = COUNTED) -> Figure:
    """Control against quality, a panel for each of {figure: 1 if larger is better, else -1}, a dot for each setting.

    The settings that no other beats in both are numbered from the worst control to the best, and named.
    """
    figure, axes = panels(len(costs), 1, (9, 3.3 * len(costs)))
    for ax, (cost, sign) in zip(axes[:, 0], costs.items(), strict=True):
        _trade_off_panel(ax, settings, cost, sign, control)
    return figure


def _trade_off_panel(ax: Axes, settings: Mapping[str, dict], cost: str, sign: int, control: str) -> None:
    means = {}
    for name, part in settings.items():
        if part["figures"][control].n:
            means[name] = part["figures"][cost].value, part["figures"][control].value
    points = np.array(list(means.values()))
    unbeaten = pareto(points * [sign, 1])
    ax.plot(*points.T, "o", ms=4, color="0.7")
    front = [name for name, in_front in zip(means, unbeaten, strict=True) if in_front]
    front.sort(key=lambda setting: means[setting][1])
    for number, name in enumerate(front, 1):
        ax.plot(*means[name], "o", ms=5, color="tab:blue", label=f"{number}  {name}")
    ranges = np.nanmax(points, axis=0) - np.nanmin(points, axis=0)
    for text, place in _numbers(np.array([means[name] for name in front]), ranges):
        ax.annotate(text, place, xytext=(5, 3), textcoords="offset points", size=8)
    ax.set(xlabel=TITLES.get(cost, cost) + (", better to the right" if sign > 0 else ", better to the left"))
    ax.set_ylabel(TITLES.get(control, control), size=9)
    ax.legend(loc="center left", bbox_to_anchor=(1, 0.5), fontsize=8, handlelength=0.8, frameon=False)


def _numbers(
    places: Float[np.ndarray, "points 2"], ranges: Float[np.ndarray, " 2"]
) -> list[tuple[str, tuple[float, float]]]:
    """The numbers of points, from 1, and where they are written; points too close for a number each share a text."""
    groups: list[list[int]] = []
    for index, place in enumerate(places):
        if groups and bool((np.abs(place - places[groups[-1][-1]]) < CLOSE * ranges).all()):
            groups[-1].append(index)
        else:
            groups.append([index])
    texts = ["–".join(dict.fromkeys(str(index + 1) for index in (group[0], group[-1]))) for group in groups]
    corners = [places[group].max(axis=0) for group in groups]
    return [(text, (float(x), float(y))) for text, (x, y) in zip(texts, corners, strict=True)]


def extremes(
    settings: Mapping[str, dict], choices: Mapping[str, Sequence[str]]
) -> list[tuple[str, str, Estimate, str, Estimate]]:
    """For each choice {title: settings}: the settings with the lowest and highest paired difference from the defaults.

    Rows of (title, lowest, its difference, highest, its difference), the choice with the largest span first. Settings
    that failed in every case are left out.
    """
    rows = []
    for title, names in choices.items():
        ran = [name for name in names if settings[name]["failed"] < settings[name]["cases"]]
        changes = {name: settings[name]["mIoU minus defaults"] for name in ran}
        ordered = sorted((name for name in ran if changes[name].n), key=lambda name: changes[name].value)
        if ordered:
            lowest, highest = ordered[0], ordered[-1]
            rows.append((title, lowest, changes[lowest], highest, changes[highest]))
    return sorted(rows, key=lambda row: row[2].value - row[4].value)
