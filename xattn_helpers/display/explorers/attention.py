"""An explorer of recorded attention.

Run it with the button, or from Python: `explorer = AttentionExplorer(model)`, `explorer.run()`,
`explorer.word.value = "water"`; then `explorer.maps` and `explorer.picture` are what is seen.
"""

import html
from typing import Any

import ipywidgets as widgets
from jaxtyping import Float
from torch import Tensor

from ...arguments import checked
from ...attention.recorded import RecordedRun
from ...attention.recording import Recording, capture
from ...backbones.model import Model
from ...sampling import Clip, generate
from ..overlays import heatmaps, overlay
from ..pixels import at_frames, side_by_side
from .panel import EVERYTHING, PROMPT_LOOK, SEED_LOOK, Panel, WidgetSeed, check_text, chosen, offer, words

PICTURE_HEIGHT = 200  # CSS pixels; the browser enlarges, so that little data travels


class AttentionExplorer(Panel):
    """Generate a clip and look at the cross-attention of any word, frame, size of maps and step.

    The model runs when `run` is called or the button pressed, and only if prompt or seed are new; all other controls
    cut another slice out of what was recorded. What a user gets wrong is said in `message`, not raised, and a word that
    is not in the prompt before the model runs.

    Controls, each with a `value`: prompt, seed, word, frame, cells (latent cells a map cell, shown as the size of the
    maps), step; button: run_button; player: play. Results: clip; recording; maps, float (frames, h, w) in [0, 1];
    picture, uint8 (height, width, 3): frame, overlay and map side by side. `maps` is None while there is nothing to
    show.
    """

    @checked
    def __init__(
        self, model: Model, prompt: str = "a burger floats on the water", word: str = "burger", seed: WidgetSeed = 0
    ):
        super().__init__(model.defaults.frames, PICTURE_HEIGHT, "Generate a clip and record its cross-attention")
        self.model = model
        self.clip: Clip | None = None
        self.recording: Recording | RecordedRun | None = None
        self.maps: Float[Tensor, "frames h w"] | None = None
        self.prompt = widgets.Text(prompt, description="prompt", layout=PROMPT_LOOK)
        self.seed = widgets.BoundedIntText(seed, min=0, max=2**31 - 1, description="seed", layout=SEED_LOOK)
        self.word = widgets.Combobox(
            value=word, options=words(prompt), description="word", continuous_update=False, ensure_option=False
        )
        self.cells = widgets.Dropdown(options=[(EVERYTHING, EVERYTHING)], description="maps")
        self.step = widgets.SelectionSlider(options=[EVERYTHING], description="step", continuous_update=False)
        self.prompt.observe(self._offer_words, names="value")
        for control in (self.word, self.cells, self.step):
            control.observe(self.refresh, names="value")
        self.children = [
            widgets.HBox([self.prompt, self.seed, self.run_button]),
            widgets.HBox([self.word, self.cells]),
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
            check_text(self.model, self.prompt.value, self.word.value)
            with capture(self.model, every_step=True, words=words(self.prompt.value)) as recording:
                clip = generate(self.model, self.prompt.value, seed=self.seed.value, progress=False)
            self.explore(clip, recording)

    @checked
    def explore(self, clip: Clip, recording: Recording | RecordedRun) -> None:
        """Show a clip and what `capture` recorded of it, without running the model; single steps need every_step.

        Of a capture of several runs take that of the clip, as `attention.runs[0]`; else ValueError says so.
        """
        sizes, steps = self._sizes(recording), range(len(recording.steps) if recording.every_step else 0)
        self.clip, self.recording = clip, recording
        self.prompt.value, self.seed.value = clip.prompt, clip.seed
        self.has_frames(len(clip.video))
        self._offer_words()
        offer(self.cells, sizes)
        offer(self.step, [EVERYTHING, *steps])
        self.refresh()

    def refresh(self, _change: dict | None = None) -> None:
        """Show the word, frame, size and step of the controls, from what was recorded."""
        if self.clip is None or self.recording is None:
            return
        video, index = self.clip.video, self.frame.value
        try:
            self.maps = self._slice(self.recording)
        except ValueError as error:  # a word that is not in the prompt
            self.maps = None
            self.say("The clip of the new prompt is not there yet: press Run." if self._is_new_word() else error)
            return self.draw(video[index])
        maps = at_frames(self.maps, len(video))
        lit = overlay(video, maps)[index]  # all frames share one scale of colours
        bare = heatmaps(maps, size=max(video.shape[1:3]))[index]
        self.draw(side_by_side([video[index], lit, bare]))
        self.message.value = self._describe(maps[index])

    def _sizes(self, recording: Recording | RecordedRun) -> list[tuple[str, Any]]:
        """The sizes of the maps that were recorded as choices, largest first."""
        sizes = {}
        for site in recording.sites():
            height, width = recording.size(site)
            sizes[self.model.backbone.cells(site)] = f"{height} × {width}"
        choices: list[tuple[str, Any]] = [(EVERYTHING, EVERYTHING)]
        for cells in sorted(sizes):
            choices.append((sizes[cells], cells))
        return choices

    def _offer_words(self, _change: dict | None = None) -> None:
        self.word.options = words(self.prompt.value)

    def _is_new_word(self) -> bool:
        """Whether the word is one of a prompt that did not run yet."""
        assert self.clip is not None
        return self.prompt.value != self.clip.prompt and self.word.value in words(self.prompt.value)

    def _slice(self, recording: Recording | RecordedRun) -> Float[Tensor, "frames h w"]:
        """The maps of the word at the chosen size and step."""
        return recording.maps(self.word.value, cells=chosen(self.cells), step=chosen(self.step)).cpu()

    def _describe(self, shown: Float[Tensor, "h w"]) -> str:
        """What is seen, and the highest number of the map that is shown."""
        assert self.clip is not None and self.recording is not None
        index = chosen(self.step)
        when = "mean of all steps" if index is None else f"t = {self.recording.steps[index].timestep:g}"
        height, width = shown.shape
        word, prompt = html.escape(self.word.value), html.escape(self.clip.prompt)
        return f"<b>{word}</b> of “{prompt}”: {height} × {width}, {when}, at most {float(shown.max()):.2f}"
