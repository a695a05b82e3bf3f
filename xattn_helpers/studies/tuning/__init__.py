"""Choosing the defaults of steering: study `tuning`, on objects, tracks and seeds that no table has.

Two questions: objects that move along a track, and objects that stand where they are and take an asked size. Losing the
object is the failure that hurts most: a lost object (not seen in more than half of the frames) counts an mIoU of 0, and
how many are lost is a column of its own.

First all settings of `settings.py` are measured on all 48 cases with one seed. Then the best six of each question,
which the table names, are written into `FINALISTS`, and the same command measures these with two more seeds. What was
measured is not measured again. `--settings` measures a part.
"""

from collections.abc import Sequence

from ...edits.targets import Track, track
from ...measures.boxes import boxes_of
from ..guidance.steered import Reference, Steered
from ..resize import standing
from ..rows import Case, Row
from .cases import TRACKS, sides, tuning_cases
from .settings import FINALISTS, SETTINGS
from .table import UNGUIDED, line, markdown, summary

SEEDS = 3  # of each case, for the finalists; all other settings have one


class TuningStudy(Steered):
    """Which strength and schedule of guidance, and which bias, should be the defaults?"""

    batch, batch_on_gpu = 1, 48
    settings = SETTINGS

    def cases(self) -> list[Case]:
        """Every setting with the first seed, and the finalists of each question with all seeds."""
        cases: list[Case] = []
        for number in range(SEEDS):
            for name in SETTINGS:
                for case in tuning_cases(number):
                    if number == 0 or name == UNGUIDED or name in FINALISTS[str(case["purpose"])]:
                        cases.append({"setting": name} | case)
        return cases

    def smoke_cases(self) -> list[Case]:
        """A case of each question, under no setting and under one with both edits."""
        return [{"setting": name} | case for name in (UNGUIDED, list(SETTINGS)[-1]) for case in tuning_cases()[:2]]

    def group(self, case: Case) -> tuple:
        """Cases under one setting, with their first seed or another."""
        return case["setting"], case["round"]

    def depends(self, case: Case) -> object:
        """The knobs of the setting, and the key points of the track."""
        return super().depends(case), TRACKS.get(str(case["track"])), sides(case)

    def asked(self, case: Case, reference: Reference) -> tuple[Track, Row]:
        """The track of the case, or a box where the object stands in the unguided video."""
        if case["purpose"] == "track":
            return track(TRACKS[str(case["track"])], size=sides(case)), {}
        return standing(boxes_of(reference.view.masks(str(case["word"]))), sides(case)), {}

    def summary(self, rows: Sequence[Row]) -> dict:
        """For each question and setting its figures, and the best six by the rows of the first seed."""
        return summary(rows)

    def show(self, table: dict) -> None:
        """Print the settings of each question, a line each, and who comes next."""
        for purpose, part in table.items():
            for name, figures in part["settings"].items():
                print(purpose, line(name, figures), sep=" | ")
            print(f"{purpose}: the best of the first seed are", *part["finalists"], sep="\n  ")

    def markdown(self, table: dict) -> str:
        """The settings of both questions."""
        return markdown(table)
