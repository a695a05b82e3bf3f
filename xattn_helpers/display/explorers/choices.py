"""What can be chosen: the words of a prompt, the sizes of maps, and the vocabulary of a model that has a small one."""

import string
from collections.abc import Sequence
from typing import Any

import ipywidgets as widgets

from ...backbones.model import Model
from ...pocket.world.vocabulary import MEDIA, OBJECTS, check_prompt, scenes_of, verbs

EVERYTHING = "all"  # of the groups, the sizes of maps, or the steps
MARKS = string.punctuation + "…“”‘’–—"
NARROW = {"width": "210px"}


def words(prompt: str) -> tuple[str, ...]:
    """The words of a prompt without punctuation, each once, as choices."""
    parts = [part.strip(MARKS) for part in prompt.split()]
    return tuple(dict.fromkeys(part for part in parts if part))


def check_text(model: Model, prompt: str, word: str, name: str = "prompt") -> None:
    """Raise ValueError for an empty prompt, one that the model does not understand, or a word that is not in it.

    It is quick, so that nobody waits for a run that cannot be right.
    """
    if not prompt.strip():
        raise ValueError(f"{name}: it is empty; write what shall be seen, as 'a burger floats on the water'")
    if not word.strip():
        raise ValueError(f"word: it is empty; the {name} has: {', '.join(words(prompt))}")
    model.text.check_prompt(prompt)
    model.text.find(prompt, word)


def cell_choices(model: Model, group: str = EVERYTHING) -> list[tuple[str, Any]]:
    """The sizes of the maps of a group as choices, largest first: "16 × 16", and the latent cells a map cell.

    The sizes are those at the model's own height and width.
    """
    side = model.codec.pixels_per_cell
    choices: list[tuple[str, Any]] = [(EVERYTHING, EVERYTHING)]
    sites = [site for site in model.sites if group in (EVERYTHING, site.group)]
    for cells in sorted({model.backbone.cells(site) for site in sites}):
        height, width = (-(-length // (side * cells)) for length in (model.defaults.height, model.defaults.width))
        choices.append((f"{height} × {width}", cells))
    return choices


def chosen(control: Any) -> Any:
    """What a control says, None for everything."""
    return None if control.value == EVERYTHING else control.value


def offer(control: Any, options: Sequence[Any]) -> None:
    """New choices, as values or pairs of a text and a value; the chosen one stays when it is among them."""
    before = control.value
    if list(control.options) == list(options):
        return
    values = [option[1] if isinstance(option, tuple) else option for option in options]
    control.options = options
    control.value = before if before in values else values[0]


class WordButtons(widgets.ToggleButtons):
    """The words that a control offers, all of them to be seen; a click chooses one, and options follow the control."""

    def __init__(self, control: Any):
        self.control = control
        style = {"button_width": "auto"}
        super().__init__(options=list(control.options), value=None, style=style)
        control.observe(self._follow, names=["value", "options"])
        self.observe(self._choose, names="value")
        self._follow()

    def _follow(self, _change: dict | None = None) -> None:
        # New options would choose the first of themselves, and tell the control so.
        self.unobserve(self._choose, names="value")
        if tuple(self.options) != tuple(self.control.options):
            self.options = list(self.control.options)
        self.value = self.control.value if self.control.value in self.options else None
        self.observe(self._choose, names="value")

    def _choose(self, change: dict) -> None:
        if change["new"] is not None:
            self.control.value = change["new"]


class Vocabulary(widgets.HBox):
    """The objects, verbs and scenes of the pocket world, which put a prompt together; hidden for other models.

    Controls, each with a `value`: thing, verb, scene. `write` is called with the prompt and the word of each choice.
    """

    def __init__(self, model: Model, write: Any):
        self.write = write
        self.thing = widgets.Dropdown(options=list(OBJECTS), description="a", layout=NARROW)
        self.verb = widgets.Dropdown(options=verbs("burger", "on the water"), description="verb", layout=NARROW)
        self.scene = widgets.Dropdown(options=scenes_of("burger"), description="scene", layout=NARROW)
        knows = model.text.check is check_prompt
        look = {"flex_flow": "row wrap", "display": "" if knows else "none"}
        super().__init__([self.thing, self.verb, self.scene], layout=look)
        for control in self.children:
            control.observe(self._follow, names="value")

    def read(self, prompt: str) -> None:
        """Show the object and the scene of a prompt, where they are known; nothing is written."""
        write, self.write = self.write, None
        things = [word for word in words(prompt) if word in OBJECTS]
        self.thing.value = things[0] if things else self.thing.value
        scenes = [scene for scene in MEDIA if scene in prompt and scene in self.scene.options]
        self.scene.value = scenes[0] if scenes else self.scene.value
        told = [verb for verb in self.verb.options if verb in words(prompt)]
        self.verb.value = told[0] if told else self.verb.value
        self.write = write

    def prompt(self) -> str:
        """The prompt that the choices make, as "a burger floats on the water"."""
        article = "an" if self.thing.value[0] in "aeiou" else "a"
        return f"{article} {self.thing.value} {self.verb.value} {self.scene.value}"

    def _follow(self, change: dict) -> None:
        """An object has scenes in which it belongs, and in each of them its verbs."""
        write, self.write = self.write, None  # the choices below change one another
        offer(self.scene, scenes_of(self.thing.value))
        offer(self.verb, verbs(self.thing.value, self.scene.value))
        self.write = write
        if write is not None:
            write(self.prompt(), self.thing.value)
