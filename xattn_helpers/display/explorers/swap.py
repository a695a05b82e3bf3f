"""An explorer for swapping attention maps: controls that only change traits.

From Python: `explorer = SwapExplorer(model)`, `explorer.window.value = (0, 0.5)`, `explorer.run()`; then
`explorer.clip`, `explorer.own` and `explorer.picture` are what is seen.
"""

import html
from typing import Any

import ipywidgets as widgets

from ...arguments import checked
from ...backbones.model import Model
from ...edits.swap import Swap
from ...sampling import Clip, generate
from ..pixels import side_by_side
from .panel import EVERYTHING, PROMPT_LOOK, SEED_LOOK, Panel, WidgetSeed, cell_choices, check_text, chosen, words

PICTURE_HEIGHT = 220  # CSS pixels of the three clips side by side
GAP = 4  # white pixels between the clips


class SwapExplorer(Panel):
    """Give a word of one prompt the maps of a word of another, and see the source, the target's own clip and the swap.

    The model runs when `run` is called or the button pressed, and only if a control changed since; the target's own
    clip is made again for another prompt or seed alone. What a user gets wrong is said in `message`, not raised, and a
    word that is not in its prompt before the model runs.

    Controls, each with a `value`: source, prompt, source_word, word, seed, window, group, cells (latent cells a map
    cell, shown as the size of the maps), frame; button: run_button; player: play. Results: clip, with the source in
    `clip.source`; own; picture, uint8 (height, width, 3): source, own and swapped side by side, None before the first
    run.
    """

    @checked
    def __init__(
        self, model: Model, source: str = "a truck drives on the road", prompt: str = "a car drives on the road",
        source_word: str = "truck", word: str = "car", seed: WidgetSeed = 0,
    ):  # fmt: skip
        super().__init__(model.defaults.frames, PICTURE_HEIGHT, "Generate source, target and swapped clip")
        self.model = model
        self.clip: Clip | None = None
        self.own: Clip | None = None
        self._shown: dict[str, Any] = {}  # the controls of the clip that is there
        self.source = widgets.Text(source, description="source", layout=PROMPT_LOOK)
        self.prompt = widgets.Text(prompt, description="target", layout=PROMPT_LOOK)
        self.source_word = widgets.Combobox(value=source_word, description="maps of", ensure_option=False)
        self.word = widgets.Combobox(value=word, description="go to", ensure_option=False)
        self.seed = widgets.BoundedIntText(seed, min=0, max=2**31 - 1, description="seed", layout=SEED_LOOK)
        self.window = widgets.FloatRangeSlider(value=(0.0, 1.0), min=0, max=1, step=0.05, description="window")
        self.group = widgets.Dropdown(options=[EVERYTHING, *model.groups], description="group")
        self.cells = widgets.Dropdown(options=cell_choices(model), description="maps")
        self.source.observe(self._offer, names="value")
        self.prompt.observe(self._offer, names="value")
        self._offer()
        self.children = [
            widgets.HBox([self.source, self.source_word]),
            widgets.HBox([self.prompt, self.word]),
            widgets.HBox([self.window, self.group, self.cells]),
            widgets.HBox([self.seed, self.run_button, self.frame, self.play]),
            self.message,
            self.image,
        ]

    def __repr__(self) -> str:
        """What a stored notebook shows, where no kernel is: one line."""
        return f"SwapExplorer({self.source.value!r}, {self.prompt.value!r}); run this notebook to use it"

    def swap(self) -> Swap:
        """The swap that the controls describe. Raises ValueError for one that is not possible."""
        return Swap(
            self.source_word.value,
            self.word.value,
            source=self.source.value,
            window=self.window.value,
            groups=chosen(self.group),
            cells=chosen(self.cells),
        )

    def run(self, _button: widgets.Button | None = None) -> None:
        """Generate what the controls describe, unless it is the clip that is there."""
        if self.clip is not None and self._shown == self._settings():
            return self.refresh()
        with self.running():
            prompt, seed = self.prompt.value, self.seed.value
            check_text(self.model, self.source.value, self.source_word.value, "source")
            check_text(self.model, prompt, self.word.value, "target")
            clip = generate(self.model, prompt, seed=seed, edits=self.swap(), progress=False)
            own = self.own
            if own is None or (own.prompt, own.seed) != (prompt, seed):
                own = generate(self.model, prompt, seed=seed, progress=False)
            self.explore(clip, own)

    @checked
    def explore(self, clip: Clip, own: Clip) -> None:
        """Show a swapped clip, with its source in `clip.source`, beside its own; the model does not run.

        The controls of the swap itself must be those with which it was made: a clip does not know them. Raises
        ValueError for a clip without a source.
        """
        if clip.source is None:
            raise ValueError("clip: it has no source; possible are clips made with edits=Swap(…, source=…)")
        self.clip, self.own = clip, own
        self.source.value, self.prompt.value, self.seed.value = clip.source.prompt, clip.prompt, clip.seed
        self.has_frames(len(clip.video))
        self._shown = self._settings()
        self.refresh()

    def refresh(self, _change: dict | None = None) -> None:
        """Draw the chosen frame of the clips that are there."""
        if self.clip is None or self.clip.source is None or self.own is None:
            return
        videos = (self.clip.source.video, self.own.video, self.clip.video)
        self.draw(side_by_side([video[self.frame.value] for video in videos], GAP))
        self.message.value = self._describe()

    def _offer(self, _change: dict | None = None) -> None:
        """The words of the prompts become the choices of the words."""
        self.source_word.options = words(self.source.value)
        self.word.options = words(self.prompt.value)

    def _settings(self) -> dict[str, Any]:
        """What the controls say, by their names."""
        names = ("source", "prompt", "source_word", "word", "seed", "window", "group", "cells")
        return {name: getattr(self, name).value for name in names}

    def _describe(self) -> str:
        """What the three pictures are, from the settings with which the clip was made."""
        source, prompt, source_word, word = (
            html.escape(self._shown[name]) for name in ("source", "prompt", "source_word", "word")
        )
        first, last = self._shown["window"]
        sizes = {cells: size for size, cells in self.cells.options}
        where = f"group: {self._shown['group']}, maps: {sizes[self._shown['cells']]}"
        swapped = f"<b>{word}</b> with the maps of <b>{source_word}</b> ({where}, steps from {first:.0%} to {last:.0%})"
        return f"“{source}” | “{prompt}” | {swapped}"
