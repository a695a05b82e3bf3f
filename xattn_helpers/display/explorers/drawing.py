"""Drawing where objects shall go, and letting guidance lead them there.

From Python: `drawer = PathDrawer(model, "a duck swims on the water", "duck", tracks=track([(0.2, 0.5), (0.8, 0.5)]))`,
`drawer.run()`; then `drawer.tracks`, `drawer.clip`, `drawer.own`, `drawer.iou` and `drawer.picture` are what is seen.
"""

from dataclasses import fields
from typing import Any

import ipywidgets as widgets

from ...arguments import checked
from ...backbones.model import Model
from ...edits.guidance import LAWS, SCHEDULES, Guidance
from ...edits.targets import track
from ...kinds import PathLike, Words
from .code import knobs_text, steered_cell
from .panel import SEED_LOOK, WidgetSeed
from .paths import Tracks, as_objects, map_sizes
from .steered import Steered

USUAL = {knob.name: knob.default for knob in fields(Guidance)}
STRENGTHS = {"equal": USUAL["strength"], "1 - abar": 100.0}  # of a law, on the pocket models


class PathDrawer(Steered):
    """Draw a path, or several, on the first frame of the unguided clip, and see the clip whose objects follow them.

    `words` are the objects, one or a list, `tracks` their paths, by default one from the upper left to the lower right.
    Frames are dots along a path: their spacing is the speed, and they can be dragged. Run makes the guided clip with
    `Guidance`, and the unguided one where it is not there yet. What a user gets wrong is said in `message`, not raised.
    `detector` finds the objects afterwards, as in `detect`.

    Controls, each with a `value`: prompt, seed, pad, strength, law, schedule; buttons: run_button, stop_button,
    own_button. Results: tracks and words, what is drawn now; clip, own, asked, seen, iou. Raises ValueError for another
    number of tracks than words.
    """

    CONTROLS = ("prompt", "seed", "pad", "strength", "law", "schedule")
    title = "guided"

    @checked
    def __init__(
        self, model: Model, prompt: str = "a burger floats on the water", words: Words = "burger",
        seed: WidgetSeed = 0, tracks: Tracks = None, detector: PathLike = "pocket",
    ):  # fmt: skip
        names, paths = as_objects(words, tracks)
        super().__init__(model, prompt, names, seed, paths, detector, "Generate the guided clip")
        self.law = widgets.Dropdown(options=list(LAWS), value=USUAL["law"], description="law")
        self.schedule = widgets.Dropdown(options=list(SCHEDULES), value=USUAL["schedule"], description="schedule")
        self.strength = widgets.FloatText(USUAL["strength"], step=0.01, description="strength", layout=SEED_LOOK)
        self.law.observe(self._suggest, names="value")
        knobs = [self.strength, self.law, self.schedule]
        self.arrange([self.prompt, self.seed, self.own_button], knobs, beside=[self.pad])

    def __repr__(self) -> str:
        """What a stored notebook shows, where no kernel is: one line."""
        return f"PathDrawer({self.prompt.value!r}, {self.words!r}); run this notebook to use it"

    def edit(self) -> Guidance:
        """The guidance that the controls describe. Raises ValueError for an object without a path."""
        words, tracks = self.words, self.tracks
        if len(words) == 1:
            return Guidance(words[0], tracks[0], **self.knobs())
        return Guidance(words, tracks, **self.knobs())

    def knobs(self) -> dict[str, Any]:
        """The knobs of guidance, by their names."""
        return {"strength": self.strength.value, "law": self.law.value, "schedule": self.schedule.value}

    def sizes(self) -> set[tuple[int, int]]:
        """Height and width of the maps that guidance looks at by default."""
        return map_sizes(self.model, Guidance("object", track([(0.5, 0.5)])).sites(self.model))

    def code(self) -> str:
        """The cell that makes the clip that the controls describe."""
        knobs = knobs_text(self.knobs(), USUAL)
        return steered_cell(self.model, self.prompt.value, self.seed.value, "Guidance", self.words, self.tracks, knobs)

    def _suggest(self, _change: dict) -> None:
        """Laws count strength in units of their own."""
        self.strength.value = STRENGTHS.get(self.law.value, self.strength.value)
