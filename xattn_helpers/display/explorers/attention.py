"""An explorer of recorded attention.

Run it with the button, or from Python: `explorer = AttentionExplorer(model)`, `explorer.run()`,
`explorer.word.value = "water"`; then `explorer.maps` and `explorer.picture` are what is seen.
"""

import html
from typing import Any

import ipywidgets as widgets
import numpy as np
from IPython.display import HTML
from jaxtyping import Float
from torch import Tensor

from ...arguments import checked
from ...attention.recorded import RecordedRun
from ...attention.recording import Recording, capture
from ...backbones.model import Model
from ...sampling import Clip
from ..overlays import heatmaps, overlay
from ..pixels import at_frames
from ..players import attention_player
from .choices import EVERYTHING, WordButtons, chosen, offer, words
from .code import cell
from .panel import Panel, WidgetSeed

PICTURE_HEIGHT = 200  # CSS pixels; the browser enlarges, so that little data travels


class AttentionExplorer(Panel):
    """Generate a clip and look at the cross-attention of any word, frame, size of maps and step.

    The model runs when `run` is called or the button pressed, and only if prompt or seed are new; all other controls
    cut another slice out of what was recorded. What a user gets wrong is said in `message`, not raised, and a word that
    is not in the prompt before the model runs.

    Controls, each with a `value`: prompt, seed, word, frame, cells (latent cells a map cell, shown as the size of the
    maps), step; buttons: run_button, stop_button. Results: clip; recording; maps, float (frames, h, w) in [0, 1];
    picture, uint8 (height, width, 3): frame, overlay and map side by side. `maps` is None while there is nothing to
    show.
    """

    @checked
    def __init__(
        self, model: Model, prompt: str = "a burger floats on the water", word: str = "burger", seed: WidgetSeed = 0
    ):
        super().__init__(model, prompt, seed, PICTURE_HEIGHT, "Generate a clip and record its cross-attention")
        self.recording: Recording | RecordedRun | None = None
        self.maps: Float[Tensor, "frames h w"] | None = None
        self.word = widgets.Combobox(
            value=word, options=words(prompt), description="word", continuous_update=False, ensure_option=False
        )
        self.choices = WordButtons(self.word)
        self.cells = widgets.Dropdown(options=[(EVERYTHING, EVERYTHING)], description="maps")
        self.step = widgets.SelectionSlider(options=[EVERYTHING], description="step", continuous_update=False)
        self.prompt.observe(self._offer_words, names="value")
        for control in (self.word, self.cells, self.step):
            control.observe(self.refresh, names="value")
        self.arrange([self.prompt, self.seed], [self.word, self.choices], [self.cells, self.step])

    def __repr__(self) -> str:
        """What a stored notebook shows, where no kernel is: one line."""
        return f"AttentionExplorer({self.prompt.value!r}); run this notebook to use it"

    def make(self) -> None:
        """Generate the clip of prompt and seed and record it."""
        settings = self.read()
        self.progress.expect(1)
        with capture(self.model, every_step=True, words=words(settings["prompt"])) as recording:
            clip = self.generate(settings["prompt"], settings["seed"])
        self._have(clip, recording, settings)

    @checked
    def explore(self, clip: Clip, recording: Recording | RecordedRun) -> None:
        """Show a clip and what `capture` recorded of it, without running the model; single steps need every_step.

        Of a capture of several runs take that of the clip, as `attention.runs[0]`; else ValueError says so.
        """
        self._sizes(recording)  # refused before anything changes
        self.recording = None
        self.prompt.value, self.seed.value = clip.prompt, clip.seed
        self._have(clip, recording, self.read())

    def code(self) -> str:
        """The cell that makes the clip, and shows the maps of the word over it."""
        word, cells, step = self.word.value, chosen(self.cells), chosen(self.step)
        return cell(
            self.model, ["capture", "generate", "show"],
            f"with capture(model{'' if step is None else ', every_step=True'}) as attention:",
            f"    clip = generate(model, {self.prompt.value!r}, seed={self.seed.value})",
            f"maps = attention.maps({word!r}, cells={cells}, step={step})",
            "show(clip, overlay(clip, maps))",
            display=["overlay"],
        )  # fmt: skip

    def stored_player(self) -> HTML | None:
        """The attention of all words, by group, step and frame."""
        if self.clip is None or self.recording is None:
            return None
        return attention_player(self.clip, self.recording, self.word.value if self.maps is not None else "")

    def refresh(self, _change: dict | None = None) -> None:
        """Show the word, frame, size and step of the controls, from what was recorded."""
        if self.clip is None or self.recording is None:
            return self.changed()
        video = self.clip.video
        try:
            self.maps = self._slice(self.recording)
        except ValueError:  # a word that is not in the prompt; `changed` says so
            self.maps = None
            self.show(video, [""])
        else:
            maps = at_frames(self.maps, len(video))
            bare = heatmaps(maps, size=max(video.shape[1:3]))  # all frames share one scale of colours
            self.show(np.concatenate([video, overlay(video, maps), bare], axis=2), ["clip", "both", "map"])
        self.changed()

    def describe(self) -> str:
        """What is seen, and the highest number of the map that is shown."""
        assert self.clip is not None and self.recording is not None
        if self.maps is None:
            return f"There are no maps of <b>{html.escape(self.word.value)}</b> yet"
        shown = at_frames(self.maps, len(self.clip.video))[self.frame.value]
        index = chosen(self.step)
        when = "mean of all steps" if index is None else f"t = {self.recording.steps[index].timestep:g}"
        height, width = shown.shape
        word, prompt = html.escape(self.word.value), html.escape(self.clip.prompt)
        return f"<b>{word}</b> of “{prompt}”: {height} × {width}, {when}, at most {float(shown.max()):.2f}"

    def _have(self, clip: Clip, recording: Recording | RecordedRun, settings: dict[str, Any]) -> None:
        """Offer what was recorded, and show it."""
        steps = range(len(recording.steps) if recording.every_step else 0)
        self.recording = None  # until all controls are there: each of them redraws
        sizes = self._sizes(recording)
        self._offer_words()
        offer(self.cells, sizes)
        offer(self.step, [EVERYTHING, *steps])
        self.recording = recording
        self.have(clip, settings)

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

    def _slice(self, recording: Recording | RecordedRun) -> Float[Tensor, "frames h w"]:
        """The maps of the word at the chosen size and step."""
        return recording.maps(self.word.value, cells=chosen(self.cells), step=chosen(self.step)).cpu()
