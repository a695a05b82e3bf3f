"""The clips of `given_video`: drawn videos, each with an edit of it and the edited truth, drawn as well.

A clip is one object in a scene, told by a caption that was held out of training. Whoever chooses settings looks at the
clips of `given_tuning`, which are drawn from another seed.
"""

import dataclasses
import random
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
from jaxtyping import Bool, UInt8

from ...pocket.world.actors import LARGEST, SMALLEST, Actor
from ...pocket.world.batches import collate
from ...pocket.world.captions import held_out, noun_phrase
from ...pocket.world.drawing import World
from ...pocket.world.stories import Story, sample_story
from ...pocket.world.vocabulary import OBJECTS, STILL, verbs

FACTORS = (1.5, 1 / 1.5)  # of the object's size
WAYS = ((0.3, 0.0), (-0.3, 0.0), (0.0, 0.3), (0.0, -0.3))  # of the object's path, in shares of the picture
EDGES = (0.15, 0.85)  # between which the centre of a moved object stays
REPLACED = 1  # place of the object in a caption: after its article

Edited = tuple[Actor, str, dict[str, float]]  # the actor of the truth, the target's prompt, what was asked for


@dataclass(frozen=True, eq=False)
class EditedClip:
    """A clip as it is given and as it shall become."""

    source: Story
    truth: Story
    target_prompt: str
    asked: dict[str, float]  # "scale", "across" and "down"

    @property
    def word(self) -> str:
        """The object of the given video."""
        return self.source.actors[0].name

    @property
    def new_word(self) -> str:
        """The object of the edited one; that of the given video where none is new."""
        return self.truth.actors[0].name


@dataclass(frozen=True, eq=False)
class Drawn:
    """A clip's pixels and exact masks, as given and as they shall become."""

    video: UInt8[np.ndarray, "frames height width 3"]
    masks: Bool[np.ndarray, "frames height width"]
    truth: UInt8[np.ndarray, "frames height width 3"]
    true_masks: Bool[np.ndarray, "frames height width"]


@cache
def sample_clips(kind: str, count: int, seed: int) -> list[EditedClip]:
    """The first clips of a kind of edit that a seed draws: "object", "size", "path" or "removal"."""
    rng, chosen = random.Random(f"{kind} {seed}"), []
    while len(chosen) < count:
        story = sample_story(rng)
        edited = KINDS[kind](rng, story) if is_plain(story) else None
        if edited is not None:
            actor, prompt, asked = edited
            chosen.append(EditedClip(story, dataclasses.replace(story, actors=[actor]), prompt, asked))
    return chosen


def is_plain(story: Story) -> bool:
    """Whether a story has one object, whose size its held-out caption does not tell."""
    return len(story.actors) == 1 and held_out(story.caption) and story.caption.split()[1] == story.actors[0].name


class Painter:
    """Draws clips on a device; the scenes are painted once."""

    def __init__(self, device: str):
        self.world = World(device)

    def draw(self, clip: EditedClip) -> Drawn:
        """A clip and its truth."""
        videos, masks = self.world.draw(collate([clip.source, clip.truth]))
        pixels = (255 * videos).round().byte().permute(0, 1, 3, 4, 2).cpu().numpy()
        seen = masks[:, 0].cpu().numpy()
        return Drawn(pixels[0], seen[0], pixels[1], seen[1])


# Kinds of edits


def exchange(rng: random.Random, story: Story) -> Edited | None:
    """Another object that may do the same in the same scene, as large and on the same path."""
    actor, words = story.actors[0], story.caption.split()
    verb = words[REPLACED + 1]
    possible = []
    for name in OBJECTS:
        its_verbs = verbs(name, story.scene)
        if name != actor.name and its_verbs and (verb in its_verbs or verb in STILL.split()):
            possible.append(name)
    if not possible:
        return None
    name = rng.choice(possible)
    prompt = " ".join([noun_phrase(name), *words[REPLACED + 1 :]])
    return dataclasses.replace(actor, name=name), prompt, {}


def resize(rng: random.Random, story: Story) -> Edited | None:
    """The object larger or smaller, where it is."""
    actor, factor = story.actors[0], rng.choice(FACTORS)
    sizes = actor.size * factor
    if sizes.min() < SMALLEST or sizes.max() > LARGEST:
        return None
    return dataclasses.replace(actor, size=sizes), story.caption, {"scale": factor}


def move(rng: random.Random, story: Story) -> Edited | None:
    """The object on a path beside its own."""
    actor, (across, down) = story.actors[0], rng.choice(WAYS)
    path = actor.position + np.array([across, down])
    if path.min() < EDGES[0] or path.max() > EDGES[1]:
        return None
    return dataclasses.replace(actor, position=path), story.caption, {"across": across, "down": down}


def remove(rng: random.Random, story: Story) -> Edited | None:
    """The scene without the object."""
    actor = story.actors[0]
    return dataclasses.replace(actor, size=0 * actor.size), story.caption, {}


KINDS: dict[str, Callable[[random.Random, Story], Edited | None]] = {
    "object": exchange, "size": resize, "path": move, "removal": remove,
}  # fmt: skip
