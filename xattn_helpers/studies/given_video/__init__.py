"""Editing videos that are given, measured: study `given_video`, drawn clips whose edited truth is drawn as well.

Each clip is edited by each setting of its kind of edit (`settings.py`), by both families of models. Beside every figure
of the background stands what the autoencoder alone loses.
"""

import time
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import ClassVar

from xattn_helpers import edit_video, observe

from ...backbones.model import Model
from ...sampling import Clip
from ..rows import Case, Row
from ..study import Study
from .clips import KINDS, Drawn, EditedClip, Painter, sample_clips
from .measuring import measure_edit, through_autoencoder
from .settings import SETTINGS, Setting
from .table import line, markdown, summary

MODELS = ("pocket-dit", "pocket")


class GivenVideo(Study):
    """How well are given videos edited, and what else of them changes?"""

    compared = MODELS
    settings: ClassVar[Mapping[str, Mapping[str, Setting]]] = SETTINGS  # by kind of edit
    count: ClassVar[int] = 60  # clips of each kind
    first_seed: ClassVar[int] = 9_000_000  # of the clips: far from those of the training stories

    @cached_property
    def painter(self) -> Painter:
        """Draws the clips."""
        return Painter(self.device)

    def cases(self) -> list[Case]:
        """Every clip of every kind of edit, by every setting and model; the seed is that of the edit's noise."""
        cases: list[Case] = []
        for model in self.present:
            for kind in KINDS:
                for setting in self.settings.get(kind, {}):
                    for number in range(self.count):
                        about = {"model": model, "kind": kind, "setting": setting}
                        cases.append(about | {"clip": number, "seed": self.first_seed + number})
        return cases

    def smoke_cases(self) -> list[Case]:
        """One clip of each kind of edit by each model, by the first setting: in tables this series' way."""
        first = [next(iter(settings)) for settings in self.settings.values()]
        return [case for case in super().smoke_cases() if case["setting"] in first]

    def depends(self, case: Case) -> object:
        """The knobs of the setting, and what is asked of the clip."""
        clip = self.clip(case)
        return self.setting(case).depends(), clip.source.caption, clip.target_prompt, sorted(clip.asked.items())

    def setting(self, case: Case) -> Setting:
        """The setting of a case."""
        return self.settings[str(case["kind"])][str(case["setting"])]

    def clip(self, case: Case) -> EditedClip:
        """The clip of a case."""
        return sample_clips(str(case["kind"]), self.count, self.first_seed)[int(case["clip"])]

    def measure(self, cases: Sequence[Case]) -> list[Row]:
        """Edit one clip after another."""
        rows = []
        for case in cases:
            clip, model = self.clip(case), self.model(str(case["model"]))
            drawn = self.painter.draw(clip)
            rebuilt = through_autoencoder(model, drawn.video)
            start = time.perf_counter()
            edited = self.edit(model, self.setting(case), clip, drawn, int(case["seed"]))
            row: Row = {"seconds": time.perf_counter() - start, "word": clip.word, "new word": clip.new_word}
            rows.append(row | measure_edit(clip, drawn, edited.video, rebuilt, self.device))
        return rows

    def edit(self, model: Model, setting: Setting, clip: EditedClip, drawn: Drawn, seed: int) -> Clip:
        """One edit. The prompt is known to describe the clip."""
        prompt, edits = clip.source.caption, []
        if setting.edits is not None:
            edits = setting.edits(clip, observe(model, drawn.video, prompt, seed))
        return edit_video(
            model, drawn.video, prompt, clip.target_prompt, seed, steps=self.steps, edits=edits, check_prompt=False,
            progress=False, **setting.knobs,
        )  # fmt: skip

    def summary(self, rows: Sequence[Row]) -> dict:
        """Figures by model, kind of edit and setting."""
        return summary(rows)

    def show(self, table: dict) -> None:
        """Print the settings, a line each."""
        for model, kinds in table.items():
            for kind, settings in kinds.items():
                for name, figures in settings.items():
                    print(line(f"{model}, {kind}, {name}", figures))

    def markdown(self, table: dict) -> str:
        """The objects exchanged, beside what was asked of them."""
        return markdown(table)
