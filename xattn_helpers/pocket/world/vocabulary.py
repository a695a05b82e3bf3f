"""The words of the pocket world: its objects, scenes, verbs, sizes and motions.

To add an object, put its drawing into `sprites/NAME.svg` and add one line to `OBJECTS`; then retrain (`make train`).
"""

import difflib
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

SPRITES = Path(__file__).parent / "sprites"


@dataclass(frozen=True)
class Thing:
    """An object of the world: how large it is beside the others, and what it does in each medium.

    A verb list is a string of third-person verbs; an empty one keeps the object out of the scenes of that medium.
    """

    size: float
    land: str = ""
    water: str = ""
    deep: str = ""
    air: str = ""
    upright: bool = True  # False: it may be drawn at any angle (a ball), True: it keeps its head up


OBJECTS = {
    "burger": Thing(0.95, land="rolls", water="floats", deep="floats", air="flies"),
    "ball": Thing(0.85, land="rolls bounces", water="floats", deep="floats", air="flies", upright=False),
    "shark": Thing(1.25, water="swims", deep="swims"),
    "wolf": Thing(1.10, land="runs walks"),
    "moon": Thing(0.90, air="shines floats"),
    "car": Thing(1.00, land="drives"),
    "truck": Thing(1.30, land="drives"),
    "bus": Thing(1.30, land="drives"),
    "boat": Thing(1.20, water="sails floats"),
    "rocket": Thing(1.15, air="flies"),
    "balloon": Thing(1.00, land="floats", air="floats flies"),
    "kite": Thing(1.05, land="flies", air="flies"),
    "duck": Thing(0.90, land="walks", water="swims floats", air="flies"),
    "fish": Thing(0.85, water="swims", deep="swims"),
    "turtle": Thing(1.00, land="walks", water="swims", deep="swims"),
    "penguin": Thing(0.95, land="walks", water="swims", deep="swims"),
    "dog": Thing(1.00, land="runs walks", water="swims"),
    "cat": Thing(0.90, land="runs walks"),
    "bird": Thing(0.90, land="flies", water="flies", air="flies"),
    "bee": Thing(0.80, land="flies", air="flies"),
    "apple": Thing(0.80, land="rolls", water="floats", deep="floats", air="flies", upright=False),
    "pizza": Thing(0.95, land="slides", water="floats", deep="floats", air="flies"),
}

# The medium of a scene decides the verbs. The order is that of `scenes.SCENES`.
MEDIA = {
    "in the ocean": ("deep",),
    "on the water": ("water",),
    "on the road": ("land",),
    "in the sky": ("air",),
    "at night": ("land", "air"),
    "on the grass": ("land",),
    "in the desert": ("land",),
    "in the snow": ("land",),
    "on the beach": ("land",),
    "in the forest": ("land",),
}
FREE_SCENES = ("in the ocean", "in the sky", "at night")  # no ground to stand on: objects may be anywhere

SIZES = {"small": (0.25, 0.31), "": (0.29, 0.45), "big": (0.43, 0.53)}  # long side over frame side, before Thing.size
DIRECTIONS = ("to the left", "to the right", "up", "down")
DEPTHS = ("closer", "away")  # motions along the line of sight: the object grows or shrinks
MOTIONS = (*DIRECTIONS, *DEPTHS)  # follow the verb
STILL = "stays still"  # stands in the place of the verb
STANDING_VERBS = ("shines",)  # never said of something that moves
GRAMMAR = "a an and near howls to the moon"  # words of the captions that are none of the above


@cache
def verbs(name: str, scene: str) -> tuple[str, ...]:
    """The verbs that fit an object in a scene, each once; empty when the object does not belong there.

    Raises ValueError for an unknown object or scene.
    """
    _check("name", name, OBJECTS)
    _check("scene", scene, MEDIA)
    fitting = []
    for medium in MEDIA[scene]:
        fitting.extend(getattr(OBJECTS[name], medium).split())
    return tuple(dict.fromkeys(fitting))


def scenes_of(name: str) -> list[str]:
    """The scenes in which an object belongs, in the order of MEDIA."""
    return [scene for scene in MEDIA if verbs(name, scene)]


def objects_of(scene: str) -> list[str]:
    """The objects that belong in a scene, in the order of OBJECTS."""
    return [name for name in OBJECTS if verbs(name, scene)]


def known_words() -> tuple[str, ...]:
    """Every word that a pocket prompt may use, sorted."""
    phrases = [*OBJECTS, *MEDIA, *SIZES, *MOTIONS, STILL, GRAMMAR]
    for name in OBJECTS:
        for scene in scenes_of(name):
            phrases.extend(verbs(name, scene))
    return tuple(sorted(set(" ".join(phrases).split())))


def check_prompt(prompt: str) -> None:
    """Raise ValueError for the first word that the pocket models have never seen, with the nearest known ones.

    The empty prompt is allowed: it is the unconditional half of classifier-free guidance.
    """
    known = known_words()
    for word in re.findall(r"[^\s.,!?;:]+", prompt.lower()):
        if word not in known:
            raise ValueError(
                f"prompt {prompt!r}: the pocket models do not know the word {word!r}; {_hint(word, known)} "
                "All known words: xattn_helpers.pocket.world.vocabulary.known_words()."
            )


def _hint(word: str, known: Sequence[str]) -> str:
    """The known words that are spelt like a word, or else the known objects."""
    near = difflib.get_close_matches(word, known, n=3, cutoff=0.5)
    if near:
        return f"did you mean {', '.join(map(repr, near))}?"
    return f"known objects: {', '.join(OBJECTS)}."


def _check(argument: str, name: str, possible: Collection[str]) -> None:
    """Raise ValueError, naming what is possible, for a name that is not there."""
    if name not in possible:
        names = ", ".join(map(repr, possible))
        raise ValueError(f"{argument}={name!r} is not in the pocket world; possible: {names}")
