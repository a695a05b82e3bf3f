"""What matters: how much each choice of guidance changes the result, with lost objects counted as 0.

A choice is a group of settings that differ from the defaults in one thing. All figures are those of the stored table
`guidance`, `load_table("guidance")["settings"]`; groups that it does not have are left out.
"""

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ...display.plots import draw_intervals, panels
from ...display.tables import figure_text, percent_text, table_text
from ...edits.guidance import Guidance
from ...measures.statistics import Estimate
from . import observations
from .crossing import STRENGTHS
from .figures import REFERENCES, extremes, group
from .table import COUNTED

CHOICES = {  # title: group of the table
    "layers": "layers", "frame bug": "frames", "energy": "energy", "target": "target", "strength": "strength",
    "step-size law": "law", "energy with its law": "energy by law", "gradient or bias": "without a gradient",
    "schedule": "schedule",
}  # fmt: skip
DEFAULTS = "defaults"
CHANGE = "mIoU minus defaults"
WORSE, PRICE = "#2f6db3", "#c8692b"
FARTHEST, GAP = -0.5, 0.008  # of the names of settings, in mIoU

Settings = Mapping[str, dict]


def choices(settings: Settings) -> dict[str, list[str]]:
    """The settings of each choice that differ from the defaults alone, and were not refused in every case."""
    members = {}
    for title, name in CHOICES.items():
        own = []
        for setting in group(settings, name):
            part = settings[setting]
            if part["base"] == DEFAULTS and part["failed"] < part["cases"]:
                own.append(setting)
        if own:
            members[title] = own
    return members


def ordered(settings: Settings) -> list[tuple]:
    """A row for each choice, the one with the largest span first: title, worst setting, its change, best, its change.

    The defaults belong to every choice.
    """
    return extremes(settings, {title: [DEFAULTS, *names] for title, names in choices(settings).items()})


def overview(settings: Settings) -> Figure:
    """Every setting as a dot, a line for each choice: the paired difference of mIoU, and the share of lost objects."""
    rows, members = ordered(settings), choices(settings)
    size = (10, 1.2 + 0.45 * len(rows))
    figure, [(left, right)] = panels(1, 2, size, dpi=80, sharey=True, width_ratios=[2, 1])
    for place, (title, worst, _, _, _) in enumerate(rows):
        _line(left, right, place, settings, members[title], worst)
    left.axvline(0, color="0.5", lw=1)
    left.axvline(settings["unguided"][CHANGE].value, color="0.5", lw=1, ls="--")
    left.text(settings["unguided"][CHANGE].value, len(rows) - 0.6, " unguided", size=8, color="0.4")
    left.set(yticks=range(len(rows)), yticklabels=[row[0] for row in rows], ylim=(len(rows) - 0.4, -0.7))
    left.set_title("difference of mIoU from the defaults, a lost object counts 0", size=10)
    right.set_title("share of lost objects", size=10)
    right.set_xlim(-0.02, None)
    return figure


def _line(left: Axes, right: Axes, place: int, settings: Settings, names: list[str], worst: str) -> None:
    heights = place + np.linspace(-0.16, 0.16, len(names)) if len(names) > 1 else [place]
    for height, name in zip(heights, names, strict=True):
        change, lost = settings[name][CHANGE], settings[name]["figures"]["lost"]
        left.plot([change.low, change.high], [height, height], color=WORSE, lw=1)
        left.plot(change.value, height, "o", ms=4, color=WORSE)
        right.plot([lost.low, lost.high], [height, height], color=PRICE, lw=1)
        right.plot(lost.value, height, "o", ms=4, color=PRICE)
        if name == worst:
            is_far = change.low < FARTHEST  # at the left edge there is no room
            x, side = (change.high + GAP, "left") if is_far else (change.low - GAP, "right")
            left.text(x, height, name, size=8, ha=side, va="center")


def lines(settings: Settings) -> list[str]:
    """A sentence for each choice, the one that changes most first; and what the table does not have."""
    texts = []
    for title, worst, low, best, high in ordered(settings):
        lost = {name: settings[name]["figures"]["lost"] for name in (*choices(settings)[title], DEFAULTS)}
        name = max(lost, key=lambda setting: lost[setting].value)
        price = f"; most lost: {figure_text(lost[name], '.0f', percent=True)}, {name}" if lost[name].value else ""
        gain = f"best {best}, {figure_text(high, '+.2f')}" if best != DEFAULTS else "none better than the defaults"
        texts.append(f"**{title}**: worst {worst}, {figure_text(low, '+.2f')}; {gain}{price}")
    refused = [name for name, part in settings.items() if part["failed"] == part["cases"]]
    if refused:
        texts.append(f"**refused** in every case, because a step leaves no picture: {', '.join(refused)}")
    missing = [title for title, name in CHOICES.items() if not group(settings, name)]
    return texts + ([f"not in the stored table yet: {', '.join(missing)}"] if missing else [])


def price_of_strength(settings: Settings) -> Figure:
    """Steps of equal length, from short to long: mIoU and the share of lost objects."""
    by_strength = observations.by_strength(settings, Guidance.strength)
    figure, [[axis]] = panels(1, 1, (8.5, 2.8), dpi=80)
    for figure_name, label, color in ((COUNTED, "mIoU, lost counts 0", WORSE), ("lost", "lost", PRICE)):
        figures = [part[figure_name] for part in by_strength.values()]
        draw_intervals(axis, list(by_strength), figures, color=color, label=label, fmt="o-")
    axis.axvline(Guidance.strength, color="0.85", lw=6, zorder=0)
    axis.set(xlabel="η, the length of a step in standard deviations of a latent (grey: the default)", ylim=(0, 1))
    axis.legend(fontsize=9, frameon=False)
    return figure


def bug_lines(settings: Settings) -> list[str]:
    """What the frame bug costs the defaults and the paper's setting, as far as the table has them."""
    texts = []
    for repaired, name in (("defaults", "frame bug"), ("paper", "as released")):
        if name not in settings:
            texts.append(f"not in the stored table yet: {name}")
            continue
        for title, setting in ((f"{repaired}, every frame its own", repaired), (f"{repaired}, with the bug", name)):
            figures = settings[setting]["figures"]
            stays = figure_text(figures["stays where it was"], ".0f", percent=True)
            texts.append(f"{title}: mIoU {figure_text(figures[COUNTED])}, stays where it was {stays}")
        texts.append(f"**the bug costs {repaired}** {figure_text(_paired(settings[name], repaired))} of mIoU")
    return texts


def _paired(part: Mapping, reference: str) -> Estimate:
    """A reference minus the setting, in pairs."""
    change = part[CHANGE] if reference == DEFAULTS else part["mIoU minus base"]
    return Estimate(-change.value, -change.high, -change.low, change.n)


def law_lines(table: Mapping) -> list[str]:
    """A line for each energy and law: what its best strength reaches on cases that did not choose it."""
    pairs = table.get("energy by law")
    if not pairs:
        return ["Energies by laws are not in the stored table yet."]
    lines = []
    for pair, best in pairs.items():
        energy, law = pair.split(", ")
        tried = ", ".join(f"{strength:g}" for strength in STRENGTHS[energy, law])
        picked = f"strength {best['strength']:g} is picked in {percent_text(best['picked'])} of the halves"
        lines.append(f"energy **{energy}**, law **{law}**: mIoU {best['mIoU']:.3f}; of {tried}, {picked}")
    return lines


def correction_text(table: Mapping) -> str:
    """How many settings differ from the defaults after Holm's correction, or that this is not stored yet."""
    counted = table.get("correction")
    if not counted:
        return "Holm's correction over all settings is not in the stored table yet."
    return f"After Holm's correction {counted['different']} of {counted['compared']} settings differ from the defaults."


def winner_text(table: Mapping) -> str:
    """What the best of all settings is worth on cases that did not choose it, or that this is not stored yet."""
    best = table.get("winner")
    if not best:
        return "What the best of all settings is worth on other cases is not in the stored table yet."
    return (
        f"Of {best['settings']} settings, {best['name']} has the highest mIoU, {best['mIoU']:.3f}. Chosen on one half "
        f"of the {best['cases']} cases, the best setting loses {best['loss on the other half']:.3f} on the other half, "
        f"where its mean rank is {best['rank on the other half']:.1f}."
    )


def markdown(settings: Settings) -> str:
    """All settings, a line each, with the paired difference from what each was made from."""
    rows = []
    for name, part in settings.items():
        figures, base = part["figures"], part["base"]
        change = part["mIoU minus base"] if name not in REFERENCES else None
        beside = f"{figure_text(change, '+.3f')} from {base}" if change is not None and change.n else "–"
        shares = [figure_text(figures[share], ".0f", percent=True) for share in ("lost", "scene kept", "one instance")]
        rows.append([part["group"], name, figure_text(figures[COUNTED], ".3f"), beside, *shares])
    header = ["choice", "setting", COUNTED, "paired difference", "lost", "scene kept", "one instance"]
    return table_text(header, rows)
