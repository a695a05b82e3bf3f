"""What explorers make of their knobs: an edit along paths, and the cell that makes its clip."""

from dataclasses import fields
from typing import Any, ClassVar

import ipywidgets as widgets

from ...backbones.model import Model
from ...edits.bias import Bias
from ...edits.guidance import LAWS, SCHEDULES, Guidance
from ...edits.targets import Track
from .code import knobs_text, steered_cell
from .panel import SEED_LOOK

USUAL = {knob.name: knob.default for knob in fields(Guidance)}
STRENGTHS = {"equal": USUAL["strength"], "1 - abar": 100.0}  # of a law, on the pocket models


class PathEdit:
    """The edit, of a `kind`, that knobs, words and tracks of an explorer describe."""

    kind: ClassVar[type[Guidance] | type[Bias]]
    model: Model
    prompt: Any
    seed: Any
    words: list[str]
    tracks: list[Track]

    def knobs(self) -> dict[str, Any]:
        """The knobs of the edit, by their names."""
        raise NotImplementedError

    def edit(self) -> Guidance | Bias:
        """What the controls say, as an edit. Raises ValueError for what cannot be, as an object without a path."""
        words, tracks = self.words, self.tracks
        if len(words) == 1:
            return self.kind(words[0], tracks[0], **self.knobs())
        return self.kind(words, tracks, **self.knobs())

    def code(self) -> str:
        """The cell that makes the clip that the controls describe."""
        knobs = knobs_text(self.knobs(), {knob.name: knob.default for knob in fields(self.kind)})
        name = self.kind.__name__
        return steered_cell(self.model, self.prompt.value, self.seed.value, name, self.words, self.tracks, knobs)


class GuidanceKnobs:
    """Gives an explorer the controls `strength`, `law` and `schedule`."""

    def make_knobs(self) -> list[widgets.Widget]:
        """The controls, in the order in which they stand."""
        self.strength = widgets.FloatText(USUAL["strength"], step=0.01, description="strength", layout=SEED_LOOK)
        self.law = widgets.Dropdown(options=list(LAWS), value=USUAL["law"], description="law")
        self.schedule = widgets.Dropdown(options=list(SCHEDULES), value=USUAL["schedule"], description="schedule")
        self.law.observe(self._suggest, names="value")
        return [self.strength, self.law, self.schedule]

    def knobs(self) -> dict[str, Any]:
        """The knobs of guidance, by their names."""
        return {"strength": self.strength.value, "law": self.law.value, "schedule": self.schedule.value}

    def _suggest(self, _change: dict) -> None:
        """Laws count strength in units of their own."""
        self.strength.value = STRENGTHS.get(self.law.value, self.strength.value)
