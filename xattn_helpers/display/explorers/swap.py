"""An explorer for swapping attention maps: controls that only change traits.

From Python: `explorer = SwapExplorer(model)`, `explorer.window.value = (0, 0.5)`, `explorer.run()`; then
`explorer.clip`, `explorer.own` and `explorer.picture` are what is seen.
"""

import html

import ipywidgets as widgets
from IPython.display import HTML

from ...arguments import checked
from ...backbones.model import Model
from ...edits.swap import Swap
from ...sampling import Clip
from ..pixels import rows_of
from ..players import swap_player
from .choices import EVERYTHING, WordButtons, cell_choices, check_text, chosen, offer, words
from .code import cell, knobs_text
from .panel import PROMPT_LOOK, Panel, WidgetSeed

PICTURE_HEIGHT = 220  # CSS pixels of the three clips side by side
GAP = 4  # white pixels between the clips


class SwapExplorer(Panel):
    """Give a word of one prompt the maps of a word of another, and see the source, the target's own clip and the swap.

    The model runs when `run` is called or the button pressed, and only if a control changed since; the target's own
    clip is made again for another prompt or seed alone. What a user gets wrong is said in `message`, not raised, and a
    word that is not in its prompt before the model runs.

    Controls, each with a `value`: source, prompt, source_word, word, seed, window, group, cells (latent cells a map
    cell, shown as the size of the maps), frame; buttons: run_button, stop_button. Results: clip, with the source in
    `clip.source`; own; picture, uint8 (height, width, 3): source, own and swapped side by side, None before the first
    run.
    """

    CONTROLS = ("source", "prompt", "source_word", "word", "seed", "window", "group", "cells")
    RESULTS = ("clip", "own")

    @checked
    def __init__(
        self, model: Model, source: str = "a truck drives on the road", prompt: str = "a car drives on the road",
        source_word: str = "truck", word: str = "car", seed: WidgetSeed = 0,
    ):  # fmt: skip
        super().__init__(model, prompt, seed, PICTURE_HEIGHT, "Generate source, target and swapped clip")
        self.own: Clip | None = None
        self.prompt.description = "target"
        self.source = widgets.Text(source, description="source", layout=PROMPT_LOOK)
        self.source_word = widgets.Combobox(value=source_word, description="maps of", ensure_option=False)
        self.word = widgets.Combobox(value=word, description="go to", ensure_option=False)
        self.window = widgets.FloatRangeSlider(value=(0.0, 1.0), min=0, max=1, step=0.05, description="window")
        self.group = widgets.Dropdown(options=[EVERYTHING, *model.groups], description="group")
        self.cells = widgets.Dropdown(options=cell_choices(model), description="maps")
        self.source.observe(self._offer, names="value")
        self.prompt.observe(self._offer, names="value")
        self.group.observe(self._offer_cells, names="value")
        self._offer()
        self.arrange(
            [self.source, self.source_word, WordButtons(self.source_word)],
            [self.prompt, self.word, WordButtons(self.word)],
            [self.seed, self.window, self.group, self.cells],
        )

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

    def check(self) -> None:
        """Raise ValueError for words that are not in their prompts, and for a window without a step."""
        check_text(self.model, self.source.value, self.source_word.value, "source")
        check_text(self.model, self.prompt.value, self.word.value, "target")
        first, last = self.window.value
        steps = self.model.defaults.steps
        if round(first * steps) >= round(last * steps):
            raise ValueError(f"window: from {first:.0%} to {last:.0%} given; it needs one of the {steps} steps or more")

    def make(self) -> None:
        """Generate source and target, and unless it is there, the target on its own."""
        settings, prompt, seed, own = self.read(), self.prompt.value, self.seed.value, self.own
        if own is not None and (own.prompt, own.seed) != (prompt, seed):
            own = None
        self.progress.expect(1 if own is not None else 2)
        clip = self.generate(prompt, seed, self.swap())
        self.own = own or self.generate(prompt, seed)
        self.have(clip, settings)

    def code(self) -> str:
        """The cell that makes the swapped clip, and shows it beside its source."""
        knobs = {"window": self.window.value, "groups": chosen(self.group), "cells": chosen(self.cells)}
        usual = {"window": (0.0, 1.0), "groups": None, "cells": None}
        words = f"{self.source_word.value!r}, {self.word.value!r}, source={self.source.value!r}"
        return cell(
            self.model, ["Swap", "generate", "show"],
            f"swap = Swap({words}{knobs_text(knobs, usual)})",
            f"clip = generate(model, {self.prompt.value!r}, seed={self.seed.value}, edits=swap)",
            "show(clip.source, clip)",
        )  # fmt: skip

    def label(self) -> str:
        """A name for a run in the history."""
        return f"{self.source_word.value} to {self.word.value}, seed {self.seed.value}"

    @checked
    def explore(self, clip: Clip, own: Clip) -> None:
        """Show a swapped clip, with its source in `clip.source`, beside its own; the model does not run.

        The controls of the swap itself must be those with which it was made: a clip does not know them. Raises
        ValueError for a clip without a source.
        """
        if clip.source is None:
            raise ValueError("clip: it has no source; possible are clips made with edits=Swap(…, source=…)")
        self.source.value, self.prompt.value, self.seed.value = clip.source.prompt, clip.prompt, clip.seed
        self.own = own
        self.have(clip)

    def stored_player(self) -> HTML | None:
        """Before and after the swap, with a slider."""
        return None if self.clip is None or self.own is None else swap_player(self.clip, self.own)

    def refresh(self, _change: dict | None = None) -> None:
        """Show the clips that are there."""
        if self.clip is None or self.clip.source is None or self.own is None:
            return
        videos = [self.clip.source.video, self.own.video, self.clip.video]
        self.show(rows_of(videos, GAP), ["source", "target", "swapped"])

    def _offer(self, _change: dict | None = None) -> None:
        """The words of the prompts become the choices of the words."""
        self.source_word.options = words(self.source.value)
        self.word.options = words(self.prompt.value)

    def _offer_cells(self, _change: dict) -> None:
        """A group has maps of some sizes alone."""
        offer(self.cells, cell_choices(self.model, self.group.value))

    def describe(self) -> str:
        """What the three pictures are, from the settings with which the clip was made."""
        source, prompt, source_word, word = (
            html.escape(self.settings[name]) for name in ("source", "prompt", "source_word", "word")
        )
        first, last = self.settings["window"]
        sizes = {cells: size for size, cells in cell_choices(self.model)}
        where = f"group: {self.settings['group']}, maps: {sizes[self.settings['cells']]}"
        swapped = f"<b>{word}</b> with the maps of <b>{source_word}</b> ({where}, steps from {first:.0%} to {last:.0%})"
        return f"“{source}” | “{prompt}” | {swapped}"
