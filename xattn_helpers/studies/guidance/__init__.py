"""Guidance along tracks, measured: study `guidance`, every setting on every case of `cases.py`.

How well does an object keep to its track, and what else becomes of the video? On a CPU a guided video takes half a
minute: `--limit 4`.
"""

from collections.abc import Sequence

from ..rows import Case, Row
from .cases import table_cases
from .settings import SETTINGS
from .steered import OnTracks
from .table import landmarks, line, summary

SMOKE = ("unguided", "defaults", "paper", "zero-shot", "defaults and bias")  # settings of a smoke run


class GuidanceStudy(OnTracks):
    """Which choices of guidance bring an object to its track, and what does each cost?"""

    batch, batch_on_gpu = 1, 49
    settings = SETTINGS

    def cases(self) -> list[Case]:
        """Every setting on every case of the table."""
        cases: list[Case] = []
        for name in SETTINGS:
            cases += [{"setting": name} | case for case in table_cases()]
        return cases

    def smoke_cases(self) -> list[Case]:
        """A case of one setting of each kind."""
        return [{"setting": name} | table_cases()[0] for name in SMOKE]

    def summary(self, rows: Sequence[Row]) -> dict:
        """For each setting its figures, its differences from other settings on the same cases, and its failures."""
        return summary(rows)

    def show(self, table: dict) -> None:
        """Print the settings, a line each."""
        for name, setting in table["settings"].items():
            print(line(name, setting))

    def markdown(self, table: dict) -> str:
        """Some settings beside what was asked."""
        return landmarks(table)
