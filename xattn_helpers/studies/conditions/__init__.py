"""Guidance under other conditions than the table's: study `conditions`, a row for each.

Square boxes and boxes of the object's proportions, small and large ones, slow and fast tracks, two objects at once, and
two whose tracks cross. Every condition has 24 cases under a few settings, for each video model.
"""

from collections.abc import Sequence

from ...edits.targets import Track
from ...sampling import Clip
from ..guidance.setting import PAPER, Setting
from ..guidance.steered import Reference, Steered, describe
from ..rows import Case, Row
from ..study import first_of_each
from .cases import CONDITIONS, condition_cases, tracks_of, words_of
from .table import line, markdown, of_two, summary

MODELS = ("pocket", "pocket-dit")
SETTINGS = {"unguided": Setting(), "defaults": Setting({}), "bias": Setting(bias={}), "paper": Setting(PAPER)}


class Conditions(Steered):
    """Does guidance hold for square, small and large boxes, for fast and slow tracks, and for two objects?"""

    batch, batch_on_gpu = 1, 24
    settings = SETTINGS
    compared = MODELS

    def cases(self) -> list[Case]:
        """Every condition under every setting, for each model; the paper's setting for the first alone."""
        cases: list[Case] = []
        for model in self.present:
            for setting in SETTINGS:
                if setting == "paper" and model != MODELS[0]:
                    continue
                for condition in CONDITIONS:
                    about: Case = {"model": model, "setting": setting, "condition": condition}
                    cases += [about | case for case in condition_cases(condition)]
        return cases

    def smoke_cases(self) -> list[Case]:
        """The first case of each condition under the defaults, and two objects under a bias for the last model."""
        wanted = [case for case in self.cases() if case["model"] == MODELS[0] and case["setting"] == "defaults"]
        wanted += [case for case in self.cases() if case["model"] == self.present[-1] and case["setting"] == "bias"]
        return first_of_each(wanted, self.group, 1)[: len(CONDITIONS) + 1]

    def group(self, case: Case) -> tuple:
        """Cases of a model and condition under one setting."""
        return case["model"], case["setting"], case["condition"]

    def depends(self, case: Case) -> object:
        """The knobs of the setting, and the tracks with their boxes."""
        return super().depends(case), tracks_of(case)

    def asked(self, case: Case, reference: Reference) -> tuple[list[Track], Row]:
        """The tracks of the objects of a case."""
        return tracks_of(case), {}

    def row(self, case: Case, clip: Clip, asked: Sequence[Track], reference: Reference) -> Row:
        """A video of one object as in `guidance`; of two, the mean of their overlaps, and lost if one of them is."""
        rows = []
        for word, track in zip(words_of(case), asked, strict=True):
            rows.append(describe(clip, word, track.boxes(len(clip.video)), reference, self.device))
        return rows[0] if len(rows) == 1 else of_two(*rows)

    def summary(self, rows: Sequence[Row]) -> dict:
        """For each model, condition and setting its figures."""
        return summary(rows)

    def show(self, table: dict) -> None:
        """Print a line for each setting of each condition."""
        for model, conditions in table.items():
            for condition, settings in conditions.items():
                for name, figures in settings.items():
                    print(model, condition, line(name, figures), sep=" | ")

    def markdown(self, table: dict) -> str:
        """A table for each model: conditions, and what each setting reaches and loses."""
        return markdown(table)
