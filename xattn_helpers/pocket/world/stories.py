"""What happens in a clip of the pocket world, before anything is drawn: scene, actors, their paths and the caption."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

from . import captions
from .actors import Actor, sample_actor, sample_second_actor, standing_actor
from .vocabulary import DEPTHS, MOTIONS, OBJECTS, SIZES, STILL, objects_of, scenes_of

FRAMES = 16
BACKDROPS = 48  # painted variants of each scene
HOWLING = 0.03  # share of the stories in which a wolf or a dog howls to the moon
TWO_OBJECTS = 0.4  # share of the other stories with a second object: this is what binds words to places
SAY_MOTION = 0.9  # share of the stories with a motion that also say so
SAY_SIZE = 0.5  # of the objects: where no size is said, any is possible, or guidance could not change it
SAY_VERB = 0.4  # share of the stories of two objects that have a verb


@dataclass(frozen=True)
class Story:
    """What is to be drawn and told; `actors` in drawing order, the last one in front."""

    scene: str
    backdrop: int  # which painted variant of the scene, below BACKDROPS
    actors: Sequence[Actor]
    caption: str  # for video
    image_caption: str  # for a single frame of it: without the motion
    motion: str = ""  # what the object that the caption names first does, if one of the named motions
    sizes: tuple[str, ...] = ()  # keys of SIZES in the order of the caption, which may not name them

    @property
    def says_motion(self) -> bool:
        """Whether the caption names the motion."""
        return bool(self.motion) and self.motion in self.caption


def sample_story(rng: random.Random, frames: int = FRAMES) -> Story:
    """Make up a story: mostly everyday pairs of object and scene, now and then a wolf that howls to the moon."""
    if rng.random() < HOWLING:
        return _sample_howling(rng, frames)
    name = rng.choice(list(OBJECTS))
    scene = rng.choice(scenes_of(name))
    size = _sample_size(rng)
    motion = rng.choice(("", "", "", STILL, STILL, *MOTIONS, *MOTIONS))
    actor = sample_actor(rng, name, scene, motion, size, frames)
    if rng.random() >= TWO_OBJECTS:
        return _tell(rng, scene, [actor], motion, (size,))
    second_name = rng.choice([candidate for candidate in objects_of(scene) if candidate != name])
    second_size = _sample_size(rng)
    second = sample_second_actor(rng, actor, second_name, scene, second_size)
    return _tell(rng, scene, [actor, second], motion, (size, second_size))


def _sample_howling(rng: random.Random, frames: int) -> Story:
    """A wolf or a dog below, the moon above, both standing."""
    name = "wolf" if rng.random() < 0.7 else "dog"
    above = rng.uniform(0.2, 0.8), rng.uniform(0.16, 0.3)
    moon = standing_actor("moon", above, rng.uniform(0.22, 0.3), frames)
    below = rng.uniform(0.25, 0.75), rng.uniform(0.65, 0.78)
    howler = standing_actor(name, below, rng.uniform(0.35, 0.5), frames)
    caption = captions.howling(name)
    return Story("at night", rng.randrange(BACKDROPS), [moon, howler], caption, caption, STILL, ("", ""))


def _sample_size(rng: random.Random) -> str:
    return rng.choices(list(SIZES), weights=(0.3, 0.4, 0.3))[0]


def _tell(rng: random.Random, scene: str, actors: list[Actor], motion: str, sizes: tuple[str, ...]) -> Story:
    """Put what happens into words; either actor may be in front."""
    names = [actor.name for actor in actors]
    told_sizes = [_sample_told_size(rng, size, motion) for size in sizes]
    if len(actors) == 1:
        caption, image_caption = _tell_one(rng, names[0], scene, motion, told_sizes[0])
    else:
        caption = image_caption = _tell_two(rng, names, scene, told_sizes)
    if rng.random() >= 0.5:
        actors = list(reversed(actors))
    return Story(scene, rng.randrange(BACKDROPS), actors, caption, image_caption, motion, sizes)


def _sample_told_size(rng: random.Random, size: str, motion: str) -> str:
    """The size as the caption names it: half of the time, and never where the object grows or shrinks."""
    if motion in DEPTHS:
        return ""
    return size if rng.random() < SAY_SIZE else ""


def _tell_one(rng: random.Random, name: str, scene: str, motion: str, size: str) -> tuple[str, str]:
    """The captions of a video and of an image with one object."""
    told_motion = motion if rng.random() < SAY_MOTION else ""
    verb = captions.pick_verb(rng, name, scene, told_motion)
    phrase = "" if told_motion == STILL else told_motion  # the verb has said it
    caption = captions.one_object(name, scene, verb, size, phrase)
    image_verb = captions.pick_verb(rng, name, scene)
    return caption, captions.one_object(name, scene, image_verb, size)


def _tell_two(rng: random.Random, names: Sequence[str], scene: str, sizes: Sequence[str]) -> str:
    """The caption of two objects, which names no motion."""
    first, second = names
    verb = captions.pick_verb(rng, first, scene) if rng.random() < SAY_VERB else ""
    return captions.two_objects(first, second, scene, verb, (sizes[0], sizes[1]))
