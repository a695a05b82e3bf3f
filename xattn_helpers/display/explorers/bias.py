"""Moving a word's logits while you watch: steering without a gradient.

From Python: `explorer = BiasExplorer(model)`, `explorer.inside.value = 4`, `explorer.run()`; then `explorer.clip`,
`explorer.own`, `explorer.iou` and `explorer.picture` are what is seen.
"""

from dataclasses import fields
from typing import Any

import ipywidgets as widgets

from ...arguments import checked
from ...backbones.backbone import choose_sites
from ...backbones.model import Model
from ...edits.bias import Bias
from ...kinds import PathLike, Words
from .choices import EVERYTHING, cell_choices, chosen, offer
from .panel import WidgetSeed
from .paths import Tracks, as_objects, map_sizes
from .steered import Steered

USUAL = {knob.name: knob.default for knob in fields(Bias)}
LOGITS = {"min": -16, "max": 16, "step": 0.5, "continuous_update": False}
SLIDER = {"width": "290px", "min_width": "220px", "max_width": "100%"}


class BiasExplorer(Steered):
    """Add to a word's logits inside a drawn target, take away outside, and see what becomes of the clip.

    With `live`, each change of a control stops the run that goes on and begins another: with an image model that is a
    second a time. `words` are the objects, one or a list, `tracks` their paths; of an image, a path's first point.

    Controls, each with a `value`: prompt, seed, pad, inside and outside, what is added to the logits; until, a share of
    the steps; group, cells (latent cells a map cell, shown as the size of the maps), live; buttons: run_button,
    stop_button, own_button. Results: tracks, words, clip, own, asked, seen, iou. Raises ValueError for another number
    of tracks than words.
    """

    CONTROLS = ("prompt", "seed", "pad", "inside", "outside", "until", "group", "cells")
    title, kind = "biased", Bias

    @checked
    def __init__(
        self, model: Model, prompt: str = "a burger floats on the water", words: Words = "burger",
        seed: WidgetSeed = 0, tracks: Tracks = None, detector: PathLike = "pocket",
    ):  # fmt: skip
        self._is_followed = False  # whether a run was stopped for a newer one
        names, paths = as_objects(words, tracks)
        super().__init__(model, prompt, names, seed, paths, detector, "Generate the biased clip")
        self.inside = widgets.FloatSlider(USUAL["inside"], description="inside", layout=SLIDER, **LOGITS)
        self.outside = widgets.FloatSlider(USUAL["outside"], description="outside", layout=SLIDER, **LOGITS)
        look = {"min": 0, "max": 1, "step": 0.05, "continuous_update": False, "layout": SLIDER}
        self.until = widgets.FloatSlider(USUAL["until"], description="until", **look)
        self.group = widgets.Dropdown(options=[EVERYTHING, *model.groups], description="group")
        self.cells = widgets.Dropdown(options=cell_choices(model), description="maps")
        self.live = widgets.Checkbox(False, description="run at each change", indent=False)
        self.group.observe(self._offer_cells, names="value")
        knobs = [self.inside, self.outside, self.until, self.group, self.cells, self.live]
        self.arrange([self.prompt, self.seed, self.own_button], knobs, beside=[self.pad])

    def knobs(self) -> dict[str, Any]:
        """The knobs of the bias, by their names."""
        knobs = {"inside": self.inside.value, "outside": self.outside.value, "until": self.until.value}
        return {**knobs, "groups": chosen(self.group), "cells": chosen(self.cells)}

    def sizes(self) -> set[tuple[int, int]]:
        """Height and width of all maps."""
        return map_sizes(self.model, choose_sites(self.model.backbone))

    def label(self) -> str:
        """A name for a run in the history."""
        return f"{self.inside.value:+g}, {self.outside.value:+g}, seed {self.seed.value}"

    def changed(self, _change: dict | None = None) -> None:
        """As for all explorers; when `live`, the clip follows."""
        super().changed(_change)
        if _change is None or not self.live.value or self.is_wrong or self.is_current():
            return
        if self.is_running:
            self._is_followed = True
            self.stop()
        else:
            self.start()

    def ended(self) -> None:
        """A run that was stopped for a newer one is followed by it."""
        if self._is_followed:
            self._is_followed = False
            self.start()

    def _offer_cells(self, _change: dict) -> None:
        """A group has maps of some sizes alone."""
        offer(self.cells, cell_choices(self.model, self.group.value))
