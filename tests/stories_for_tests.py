"""Small stories of the pocket world, put together by hand."""

import random

import numpy as np

from xattn_helpers.pocket.world.actors import Actor
from xattn_helpers.pocket.world.batches import StoryBatch, collate
from xattn_helpers.pocket.world.drawing import ATLAS_SIDE, SIDE
from xattn_helpers.pocket.world.stories import Story, sample_story

PAPER_PROMPTS = (
    "a burger floats on the water",
    "a shark swims in the ocean",
    "a car drives on the road",
    "a truck drives on the road",
    "a ball rolls on the grass",
    "a wolf howls to the moon",
)
FULL, HALF = ATLAS_SIDE / SIDE, ATLAS_SIDE / SIDE / 2  # sizes at which the pixels of a sprite are those of the picture


def actor(name="truck", x=0.5, y=0.5, size=HALF, angle=0.0, facing=1.0, frames=1):
    """An actor that stays as it is."""
    ones = np.ones(frames)
    return Actor(name, np.outer(ones, (x, y)), size * ones, angle * ones, facing * ones)


def batch_of(*casts) -> StoryBatch:
    """One story in the sky for each list of actors."""
    return collate([Story("in the sky", 0, cast, "", "") for cast in casts])


def tellings(count=2000, seed=0) -> list[Story]:
    """Random stories."""
    rng = random.Random(seed)
    return [sample_story(rng) for _ in range(count)]


def cast_in_order(story) -> list[Actor]:
    """The actors of a story in the order of its caption."""
    words = story.caption.split()
    told = [actor for actor in story.actors if actor.name in words]
    return sorted(told, key=lambda actor: words.index(actor.name))


def howls(story) -> bool:
    """Whether it is the story of the wolf that howls to the moon."""
    return "howls" in story.caption
