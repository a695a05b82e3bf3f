"""An explorer for tracks, made like those of `widgets`: set a path with sliders, then let guidance follow it.

    explorer = TrackExplorer(model, "a duck swims on the water", "duck")
    explorer.end_x.value, explorer.end_size.value = 0.8, 0.5  # the preview changes at once
    explorer.run()
    explorer.clip, explorer.maps, explorer.picture
"""

import html

import ipywidgets as widgets
import numpy as np
from torch import Tensor

from .backward import Guidance
from .display import draw_boxes, heatmaps
from .panel import PROMPT_LOOK, SEED_LOOK, Panel, beside, words
from .recording import capture
from .sampling import Clip, generate
from .targets import Track, track

PICTURE_HEIGHT = 220  # CSS pixels of the pictures side by side
GAP = 4  # white pixels between them
BLANK = 235  # grey of the preview when there is no unguided clip
DOT = 0.012  # half the side of a dot of the path, in parts of the picture
SLIDER = {"width": "290px"}
START, END = (0.25, 0.25), (0.75, 0.75)


class TrackExplorer(Panel):
    """Lead a word along a path: start, end and, if wanted, a point in the middle, with a size at start and end.

    The preview on the left draws the path and the box of the frame at once, over the unguided clip if `explore` was
    given one. The model runs when `run` is called or the button pressed, and only if a control changed since; then
    follow the guided frame and the word's map, both with the box they were asked for. What a user gets wrong is said in
    `message`, not raised.

    Controls, each with a `value`: prompt, word, seed, strength, start_x, start_y, end_x, end_y, by_middle, middle_x,
    middle_y, start_size, end_size, frame; button: run_button; player: play. Results: clip and maps, float (frames, h,
    w), both None before the first run; asked, the track of that clip; picture, uint8 (height, width, 3).
    """

    def __init__(self, model, prompt: str = "a burger floats on the water", word: str = "burger", seed: int = 0):
        super().__init__(model.defaults.frames, PICTURE_HEIGHT, "Generate the guided clip")
        self.model = model
        self.clip: Clip | None = None
        self.own: Clip | None = None  # the unguided clip
        self.maps: Tensor | None = None
        self.asked: Track | None = None
        self._shown = None  # the controls of the clip that is there
        self.prompt = widgets.Text(prompt, description="prompt", layout=PROMPT_LOOK)
        self.word = widgets.Combobox(value=word, description="word", options=words(prompt), ensure_option=False)
        self.seed = widgets.BoundedIntText(seed, min=0, max=2**31 - 1, description="seed", layout=SEED_LOOK)
        self.strength = widgets.FloatText(Guidance.strength, description="strength", layout=SEED_LOOK)
        self.start_x, self.start_y = _slider(START[0], "start x"), _slider(START[1], "start y")
        self.end_x, self.end_y = _slider(END[0], "end x"), _slider(END[1], "end y")
        self.by_middle = widgets.Checkbox(False, description="by a middle point", indent=False, layout=SEED_LOOK)
        self.middle_x, self.middle_y = _slider(0.5, "middle x"), _slider(0.5, "middle y")
        self.start_size, self.end_size = _slider(0.35, "start size", least=0.05), _slider(0.35, "end size", least=0.05)
        self._arrange()
        self.refresh()

    def __repr__(self) -> str:
        """What a stored notebook shows, where no kernel is: one line."""
        return f"TrackExplorer({self.prompt.value!r}, {self.word.value!r}); run this notebook to use it"

    def track(self) -> Track:
        """The track that the controls describe; the size at a middle point is the mean of both."""
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
            path, word = self.track(), self.word.value
            guidance = Guidance(word, path, strength=self.strength.value)
            with capture(self.model, resolution=guidance.resolutions) as attention:
                options = {"seed": self.seed.value, "guidance": guidance, "progress": False}
                clip = generate(self.model, self.prompt.value, **options)
            self._have(clip, attention.maps(word).cpu(), path)

    def explore(self, clip: Clip, maps: Tensor, asked: Track, own: Clip | None = None) -> None:
        """Show a guided clip, the maps of `word`, the track it was asked for, and its unguided twin; nothing runs.

        The sliders go to the first, the last and, of three, the middle key of the track. `word` and `strength` must be
        those with which it was made: a clip does not know them.
        """
        self.clip, self.own = None, own  # until all sliders are there: each of them redraws
        self.prompt.value, self.seed.value = clip.prompt, clip.seed
        (self.start_x.value, self.start_y.value), (self.end_x.value, self.end_y.value) = asked.keys[0], asked.keys[-1]
        for slider, (width, height) in ((self.start_size, asked.sizes[0]), (self.end_size, asked.sizes[-1])):
            slider.value = float(np.sqrt(width * height))
        self.by_middle.value = len(asked.keys) == 3
        if self.by_middle.value:
            self.middle_x.value, self.middle_y.value = asked.keys[1]
        self._have(clip, maps, asked)

    def refresh(self, _change: dict | None = None) -> None:
        """Draw the path that is set and, at the chosen frame, the clip that is there."""
        frames = self.frame.max + 1
        pictures = [self._preview(frames)]
        if self.clip is not None:
            heat = heatmaps(self.maps, size=max(self.clip.video.shape[1:3]))
            boxes = self.asked.boxes(frames)
            pictures += [draw_boxes(video, boxes)[self.frame.value] for video in (self.clip.video, heat)]
        self.draw(beside(pictures, GAP))
        self.message.value = self._describe()

    def _have(self, clip: Clip, maps: Tensor, asked: Track) -> None:
        """This is the clip that the controls describe now."""
        self.clip, self.maps, self.asked, self._shown = clip, maps, asked, self._settings()
        self.has_frames(len(clip.video))
        self.refresh()

    def _preview(self, frames: int) -> np.ndarray:
        """A frame of the unguided clip, or grey, with the path in white and the box of this frame in red."""
        height, width = self.model.defaults.height, self.model.defaults.width
        picture = np.full((height, width, 3), BLANK, np.uint8)
        if self.own is not None and (self.own.prompt, self.own.seed) == (self.prompt.value, self.seed.value):
            picture = self.own.video[min(self.frame.value, len(self.own.video) - 1)]
        elif self.clip is not None:
            picture = np.full_like(self.clip.video[0], BLANK)  # another model's default may not be the clip's size
        path = self.track()
        centres, boxes, picture = path.centres(frames), path.boxes(frames), picture[None]
        for centre in centres:
            picture = draw_boxes(picture, np.concatenate([centre - DOT, centre + DOT])[None], "black", thickness=3)
        for frame, color in ((0, "gray"), (frames - 1, "gray"), (self.frame.value, "red")):
            picture = draw_boxes(picture, boxes[frame : frame + 1], color)
        return picture[0]

    def _arrange(self) -> None:
        """Observe the controls, and put them in rows."""
        self.prompt.observe(self._offer, names="value")
        drawn = (self.start_x, self.start_y, self.end_x, self.end_y, self.by_middle, self.middle_x, self.middle_y)
        for control in (*drawn, self.start_size, self.end_size, self.prompt, self.word, self.seed, self.strength):
            control.observe(self.refresh, names="value")
        self.children = [
            widgets.HBox([self.prompt, self.word]),
            widgets.HBox([self.start_x, self.start_y, self.start_size]),
            widgets.HBox([self.end_x, self.end_y, self.end_size]),
            widgets.HBox([self.middle_x, self.middle_y, self.by_middle]),
            widgets.HBox([self.seed, self.strength, self.run_button, self.frame, self.play]),
            self.message,
            self.image,
        ]

    def _offer(self, _change: dict) -> None:
        """The words of the prompt become the choices of the word."""
        self.word.options = words(self.prompt.value)

    def _settings(self) -> tuple:
        return self.track(), self.prompt.value, self.word.value, self.seed.value, self.strength.value

    def _describe(self) -> str:
        """What the pictures are, from the settings with which the clip was made."""
        if self.clip is None:
            return "The path, the box of this frame in red. Press <b>Run</b>."
        _, prompt, word, seed, strength = self._shown
        made = f"<b>{html.escape(word)}</b> of “{html.escape(prompt)}”, seed {seed}, strength {strength:g}"
        changed = "" if self._shown == self._settings() else " (the controls have changed since: press <b>Run</b>)"
        return f"The path | {made} | its map{changed}"


def _slider(value: float, name: str, least: float = 0.0) -> widgets.FloatSlider:
    """A slider for a share of the picture."""
    return widgets.FloatSlider(value, min=least, max=1, step=0.01, description=name, layout=SLIDER)
