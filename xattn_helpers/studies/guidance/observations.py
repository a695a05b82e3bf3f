"""The paper's observations in its section 6, as numbers over the stored rows of `guidance`, and as sentences.

It says that objects keep a reasonable perspective, fall short of the start and the end of their path, and sometimes
stand still. Rows are as from `load_rows("guidance")`; `settings` is `load_table("guidance")["settings"]`. Sentences say
what the intervals allow, so that they hold for any table.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ...display.tables import figure_text, percent_text
from ...measures.statistics import Estimate
from ...pocket.world.actors import perspective
from ...pocket.world.vocabulary import FREE_SCENES, MEDIA
from ..rows import Row
from .cases import TRACKS
from .settings import SETTINGS
from .table import COUNTED, STANDS

SHOWN = {  # settings that the lesson compares, and what they are
    "unguided": "not guided",
    "defaults": "this series' defaults",
    "paper": "the released code, without its bug",
    "as released": "the released code as it is",
    "text, abar, 20": "the paper's text, η = 20, α read as ᾱ",
    "text, the code's law, 20": "the paper's text, η = 20, steps as in the code",
    "bias": "a bias, no gradient",
}
COLUMNS = {"mIoU": COUNTED, "object lost": "lost", "scene kept": "scene kept", "share of the way": "travelled"}
LEVEL, FREE, GROUND = "level", "down, no ground", "down, on ground"
KINDS = (LEVEL, FREE, GROUND)
NIGHT = "at night"  # of prompts that name no scene
WHEN = {"start": "first frame", "distance": "mean of all", "end": "last frame"}


def is_of_today(name: str, settings: Mapping[str, Any]) -> bool:
    """Whether a setting was measured with the knobs that it has today."""
    stored = settings.get(name)
    if stored is None or name not in SETTINGS:
        return False
    own = SETTINGS[name]
    return all(stored[part] == _as_stored(getattr(own, part)) for part in ("guidance", "bias"))


def _as_stored(knobs: Mapping[str, Any] | None) -> Any:
    """Knobs as a json file gives them back: tuples are lists there."""
    return None if knobs is None else json.loads(json.dumps(dict(knobs)))


def table_rows(settings: Mapping[str, Any], shown: Mapping[str, str] = SHOWN) -> tuple[list[list[str]], str]:
    """Rows of a table, one for each setting that was measured, and a sentence about those that were not, or nothing."""
    rows, missing = [], []
    for name, title in shown.items():
        if not is_of_today(name, settings):
            missing.append(title)
            continue
        figures = settings[name]["figures"]
        rows.append([title, *(figure_text(figures[column]) for column in COLUMNS.values())])
    left_out = f"Not measured yet with today's settings, and left out: {'; '.join(missing)}." if missing else ""
    return rows, left_out


def moving(rows: Sequence[Row], setting: str) -> list[Row]:
    """The cases of a setting that have a video, and whose track goes somewhere."""
    chosen = []
    for row in rows:
        if row["setting"] == setting and not row["failed"] and row["track"] != "stays":
            chosen.append(row)
    return chosen


def kind_of(row: Row) -> str:
    """Whether a track is level, or leads down in a scene without ground or with it."""
    keys = TRACKS[row["track"]]
    if keys[0][1] == keys[-1][1]:
        return LEVEL
    return FREE if row["prompt"].endswith(FREE_SCENES) else GROUND


def world_growth(row: Row) -> float:
    """How much larger an object is drawn in the last frame than in the first in the videos of the training."""
    scene = next((scene for scene in MEDIA if row["prompt"].endswith(scene)), NIGHT)
    keys = TRACKS[row["track"]]
    first, last = perspective(np.array([keys[0][1], keys[-1][1]]), scene)
    return float(last / first)


def geometric(values: Sequence[float]) -> Estimate:
    """A mean of ratios, in which twice as large and half as large cancel; what is not seen is left out."""
    mean = Estimate.mean(np.log(values))
    return Estimate(float(np.exp(mean.value)), float(np.exp(mean.low)), float(np.exp(mean.high)), mean.n)


def growths(rows: Sequence[Row], setting: str) -> dict[str, Estimate]:
    """Size in the last frame over size in the first, by kind of track."""
    by_kind = {}
    for kind in KINDS:
        by_kind[kind] = geometric([row["growth"] for row in moving(rows, setting) if kind_of(row) == kind])
    return by_kind


def world_growths(rows: Sequence[Row], setting: str) -> dict[str, float]:
    """The same, as the world's drawings would have it on the same tracks."""
    by_kind = {}
    for kind in KINDS:
        by_kind[kind] = geometric([world_growth(row) for row in moving(rows, setting) if kind_of(row) == kind]).value
    return by_kind


def offsets(rows: Sequence[Row], setting: str) -> dict[str, Estimate]:
    """Distance of the object's centre from the asked one, in shares of the diagonal, at three times of `WHEN`."""
    return {name: Estimate.mean([row[name] for row in moving(rows, setting)]) for name in WHEN}


def by_strength(settings: Mapping[str, Any], default: float) -> dict[float, dict[str, Estimate]]:
    """Figures by strength, everything else as by default; the defaults are one of them."""
    figures = {default: settings["defaults"]["figures"]}
    for part in settings.values():
        if part["group"] == "strength":
            figures[part["guidance"]["strength"]] = part["figures"]
    return dict(sorted(figures.items()))


def sentences(rows: Sequence[Row], settings: Mapping[str, Any]) -> list[str]:
    """What the defaults do about perspective, the ends of a path, and objects that stand still."""
    growth, world = growths(rows, "defaults")[GROUND], world_growths(rows, "defaults")[GROUND]
    off, figures = offsets(rows, "defaults"), settings["defaults"]["figures"]
    ends = ", ".join(f"{figure_text(off[name], '.3f')} in the {WHEN[name]}" for name in ("start", "end"))
    stays = figures["stays where it was"]
    return [
        f"**Perspective.** Led down on ground, an object becomes {figure_text(growth)} times as large; as the training "
        f"videos are drawn it would be {world:.2f} times. {growth_verdict(growth, world)}",
        f"**Start and end.** The centre is off by {ends}, in parts of the diagonal, and the object goes "
        f"{figure_text(figures['travelled'])} of its way.",
        f"**Standing still.** {percent_text(stays.value)} of {stays.n} objects go less than {percent_text(STANDS)} of "
        f"their way; {_still_with_paper(settings)}",
    ]


def _still_with_paper(settings: Mapping[str, Any]) -> str:
    if not is_of_today("paper", settings):
        return "with the paper's setting, this is not measured yet."
    return f"with {SHOWN['paper']}, {percent_text(settings['paper']['figures']['stays where it was'].value)}."


def growth_verdict(growth: Estimate, world: float) -> str:
    """Whether objects grow, and as much as in the training videos."""
    if growth.low <= 1:
        return "Its interval has 1 in it or lies below: that objects grow is not shown."
    return f"They grow, and {'less than that.' if growth.high < world else 'as much as that, within the interval.'}"
