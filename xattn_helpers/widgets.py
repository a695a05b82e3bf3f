"""Explorers: widgets over the calls that the notebooks make. They work with ipywidgets 7.7 and 8.

A control only changes traits of other widgets (`Image.value`, `HTML.value`, options); nothing is printed, and nothing
is captured in an `Output`. So everything can also be done and checked in Python, where no browser is:

    explorer = AttentionExplorer(model)
    explorer.run()
    explorer.word.value = "water"
    explorer.maps, explorer.picture
"""

import html

import ipywidgets as widgets
import numpy as np
from torch import Tensor

from .display import heatmaps, overlay
from .panel import PROMPT_LOOK, SEED_LOOK, Panel, words
from .recording import Recording, capture
from .sampling import Clip, generate

PICTURE_HEIGHT = 200  # CSS pixels; the browser enlarges, so that little data travels
EVERYTHING = "all"  # of the resolutions, or of the steps


class AttentionExplorer(Panel):
    """Generate a clip and look at the cross-attention of any word, frame, resolution and step.

    The model runs when `run` is called or the button pressed, and only if prompt or seed are new; all other controls
    cut another slice out of what was recorded. What a user gets wrong is said in `message`, not raised.

    Controls, each with a `value`: prompt, seed, word, frame, resolution, step; button: run_button; player: play.
    Results: clip; recording; maps, float (frames, h, w) in [0, 1]; picture, uint8 (height, width, 3): frame, overlay
    and map side by side. `maps` is None while there is nothing to show.
    """

    def __init__(self, model, prompt: str = "a burger floats on the water", word: str = "burger", seed: int = 0):
        super().__init__(model.defaults.frames, PICTURE_HEIGHT, "Generate a clip and record its cross-attention")
        self.model = model
        self.clip: Clip | None = None
        self.recording: Recording | None = None
        self.maps: Tensor | None = None
        self.prompt = widgets.Text(prompt, description="prompt", layout=PROMPT_LOOK)
        self.seed = widgets.BoundedIntText(seed, min=0, max=2**31 - 1, description="seed", layout=SEED_LOOK)
        self.word = widgets.Combobox(value=word, description="word", continuous_update=False, ensure_option=False)
        self.resolution = widgets.Dropdown(options=[EVERYTHING], description="resolution")
        self.step = widgets.SelectionSlider(options=[EVERYTHING], description="step", continuous_update=False)
        for control in (self.word, self.resolution, self.step):
            control.observe(self.refresh, names="value")
        self.children = [
            widgets.HBox([self.prompt, self.seed, self.run_button]),
            widgets.HBox([self.word, self.resolution]),
            widgets.HBox([self.step, self.frame, self.play]),
            self.message,
            self.image,
        ]

    def __repr__(self) -> str:
        """What a stored notebook shows, where no kernel is: one line."""
        return f"AttentionExplorer({self.prompt.value!r}); run this notebook to use it"

    def run(self, _button: widgets.Button | None = None) -> None:
        """Generate the clip of prompt and seed and record it, unless that is the clip that is there."""
        if self.clip is not None and (self.clip.prompt, self.clip.seed) == (self.prompt.value, self.seed.value):
            return self.refresh()
        with self.running():
            with capture(self.model, every_step=True) as recording:
                clip = generate(self.model, self.prompt.value, seed=self.seed.value, progress=False)
            self.explore(clip, recording)

    def explore(self, clip: Clip, recording: Recording) -> None:
        """Show a clip and what `capture` recorded of it, without running the model; single steps need every_step."""
        self.clip, self.recording = clip, recording
        self.prompt.value, self.seed.value = clip.prompt, clip.seed
        self._offer()
        self.refresh()

    def refresh(self, _change: dict | None = None) -> None:
        """Show the word, frame, resolution and step of the controls, from what was recorded."""
        if self.recording is None:
            return
        frame = self.clip.video[self.frame.value]
        try:
            self.maps = self._slice()
        except ValueError as error:  # a word that is not in the prompt
            self.maps = None
            self.say(error)
            return self.draw(frame)
        lit = overlay(self.clip.video, self.maps)[self.frame.value]  # all frames share one scale of colours
        bare = heatmaps(self.maps, size=max(frame.shape[:2]))[self.frame.value]
        self.draw(np.concatenate([frame, lit, bare], axis=1))
        self._describe()

    def _offer(self) -> None:
        """The words, resolutions and steps of this recording become the choices of the controls."""
        heights = {self.recording.probabilities(layer).shape[3] for layer in self.recording.select()}
        steps = range(len(self.recording.steps)) if self.recording.every_step else ()
        self.has_frames(len(self.clip.video))
        self.word.options = words(self.clip.prompt)
        _set_options(self.resolution, [EVERYTHING, *sorted(heights, reverse=True)])
        _set_options(self.step, [EVERYTHING, *steps])

    def _slice(self) -> Tensor:
        """The maps of the word, (frames, h, w), at the chosen resolution and step."""
        resolution, step = (None if one.value == EVERYTHING else one.value for one in (self.resolution, self.step))
        return self.recording.maps(self.word.value, resolution=resolution, step=step).cpu()

    def _describe(self) -> None:
        index = self.step.value
        when = "mean of all steps" if index == EVERYTHING else f"t = {self.recording.steps[index].timestep}"
        height, width = self.maps.shape[-2:]
        most = float(self.maps[self.frame.value].max())
        word, prompt = html.escape(self.word.value), html.escape(self.clip.prompt)
        self.message.value = f"<b>{word}</b> of “{prompt}”: {height} × {width}, {when}, at most {most:.2f}"


def _set_options(control: widgets.Widget, options: list) -> None:
    """New choices; the chosen one stays when it is among them."""
    before = control.value
    if list(control.options) != options:
        control.options = options
        control.value = before if before in options else options[0]
