"""Ways to put an object where it shall be, side by side: study `neighbours`, on the cases of `guidance`.

Without a gradient: a bias on the logits, masks of attention as in Peekaboo and in the manner of DiTraj, TrailBlazer's
Gaussian. With one: guidance, and LVD's energy with its own law. Each has the strength and schedule that it was
published with, and those without a gradient also act for the first half of the steps, as long as the bias. Time is that
of the clips of a batch over that of the same clips unguided, on the same device.
"""

from collections.abc import Sequence

import torch

from ...edits.targets import Track
from ...sampling import Clip, generate
from ..guidance.cases import table_cases
from ..guidance.setting import Setting
from ..guidance.steered import OnTracks, Reference
from ..rows import Case, Row, column
from ..timing import seconds
from .settings import MODELS, SETTINGS, settings_of
from .table import line, markdown, summary


class Neighbours(OnTracks):
    """What do a bias, masks, a Gaussian, LVD's energy and guidance reach, and what does each cost?"""

    batch, batch_on_gpu = 1, 49
    settings = SETTINGS
    compared = MODELS

    def cases(self) -> list[Case]:
        """Every method on every case of the table of guidance, for each model."""
        cases: list[Case] = []
        for model in self.present:
            for name in settings_of(model):
                cases += [{"model": model, "setting": name} | case for case in table_cases()]
        return cases

    def measure(self, cases: Sequence[Case]) -> list[Row]:
        """As other studies of steering, with the seconds that a clip of this batch took."""
        self.unguided(cases)  # its recording takes time, too, and warms the device up
        rows = super().measure(cases)
        return [row | {"seconds": self.seconds / len(cases)} for row in rows]

    def steered(
        self, setting: Setting, cases: Sequence[Case], references: Sequence[Reference], tracks: Sequence[Track]
    ) -> list[Clip | str]:
        """The clips of a method, timed; unguided ones are made again, without the recording of a reference."""
        clips: list[Clip | str] = []

        def make() -> None:
            if setting.steers:
                clips.extend(super(Neighbours, self).steered(setting, cases, references, tracks))
            else:
                prompts, seeds = column(cases, "prompt"), column(cases, "seed")
                clips.extend(generate(self.network(cases[0]), prompts, seeds, self.steps, progress=False))
            if self.device == "cuda":
                torch.cuda.synchronize()

        self.seconds = seconds(make)
        return clips

    def summary(self, rows: Sequence[Row]) -> dict:
        """For each model and method what it reaches, loses and costs."""
        return summary(rows)

    def show(self, table: dict) -> None:
        """Print the methods, a line each."""
        for model, methods in table.items():
            for name, figures in methods.items():
                print(model, line(name, figures), sep=" | ")

    def markdown(self, table: dict) -> str:
        """The methods of both models, and the rows that others published."""
        return markdown(table)
