"""An explorer for swapping attention maps, made like those of `widgets`: controls that only change traits.

    explorer = SwapExplorer(model)
    explorer.window.value, explorer.resolution.value = (0, 0.5), 16
    explorer.run()
    explorer.clip, explorer.own, explorer.picture
"""

import html

import ipywidgets as widgets

from .attention import PLACES
from .forward import Swap
from .panel import PROMPT_LOOK, SEED_LOOK, Panel, beside, words
from .sampling import Clip, generate

PICTURE_HEIGHT = 220  # CSS pixels of the three clips side by side
EVERYTHING = "all"  # of the places, or of the resolutions
GAP = 4  # white pixels between the clips


class SwapExplorer(Panel):
    """Give a word of one prompt the maps of a word of another, and see the source, the target's own clip and the swap.

    The model runs when `run` is called or the button pressed, and only if a control changed since; the target's own
    clip is made again for another prompt or seed alone. What a user gets wrong is said in `message`, not raised.

    Controls, each with a `value`: source, prompt, source_word, word, seed, window, place, resolution, frame; button:
    run_button; player: play. Results: clip, with the source in `clip.source`; own; picture, uint8 (height, width, 3):
    source, own and swapped side by side, None before the first run.
    """

    def __init__(
        self, model, source: str = "a truck drives on the road", prompt: str = "a car drives on the road",
        source_word: str = "truck", word: str = "car", seed: int = 0,
    ):  # fmt: skip
        super().__init__(model.defaults.frames, PICTURE_HEIGHT, "Generate source, target and swapped clip")
        self.model, self.clip, self.own = model, None, None
        self._shown = None  # the controls of the clip that is there
        self.source = widgets.Text(source, description="source", layout=PROMPT_LOOK)
        self.prompt = widgets.Text(prompt, description="target", layout=PROMPT_LOOK)
        self.source_word = widgets.Combobox(value=source_word, description="maps of", ensure_option=False)
        self.word = widgets.Combobox(value=word, description="go to", ensure_option=False)
        self.seed = widgets.BoundedIntText(seed, min=0, max=2**31 - 1, description="seed", layout=SEED_LOOK)
        self.window = widgets.FloatRangeSlider(value=(0.0, 1.0), min=0, max=1, step=0.05, description="window")
        self.place = widgets.Dropdown(options=[EVERYTHING, *PLACES], description="place")
        self.resolution = widgets.Dropdown(options=[EVERYTHING, *_heights(model)], description="resolution")
        for prompt_of, word_of in ((self.source, self.source_word), (self.prompt, self.word)):
            prompt_of.observe(self._offer, names="value")
            word_of.options = words(prompt_of.value)
        self.children = [
            widgets.HBox([self.source, self.source_word]),
            widgets.HBox([self.prompt, self.word]),
            widgets.HBox([self.window, self.place, self.resolution]),
            widgets.HBox([self.seed, self.run_button, self.frame, self.play]),
            self.message,
            self.image,
        ]

    def __repr__(self) -> str:
        """What a stored notebook shows, where no kernel is: one line."""
        return f"SwapExplorer({self.source.value!r}, {self.prompt.value!r}); run this notebook to use it"

    def control(self) -> Swap:
        """The swap that the controls describe. Raises ValueError for one that is not possible."""
        place, resolution = self.place.value, self.resolution.value
        return Swap(
            self.source_word.value, self.word.value, source=self.source.value, window=self.window.value,
            place=PLACES if place == EVERYTHING else place, resolution=None if resolution == EVERYTHING else resolution,
        )  # fmt: skip

    def run(self, _button: widgets.Button | None = None) -> None:
        """Generate what the controls describe, unless it is the clip that is there."""
        if self.clip is not None and self._shown == self._settings():
            return self.refresh()
        with self.running():
            options = {"seed": self.seed.value, "progress": False}
            clip = generate(self.model, self.prompt.value, control=self.control(), **options)
            own = self.own
            if own is None or (own.prompt, own.seed) != (clip.prompt, clip.seed):
                own = generate(self.model, self.prompt.value, **options)
            self.explore(clip, own)

    def explore(self, clip: Clip, own: Clip) -> None:
        """Show a swapped clip, with its source in `clip.source`, beside its own; the model does not run.

        The controls of the swap itself must be those with which it was made: a clip does not know them.
        """
        self.clip, self.own = clip, own
        self.source.value, self.prompt.value, self.seed.value = clip.source.prompt, clip.prompt, clip.seed
        self.has_frames(len(clip.video))
        self._shown = self._settings()
        self.refresh()

    def refresh(self, _change: dict | None = None) -> None:
        """Draw the chosen frame of the clips that are there."""
        if self.clip is None:
            return
        frames = [one.video[self.frame.value] for one in (self.clip.source, self.own, self.clip)]
        self.draw(beside(frames, GAP))
        self.message.value = self._describe()

    def _offer(self, _change: dict) -> None:
        """The words of the prompts become the choices of the words."""
        self.source_word.options, self.word.options = words(self.source.value), words(self.prompt.value)

    def _settings(self) -> tuple:
        controls = (self.source, self.prompt, self.source_word, self.word, self.seed, self.window, self.place)
        return tuple(control.value for control in (*controls, self.resolution))

    def _describe(self) -> str:
        """What the three pictures are, from the settings with which the clip was made."""
        source, prompt, source_word, word, _, (first, last), place, resolution = self._shown
        where = f"layers: {place}, resolution: {resolution}, steps from {first:.0%} to {last:.0%}"
        swapped = f"<b>{html.escape(word)}</b> with the maps of <b>{html.escape(source_word)}</b> ({where})"
        return f"“{html.escape(source)}” | “{html.escape(prompt)}” | {swapped}"


def _heights(model) -> list[int]:
    """The heights of the maps that text cross-attention can have, largest first."""
    height, kinds = model.defaults.height // model.pixels_per_latent, model.unet.config.down_block_types
    levels = [height // 2**level for level in range(len(kinds))]
    attending = [side for side, kind in zip(levels, kinds, strict=True) if "CrossAttn" in kind]
    return list(dict.fromkeys([*attending, levels[-1]]))  # the mid block works at the lowest level
