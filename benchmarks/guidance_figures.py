"""Figures over the stored table of `guidance`, for notebook 06: comparisons of settings, and what control costs.

Everywhere `settings` is `runner.load_table("guidance")["settings"]`, and a figure is as `runner.mean` makes it: "mean",
"low" and "high" of a 95 % interval, and "n". Differences are paired: both settings were measured on the same cases.
"""

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from . import runner
from .correlation import resampled, spearman
from .guidance_cases import PAPER

QUALITY = {"scene kept": (0, 1.05), "one instance": (0, 1.05), "outside": (0, None)}  # figure: range of its axis
TITLES = {"outside": "outside change", "mIoU of all": "mIoU (a lost object counts 0)"}
REFERENCES = {"best": "best (the defaults)", "paper": "the paper's setting"}


def group(settings: dict, *names: str) -> list[str]:
    """The settings of one or more groups of `guidance_cases.FACTORS`, in the order of the table."""
    return [name for name, row in settings.items() if row["group"] in names]


def references(settings: dict, *groups: str) -> dict[str, str]:
    """Each setting of the groups with what it was made from by one change: "paper" or, by default, "best"."""
    found = {name: settings[name]["knobs"] for name in group(settings, *groups)}
    return {name: "paper" if knobs and set(PAPER) <= set(knobs) else "best" for name, knobs in found.items()}


def difference(settings: dict, name: str, reference: str = "best") -> dict:
    """mIoU of a setting minus that of a reference, over the cases that both have; a figure, all NaN without any."""
    both = zip(settings[name]["ious"], settings[reference]["ious"], strict=True)
    return runner.mean([one - other for one, other in both if one is not None and other is not None])


def rank_correlation(one: np.ndarray, other: np.ndarray) -> dict:
    """Spearman's of two series of numbers, with percentiles of 2,000 resamples of cases; pairs with a NaN are left out.

    It is the correlation of ranks. A resample in which a series has one value only has no correlation and is left out.
    """
    both = np.array([one, other], float)
    both = both[:, ~np.isnan(both).any(0)]  # (2, cases)
    count = both.shape[1]
    if count < 3 or not np.ptp(both, axis=1).all():
        return {"mean": np.nan, "low": np.nan, "high": np.nan, "n": count}
    return resampled(spearman, [[pair] for pair in both.T])


def forest(settings: dict, references: dict[str, str]) -> Figure:
    """Settings, each with its reference {name: reference}: the paired difference of mIoU, and beside it the quality.

    Dots are means, lines 95 % intervals. Every reference opens a block, hollow, with a difference of 0; a setting that
    `Guidance` refused to run has the count of its failures instead of a dot.
    """
    rows = _blocks(references)
    figure, axes = plt.subplots(
        1, 1 + len(QUALITY), figsize=(10, 0.9 + 0.26 * len(rows)), dpi=72, sharey=True, layout="compressed",
        width_ratios=[1.7, *[1] * len(QUALITY)],
    )  # fmt: skip
    plt.close(figure)  # it is returned: the inline backend would show it a second time
    labels = [_row(axes, place, settings, *both) for place, both in enumerate(rows)]
    axes[0].axvline(0, color="0.6", lw=0.8)
    axes[0].set(yticks=range(len(rows)), yticklabels=labels, ylim=(len(rows) - 0.5, -0.5))
    axes[0].set_title("difference of mIoU", size=9)
    for ax, (one, limits) in zip(axes[1:], QUALITY.items(), strict=True):
        ax.set_xlim(*limits)
        ax.set_title(TITLES.get(one, one), size=9)
    return figure


def pareto(points: np.ndarray) -> np.ndarray:
    """Which points no other point beats, bool (points,), from (points, criteria); larger is better in each.

    One point beats another when it is as good in all criteria and better in one. Points with a NaN are never in.
    """
    points = np.asarray(points, float)
    one, other = points[:, None], points[None]  # (points, 1, criteria), (1, points, criteria)
    beaten = ((other >= one).all(-1) & (other > one).any(-1)).any(1)
    return ~beaten & ~np.isnan(points).any(1)


def trade_off(settings: dict, costs: dict[str, int], control: str = "mIoU of all") -> Figure:
    """Control against quality, a panel for each of {figure: 1 if larger is better, else -1}, a dot for each setting.

    The settings that no other beats in both are numbered from the worst control to the best, and named.
    """
    done = [name for name, row in settings.items() if row["figures"][control]["n"]]
    size = (8, 3.1 * len(costs))
    figure, axes = plt.subplots(len(costs), 1, figsize=size, dpi=72, layout="compressed", squeeze=False)
    plt.close(figure)
    for ax, (cost, sign) in zip(axes[:, 0], costs.items(), strict=True):
        means = {name: [settings[name]["figures"][one]["mean"] for one in (cost, control)] for name in done}
        best = pareto(np.array(list(means.values())) * [sign, 1])
        ax.plot(*np.array(list(means.values())).T, "o", ms=4, color="0.7")
        front = sorted((name for name, there in zip(done, best, strict=True) if there), key=lambda name: means[name][1])
        for number, name in enumerate(front, 1):
            ax.plot(*means[name], "o", ms=5, color="tab:blue", label=f"{number}  {name}")
            ax.annotate(str(number), means[name], xytext=(5, 3), textcoords="offset points", size=8)
        ax.set(xlabel=TITLES.get(cost, cost) + (", better to the right" if sign > 0 else ", better to the left"))
        ax.set_ylabel(TITLES.get(control, control), size=9)
        ax.legend(loc="center left", bbox_to_anchor=(1, 0.5), fontsize=8, handlelength=0.8, frameon=False)
    return figure


def extremes(settings: dict, names: dict[str, list[str]]) -> list[tuple[str, str, dict, str, dict]]:
    """For each choice {title: settings}: the settings with the lowest and highest paired difference from "best".

    Rows of (title, lowest, its difference, highest, its difference), the choice with the largest span first. Settings
    that failed in every case are left out.
    """
    rows = []
    for title, some in names.items():
        found = {name: difference(settings, name) for name in some}
        there = sorted((name for name in some if found[name]["n"]), key=lambda name: found[name]["mean"])
        rows += [(title, there[0], found[there[0]], there[-1], found[there[-1]])] if there else []
    return sorted(rows, key=lambda row: row[2]["mean"] - row[4]["mean"])


def _blocks(references: dict[str, str]) -> list[tuple[str, str]]:
    """Rows of a forest: each reference, then what is held against it."""
    order = dict.fromkeys(references.values())
    return [(name, one) for one in order for name in (one, *(key for key, its in references.items() if its == one))]


def _row(axes, place: int, settings: dict, name: str, reference: str) -> str:
    """Draw one setting over all panels; its label, with the mean difference in digits."""
    row, own, apart = settings[name], name == reference, difference(settings, name, reference)
    _dot(axes[0], place, apart, "tab:blue", own)
    for ax, one in zip(axes[1:], QUALITY, strict=True):
        _dot(ax, place, row["figures"][one], "0.4", own)
    if own:
        for ax in axes:
            ax.axhspan(place - 0.5, place + 0.5, color="0.93")
    if row["failed"]:
        text = f"  {row['failed']} of {row['cases']} failed  "
        side = "right" if apart["mean"] < 0 else "left"  # where the panel is wide and the dot is not
        axes[0].text(0, place, text, va="center", ha=side, size=8, color="tab:red")
    if own:
        return REFERENCES.get(name, name)
    return f"{name}  {apart['mean']:+.2f}" if apart["n"] else name


def _dot(ax, place: float, figure: dict, color: str, hollow: bool) -> None:
    low, middle, high = (figure[part] for part in ("low", "mean", "high"))
    ax.plot([low, high], [place, place], color=color, lw=1.4)
    ax.plot(middle, place, "o", ms=4.5, color=color, mfc="white" if hollow else color)
