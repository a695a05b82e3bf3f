"""Exchanged objects as `exchange_tuning` found best, on the clips of `given_video`: study `given_exchange`.

The new object is held by a bias that keeps its word away from everywhere else more than it draws it in, from more noise
and in fewer steps than `edit_video` has by default: with a draw of noise at each step, with the mean of several, and
with the given video's own pixels as the background. All were chosen on other clips, before they were run on these.
"""

from collections.abc import Mapping, Sequence
from typing import ClassVar

from ..display.tables import figure_text, table_text
from ..measures.statistics import Estimate
from .exchange_tuning import ExchangeTuning
from .given_video import MODELS, GivenVideo
from .given_video.settings import Setting
from .given_video.table import asked_table, grouped, settings_table
from .rows import Case, Row, select
from .store import load_rows

CHOSEN = {  # of the settings that keep 33 dB there, that with the best overlap: of more and more that may be used
    "exchange": "hold by 4 and -16, scale 2.5",
    "averaged": "2 draws, 14 steps, larger",
    "overlay": "2 draws, 14 steps, larger, threshold .2, overlay",
}
ANSWER = {"pocket-dit": "overlay", "pocket": "exchange"}  # the first reaches what is asked of the latter
ABOVE = {"edit": "IoU above edit", "exchange": "IoU above exchange"}  # the first is of `given_video`, on the same clips


class GivenExchange(ExchangeTuning):
    """How well is an object exchanged by the settings that were best on other clips?"""

    compared = MODELS
    settings: ClassVar[Mapping[str, Mapping[str, Setting]]] = {
        "object": {name: ExchangeTuning.settings["object"][tried] for name, tried in CHOSEN.items()}
    }
    count: ClassVar[int] = GivenVideo.count
    first_seed: ClassVar[int] = GivenVideo.first_seed

    def cases(self) -> list[Case]:
        """Every setting by the model that needs more than the first, and the first by the other."""
        cases = []
        for case in super().cases():
            if case["setting"] == "exchange" or ANSWER[str(case["model"])] != "exchange":
                cases.append(case)
        return cases

    def summary(self, rows: Sequence[Row]) -> dict:
        """Figures by model and setting, and how far the overlap is above another setting's, clip by clip."""
        table = super().summary(rows)
        overlaps = by_clip([*select(load_rows("given_video"), "setting", "edit"), *rows])
        for model, kind, name in grouped(rows):
            for reference, title in ABOVE.items():
                if reference != name and (model, kind, reference) in overlaps:
                    gain = Estimate.difference(overlaps[model, kind, name], overlaps[model, kind, reference])
                    table[model][kind][name][title] = gain
        return table

    def markdown(self, table: dict) -> str:
        """What was asked of an exchanged object, and what is reached."""
        return "\n\n".join([asked_table(table, ANSWER), settings_table(table), gains_table(table)])


def by_clip(rows: Sequence[Row]) -> dict[tuple[str, str, str], dict[int, float]]:
    """Overlaps by the seeds of their clips, for each model, kind of edit and setting."""
    overlaps = {}
    for group, members in grouped(rows).items():
        overlaps[group] = {row["seed"]: row["iou"] for row in members}
    return overlaps


def gains_table(table: Mapping) -> str:
    """For each model and setting, how far the overlap is above another setting's, clip by clip."""
    rows = []
    for model, kinds in table.items():
        for name, figures in kinds["object"].items():
            cells = [figure_text(figures[title], "+.3f") if title in figures else "" for title in ABOVE.values()]
            rows.append([model, name, *cells])
    return table_text(["model", "setting", *ABOVE.values()], rows)
