"""Prompts of single objects, and the roles of their tokens."""

from collections.abc import Sequence
from itertools import product

from ...backbones.model import Model
from ...backbones.text import Text
from ...pocket.world.captions import held_out, one_object
from ...pocket.world.vocabulary import MEDIA, OBJECTS, SIZES, verbs
from ..rows import Case

PAPER = {
    "a burger floats on the water": "burger",
    "a shark swims in the ocean": "shark",
    "a car drives on the road": "car",
    "a truck drives on the road": "truck",
    "a ball rolls on the grass": "ball",
    "a wolf howls to the moon": "wolf",
}
PROMPTS = 20  # that were held out
PICTURES = 4  # of the image model for each case, and the frames of a video that count
PREPOSITIONS = ("in", "on", "at", "to")
ARTICLES = {"a": "a", "an": "a", "the": "the"}


def held_out_prompts(count: int = PROMPTS) -> dict[str, str]:
    """Captions of one object that nothing was trained on, with their nouns: every object once, then again."""
    captions: dict[str, list[str]] = {name: [] for name in OBJECTS}
    for size in ("", *filter(None, SIZES)):  # captions that name no size come first
        for name, scene in product(OBJECTS, MEDIA):
            for verb in verbs(name, scene):
                caption = one_object(name, scene, verb, size)
                if held_out(caption):
                    captions[name].append(caption)
    prompts: dict[str, str] = {}
    for turn in range(max(map(len, captions.values()))):
        for name, texts in captions.items():
            if turn < len(texts) and len(prompts) < count:
                prompts[texts[turn]] = name
    return prompts


def batch_of(model: Model, cases: Sequence[Case]) -> tuple[list[str], list[int]]:
    """Prompts and seeds for `generate`: a video for each case, or `PICTURES` images with seeds of their own."""
    pictures = 1 if model.is_video else PICTURES
    prompts, seeds = [], []
    for case in cases:
        first = int(case["seed"] or 0) * pictures
        prompts += [str(case["prompt"])] * pictures
        seeds += range(first, first + pictures)
    return prompts, seeds


def roles(text: Text, prompt: str, word: str) -> list[str]:
    """What each position of the padded prompt is: one of `table.KINDS`.

    Words after the noun are verbs up to a preposition, those after it are the scene.
    """
    nouns = text.find(prompt, word)
    names, open_class = [], "size"
    for position, label in enumerate(text.labels(prompt)):
        if position in nouns:
            open_class = "verb"
            names.append("noun")
        elif label in PREPOSITIONS:
            open_class = "scene"
            names.append("in, on")
        else:
            names.append(label if label.startswith("<") else ARTICLES.get(label, open_class))
    return names
