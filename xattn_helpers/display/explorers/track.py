"""An explorer for tracks: set a path with sliders, then let guidance follow it.

From Python: `explorer = TrackExplorer(model, "a duck swims on the water", "duck")`, `explorer.end_x.value = 0.8` (the
preview changes at once), `explorer.run()`; then `explorer.clip`, `explorer.maps` and `explorer.picture` are what is
seen.
"""

import html
from typing import Any

import ipywidgets as widgets
import numpy as np
from jaxtyping import Float
from torch import Tensor

from ...arguments import checked
from ...attention.recording import capture
from ...backbones.model import Model
from ...edits.guidance import Guidance
from ...edits.targets import Track, track
from ...sampling import Clip, generate
from ..overlays import draw_boxes, heatmaps
from ..pixels import Picture, at_frames, side_by_side
from .panel import PROMPT_LOOK, SEED_LOOK, Panel, WidgetSeed, check_text, words

PICTURE_HEIGHT = 220  # CSS pixels of the pictures side by side
GAP = 4  # white pixels between them
BLANK = 235  # grey of the preview when there is no unguided clip
DOT = 0.012  # half the side of a dot of the path, in parts of the picture
SLIDER = {"width": "290px"}
START, END, MIDDLE = (0.25, 0.25), (0.75, 0.75), (0.5, 0.5)
SIZE, SMALLEST = 0.35, 0.05  # of the box, in parts of the picture


class TrackExplorer(Panel):
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

    @checked
    def __init__(
        self, model: Model, prompt: str = "a burger floats on the water", word: str = "burger", seed: WidgetSeed = 0
    ):
        super().__init__(model.defaults.frames, PICTURE_HEIGHT, "Generate the guided clip")
        self.model = model
        self.clip: Clip | None = None
        self.own: Clip | None = None  # the unguided clip
        self.maps: Float[Tensor, "frames h w"] | None = None
        self.asked: Track | None = None
        self._shown: dict[str, Any] = {}  # the controls of the clip that is there
        self.prompt = widgets.Text(prompt, description="prompt", layout=PROMPT_LOOK)
        self.word = widgets.Combobox(value=word, description="word", options=words(prompt), ensure_option=False)
        self.seed = widgets.BoundedIntText(seed, min=0, max=2**31 - 1, description="seed", layout=SEED_LOOK)
        self.start_x, self.start_y = _slider(START[0], "start x"), _slider(START[1], "start y")
        self.end_x, self.end_y = _slider(END[0], "end x"), _slider(END[1], "end y")
        self.by_middle = widgets.Checkbox(False, description="by a middle point", indent=False, layout=SEED_LOOK)
        self.middle_x, self.middle_y = _slider(MIDDLE[0], "middle x"), _slider(MIDDLE[1], "middle y")
        self.start_size, self.end_size = _slider(SIZE, "start size", SMALLEST), _slider(SIZE, "end size", SMALLEST)
        usual = Guidance.for_track("object", self.track()).strength
        self.strength = widgets.FloatText(usual, step=usual / 10, description="strength", layout=SEED_LOOK)
        self._arrange()
        self.refresh()

    def __repr__(self) -> str:
        """What a stored notebook shows, where no kernel is: one line."""
        return f"TrackExplorer({self.prompt.value!r}, {self.word.value!r}); run this notebook to use it"

    def track(self) -> Track:
        """The track that the controls describe; the size at a middle point is the mean of start and end."""
        keys = [(self.start_x.value, self.start_y.value), (self.end_x.value, self.end_y.value)]
        sizes = [self.start_size.value, self.end_size.value]
        if self.by_middle.value:
            keys.insert(1, (self.middle_x.value, self.middle_y.value))
            sizes.insert(1, sum(sizes) / 2)
        return track(keys, size=sizes)

    def run(self, _button: widgets.Button | None = None) -> None:
        """Generate what the controls describe, unless it is the clip that is there."""
        if self.clip is not None and self._shown == self._settings():
            return self.refresh()
        with self.running():
            prompt, word, path = self.prompt.value, self.word.value, self.track()
            check_text(self.model, prompt, word)
            guidance = Guidance.for_track(word, path, strength=self.strength.value)
            looked_at = [site.name for site in guidance.sites(self.model)]
            with capture(self.model, sites=looked_at) as attention:
                clip = generate(self.model, prompt, seed=self.seed.value, edits=guidance, progress=False)
            self._have(clip, attention.maps(word).cpu(), path)

    @checked
    def explore(self, clip: Clip, maps: Float[Tensor, "frames h w"], asked: Track, own: Clip | None = None) -> None:
        """Show a guided clip, the maps of `word`, the track it was asked for, and the unguided clip; nothing runs.

        The sliders go to the first, the last and, of three, the middle key of the track. `word` and `strength` must be
        those with which it was made: a clip does not know them.
        """
        self.clip, self.own = None, own  # until all sliders are there: each of them redraws
        self.prompt.value, self.seed.value = clip.prompt, clip.seed
        self.start_x.value, self.start_y.value = asked.keys[0]
        self.end_x.value, self.end_y.value = asked.keys[-1]
        self.start_size.value, self.end_size.value = _side(asked.sizes[0]), _side(asked.sizes[-1])
        self.by_middle.value = len(asked.keys) == 3
        if self.by_middle.value:
            self.middle_x.value, self.middle_y.value = asked.keys[1]
        self._have(clip, maps, asked)

    def refresh(self, _change: dict | None = None) -> None:
        """Draw the path that is set and, at the chosen frame, the clip that is there."""
        frames, index = self.frame.max + 1, self.frame.value
        pictures = [self._preview(frames)]
        if self.clip is not None and self.maps is not None and self.asked is not None:
            boxes = self.asked.boxes(frames)
            heat = heatmaps(at_frames(self.maps, frames), size=max(self.clip.video.shape[1:3]))
            pictures += [draw_boxes(self.clip.video, boxes)[index], draw_boxes(heat, boxes)[index]]
        self.draw(side_by_side(pictures, GAP))
        self.message.value = self._describe()

    def _have(self, clip: Clip, maps: Float[Tensor, "frames h w"], asked: Track) -> None:
        """This is the clip that the controls describe now."""
        self.clip, self.maps, self.asked = clip, maps, asked
        self._shown = self._settings()
        self.has_frames(len(clip.video))
        self.refresh()

    def _preview(self, frames: int) -> Picture:
        """A frame of the unguided clip, or grey, with the path in black and the box of this frame in red."""
        picture = self._ground()[None]
        path = self.track()
        boxes = path.boxes(frames)
        for centre in path.centres(frames):
            dot = np.concatenate([centre - DOT, centre + DOT])
            picture = draw_boxes(picture, dot[None], "black", thickness=3)
        for frame, color in ((0, "gray"), (frames - 1, "gray"), (self.frame.value, "red")):
            picture = draw_boxes(picture, boxes[frame : frame + 1], color)
        return picture[0]

    def _ground(self) -> Picture:
        """What the path is drawn on."""
        if self.own is not None and (self.own.prompt, self.own.seed) == (self.prompt.value, self.seed.value):
            return self.own.video[min(self.frame.value, len(self.own.video) - 1)]
        if self.clip is not None:
            return np.full_like(self.clip.video[0], BLANK)  # another model's default may not be the clip's size
        return np.full((self.model.defaults.height, self.model.defaults.width, 3), BLANK, np.uint8)

    def _arrange(self) -> None:
        """Observe the controls, and put them in rows."""
        rows = [
            [self.prompt, self.word],
            [self.start_x, self.start_y, self.start_size],
            [self.end_x, self.end_y, self.end_size],
            [self.middle_x, self.middle_y, self.by_middle],
            [self.seed, self.strength],
        ]
        self.prompt.observe(self._offer, names="value")
        for control in sum(rows, []):
            control.observe(self.refresh, names="value")
        rows[-1] += [self.run_button, self.frame, self.play]
        self.children = [*map(widgets.HBox, rows), self.message, self.image]

    def _offer(self, _change: dict) -> None:
        """The words of the prompt become the choices of the word."""
        self.word.options = words(self.prompt.value)

    def _settings(self) -> dict[str, Any]:
        """What the controls say."""
        names = ("prompt", "word", "seed", "strength")
        return {"track": self.track()} | {name: getattr(self, name).value for name in names}

    def _describe(self) -> str:
        """What the pictures are, from the settings with which the clip was made."""
        if self.clip is None:
            return "The path, the box of this frame in red. Press <b>Run</b>."
        word, prompt = html.escape(self._shown["word"]), html.escape(self._shown["prompt"])
        made = f"<b>{word}</b> of “{prompt}”, seed {self._shown['seed']}, strength {self._shown['strength']:g}"
        changed = "" if self._shown == self._settings() else " (the controls have changed since: press <b>Run</b>)"
        return f"The path | {made} | its map{changed}"


def _slider(value: float, name: str, low: float = 0.0) -> widgets.FloatSlider:
    """A slider for a share of the picture."""
    return widgets.FloatSlider(value, min=low, max=1, step=0.01, description=name, layout=SLIDER)


def _side(size: tuple[float, float]) -> float:
    """The side of a square as large as a box."""
    width, height = size
    return float(np.sqrt(width * height))
