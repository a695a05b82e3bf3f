"""An explorer for tracks: set a path with sliders, then let guidance follow it.

From Python: `explorer = TrackExplorer(model, "a duck swims on the water", "duck")`, `explorer.end_x.value = 0.8` (the
preview changes at once), `explorer.run()`; then `explorer.clip`, `explorer.maps` and `explorer.picture` are what is
seen.
"""

import html
from typing import Any

import numpy as np
from IPython.display import HTML
from jaxtyping import Float
from torch import Tensor

from ...arguments import checked
from ...attention.recording import capture
from ...backbones.model import Model
from ...edits.guidance import Guidance
from ...edits.targets import Track
from ...sampling import Clip
from ..checks import Frames
from ..overlays import draw_boxes, heatmaps
from ..pixels import at_frames, rows_of
from ..players import track_player
from .choices import words
from .code import knobs_text, steered_cell
from .knobs import USUAL, GuidanceKnobs
from .panel import Panel, WidgetSeed
from .paths import as_track, drawing
from .runner import BEGIN
from .sliders import SliderPad

PICTURE_HEIGHT = 220  # CSS pixels of the pictures side by side
GAP = 4  # white pixels between them
BLANK = 235  # grey of the preview when there is no unguided clip
DOT = 0.012  # half the side of a dot of the path, in parts of the picture


SLIDERS = (
    "word", "start_x", "start_y", "start_size", "end_x", "end_y", "end_size", "by_middle", "middle_x", "middle_y"
)  # fmt: skip


class TrackExplorer(GuidanceKnobs, Panel):
    """Lead a word along a path: start, end and, if wanted, a point in the middle, with a size at start and end.

    The preview on the left draws the path and the box of the frame at once, over the unguided clip if `explore` was
    given one. The model runs, with the defaults of `Guidance.for_track`, when `run` is called or the button pressed,
    and only if a control changed since; then follow the guided frame and the word's map, both with the box they were
    asked for. What a user gets wrong is said in `message`, not raised, and a word that is not in the prompt before the
    model runs.

    Controls, each with a `value`: prompt, word, seed, strength, start_x, start_y, end_x, end_y, by_middle, middle_x,
    middle_y, start_size, end_size, frame; button: run_button; player: play. Results: clip and maps, float (frames, h,
    w), both None before the first run; asked, the track of that clip; picture, uint8 (height, width, 3).
    """

    CONTROLS = ("prompt", "word", "seed", "pad", "strength", "law", "schedule")
    RESULTS = ("clip", "own", "maps", "asked")

    @checked
    def __init__(
        self, model: Model, prompt: str = "a burger floats on the water", word: str = "burger", seed: WidgetSeed = 0
    ):
        super().__init__(model, prompt, seed, PICTURE_HEIGHT, "Generate the guided clip")
        self.own: Clip | None = None  # the unguided clip
        self.maps: Float[Tensor, "frames h w"] | None = None
        self.asked: Track | None = None
        self.pad = SliderPad(word, model.defaults.frames)
        knobs = self.make_knobs()
        self.prompt.observe(self._offer, names="value")
        self._offer()
        self.pad.observe(self.refresh, names="value")
        self.seed.observe(self.refresh, names="value")
        self.arrange([self.prompt, self.seed], [self.pad], knobs)
        self.refresh()

    def __getattr__(self, name: str) -> Any:
        """The sliders of the pad are controls of the explorer."""
        if name in SLIDERS:
            return getattr(self.pad, name)
        raise AttributeError(f"{type(self).__name__} has no attribute {name!r}")

    def __repr__(self) -> str:
        """What a stored notebook shows, where no kernel is: one line."""
        return f"TrackExplorer({self.prompt.value!r}, {self.word.value!r}); run this notebook to use it"

    def track(self) -> Track:
        """The track that the controls describe; the size at a middle point is the mean of start and end."""
        return as_track(self.pad.value[0])

    def check(self) -> None:
        """Raise ValueError for a word that is not in the prompt, and for knobs that cannot be."""
        super().check()
        Guidance(self.word.value, self.track(), **self.knobs())

    def make(self) -> None:
        """Generate the guided clip, and record the maps of its word."""
        settings, word, path = self.read(), self.word.value, self.track()
        guidance = Guidance(word, path, **self.knobs())
        self.progress.expect(1)
        looked_at = [site.name for site in guidance.sites(self.model)]
        with capture(self.model, sites=looked_at) as attention:
            clip = self.generate(settings["prompt"], settings["seed"], guidance)
        self.maps, self.asked = attention.maps(word).cpu(), path
        self.have(clip, settings)

    def code(self) -> str:
        """The cell that makes the guided clip."""
        knobs, words = knobs_text(self.knobs(), USUAL), [self.word.value]
        return steered_cell(self.model, self.prompt.value, self.seed.value, "Guidance", words, [self.track()], knobs)

    @checked
    def explore(self, clip: Clip, maps: Float[Tensor, "frames h w"], asked: Track, own: Clip | None = None) -> None:
        """Show a guided clip, the maps of `word`, the track it was asked for, and the unguided clip; nothing runs.

        The sliders go to the first, the last and, of three, the middle key of the track. `word` and `strength` must be
        those with which it was made: a clip does not know them.
        """
        self.clip, self.own = None, own  # until all sliders are there: each of them redraws
        self.prompt.value, self.seed.value = clip.prompt, clip.seed
        self.pad.value = [drawing(self.word.value, asked, len(clip.video))]
        self.maps, self.asked = maps, asked
        self.have(clip)

    def stored_player(self) -> HTML | None:
        """A dozen ready-made paths, for each of which the model runs."""
        if self.clip is None or not self.model.is_video:
            return None
        return track_player(self.model, self.prompt.value, self.word.value, self.seed.value)

    def refresh(self, _change: dict | None = None) -> None:
        """Draw the path that is set and the clip that is there."""
        frames = self.model.defaults.frames if self.clip is None else len(self.clip.video)
        videos, titles = [self._preview(frames)], ["the path"]
        if self.clip is not None and self.maps is not None and self.asked is not None:
            boxes = self.asked.boxes(frames)
            heat = heatmaps(at_frames(self.maps, frames), size=max(self.clip.video.shape[1:3]))
            videos += [draw_boxes(self.clip.video, boxes), draw_boxes(heat, boxes)]
            titles += ["guided", "its map"]
        if self.player.film is not None:
            self.player.film.plays = self.clip is not None
        self.show(rows_of(videos, GAP), titles)

    def _preview(self, frames: int) -> Frames:
        """The unguided clip, or grey, with the path in black and the box of each frame in red."""
        video, path = self._ground(frames), self.track()
        boxes = path.boxes(frames)
        for centre in path.centres(frames):
            dot = np.concatenate([centre - DOT, centre + DOT])
            video = draw_boxes(video, np.repeat(dot[None], frames, axis=0), "black", thickness=3)
        for frame in (0, frames - 1):
            video = draw_boxes(video, np.repeat(boxes[frame : frame + 1], frames, axis=0), "gray")
        return draw_boxes(video, boxes, "red")

    def _ground(self, frames: int) -> Frames:
        """What the path is drawn on; another model's default may not be the clip's size."""
        own, made = self.own, self.model.defaults
        if own is not None and (own.prompt, own.seed) == (self.prompt.value, self.seed.value):
            return own.video
        height, width = (made.height, made.width) if self.clip is None else self.clip.video.shape[1:3]
        return np.full((frames, height, width, 3), BLANK, np.uint8)

    def _offer(self, _change: dict | None = None) -> None:
        """The words of the prompt become the choices of the word."""
        self.pad.words = list(words(self.prompt.value))
        self.refresh()

    def describe(self) -> str:
        """What the pictures are, from the settings with which the clip was made."""
        if not self.settings:
            return BEGIN
        word, prompt = (html.escape(self.settings[name]) for name in ("word", "prompt"))
        made = f"<b>{word}</b> of “{prompt}”, seed {self.settings['seed']}, strength {self.settings['strength']:g}"
        return f"The path | {made} | its map"
