"""What happens in a clip of the pocket world, before anything is drawn: scene, actors, their paths and the caption."""

import random
from dataclasses import dataclass

import numpy as np

from . import captions
from .vocabulary import FREE_SCENES, MEDIA, MOTIONS, OBJECTS, SIZES, STILL, verbs

FRAMES = 16
BACKDROPS = 48  # painted variants of each scene
TWO_OBJECTS = 0.4  # share of the clips with a second object: this is what binds words to places
SAY_MOTION = 0.9  # share of the clips with a motion that also say so
SAY_SIZE = 0.5  # of the objects: where no size is said, any is possible, or guidance could not change it
GROUND = (0.38, 0.88)  # rows in which things stand in a scene with ground
LEAST_SIZE, MOST_SIZE = 0.22, 0.68  # long side over frame side; less is lost in 16 x 16 latents
TURN = 0.12  # share of the free movers that turn around half-way
SPIN = 40.0  # degrees that a thing turns while it crosses half the picture, if it rolls


@dataclass
class Actor:
    """One object of a clip; arrays have one entry per frame."""

    name: str
    position: np.ndarray  # (frames, 2): centre as x, y in [0, 1], y down
    size: np.ndarray  # (frames,): long side over frame side
    angle: np.ndarray  # (frames,): degrees, clockwise
    facing: np.ndarray  # (frames,): 1 right, -1 left, between while it turns around


@dataclass
class Clip:
    """A clip to be drawn; `actors` in drawing order, the last one in front."""

    scene: str
    backdrop: int
    actors: list[Actor]
    caption: str  # for video
    image_caption: str  # for a single frame of it: without the motion
    motion: str = ""  # what the object that the caption names first does, if one of the named motions
    sizes: tuple[str, ...] = ()  # in the order of the caption, which may not name them

    @property
    def says_motion(self) -> bool:
        """Whether the caption names the motion."""
        return bool(self.motion) and self.motion in self.caption


def sample(rng: random.Random, frames: int = FRAMES) -> Clip:
    """Draw a clip: mostly everyday pairs of object and scene, now and then a wolf that howls to the moon."""
    if rng.random() < 0.03:
        return _howling(rng, frames)
    first = rng.choice(list(OBJECTS))
    scene = rng.choice([scene for scene in MEDIA if verbs(first, scene)])
    size = _size(rng)
    motion = rng.choice(("", "", "", STILL, STILL, *MOTIONS, *MOTIONS))
    actors = [_actor(rng, first, scene, motion, size, frames)]
    sizes = (size,)
    if rng.random() < TWO_OBJECTS:
        second = rng.choice([name for name in OBJECTS if name != first and verbs(name, scene)])
        sizes = (size, _size(rng))
        actors.append(_apart_from(rng, actors[0], second, scene, sizes[1], frames))
    return _told(rng, scene, actors, motion, sizes)


def _size(rng: random.Random) -> str:
    return rng.choices(list(SIZES), (0.3, 0.4, 0.3))[0]


def _told(rng: random.Random, scene: str, actors: list[Actor], motion: str, sizes: tuple[str, ...]) -> Clip:
    """Put a clip into words; half of the sizes are named, none where the object grows or shrinks."""
    named = [motion not in ("closer", "away") and rng.random() < SAY_SIZE for _ in sizes]
    said = tuple(size if one else "" for size, one in zip(sizes, named, strict=True))
    names = [actor.name for actor in actors]
    if len(names) == 1:
        phrase = motion if rng.random() < SAY_MOTION else ""
        verb = captions.pick_verb(rng, names[0], scene, phrase)
        caption = captions.one_object(names[0], scene, verb, said[0], "" if phrase == STILL else phrase)
        image = captions.one_object(names[0], scene, captions.pick_verb(rng, names[0], scene), said[0])
    else:
        verb = captions.pick_verb(rng, names[0], scene) if rng.random() < 0.4 else ""
        caption = image = captions.two_objects(*names, scene, verb, said)
    order = actors if rng.random() < 0.5 else actors[::-1]
    return Clip(scene, rng.randrange(BACKDROPS), order, caption, image, motion, sizes)


def _howling(rng: random.Random, frames: int) -> Clip:
    """A wolf (or a dog) below, the moon above, both standing or drifting a little."""
    name = "wolf" if rng.random() < 0.7 else "dog"
    moon = _standing(rng, "moon", (rng.uniform(0.2, 0.8), rng.uniform(0.16, 0.3)), rng.uniform(0.22, 0.3), frames)
    howler = _standing(rng, name, (rng.uniform(0.25, 0.75), rng.uniform(0.65, 0.78)), rng.uniform(0.35, 0.5), frames)
    caption = captions.howling(name)
    return Clip("at night", rng.randrange(BACKDROPS), [moon, howler], caption, caption, STILL, ("", ""))


def _standing(rng: random.Random, name: str, place: tuple[float, float], size: float, frames: int) -> Actor:
    return Actor(name, np.tile(place, (frames, 1)), np.full(frames, size), np.zeros(frames), np.ones(frames))


def _actor(rng: random.Random, name: str, scene: str, motion: str, size: str, frames: int) -> Actor:
    """An object with a path that fits the motion, perspective where there is ground, and a side that it faces."""
    start, end = _ends(rng, scene, motion)
    time = np.linspace(0, 1, frames)[:, None]
    path = np.asarray(start) * (1 - time) + np.asarray(end) * time
    if not motion and rng.random() < 0.5:  # a bow towards a third point: a quadratic Bezier curve
        bow = np.asarray(start) + np.asarray(end) - 2 * np.asarray(_place(rng, scene))
        path = path - 0.5 * time * (1 - time) * bow
    turns = not motion and rng.random() < TURN
    if turns:
        path = np.concatenate([path[::2], path[::-2]])[:frames]
    long_side = rng.uniform(*SIZES[size]) * OBJECTS[name].size
    if motion in ("closer", "away"):
        growth = rng.uniform(1.6, 2.2) ** (time[:, 0] - 0.5)
        sizes = long_side * (growth if motion == "closer" else growth[::-1])
    else:
        sizes = long_side * _perspective(path[:, 1], scene)
    sizes = sizes.clip(LEAST_SIZE, MOST_SIZE)
    return Actor(name, path, sizes, _angle(rng, name, path), _facing(path, turns))


def _ends(rng: random.Random, scene: str, motion: str) -> tuple[tuple[float, float], tuple[float, float]]:
    """Where a path starts and ends: far enough along the named direction, little across it."""
    start = _place(rng, scene)
    if motion == STILL:
        return start, start
    if motion in ("closer", "away"):
        return start, (start[0] + rng.uniform(-0.08, 0.08), start[1] + rng.uniform(-0.05, 0.05))
    if not motion:
        return start, _place(rng, scene)
    axis, sign = {"to the left": (0, -1), "to the right": (0, 1), "up": (1, -1), "down": (1, 1)}[motion]
    low, high = (0.15, 0.85) if axis == 0 or scene in FREE_SCENES else (0.2, 0.85)
    length = rng.uniform(0.3, 0.7)
    first = rng.uniform(low, max(low, high - length))
    along = (first, min(first + length, high))[::sign]
    across = start[1 - axis]
    drift = across + rng.uniform(-0.06, 0.06)
    ends = ((along[0], across), (along[1], drift))
    return ends if axis == 0 else tuple((x, y) for y, x in ends)


def _place(rng: random.Random, scene: str) -> tuple[float, float]:
    """A point inside the picture; where there is ground, three times in four on it."""
    rows = (0.15, 0.85) if scene in FREE_SCENES or rng.random() < 0.25 else GROUND
    return rng.uniform(0.15, 0.85), rng.uniform(*rows)


def _perspective(rows: np.ndarray, scene: str) -> np.ndarray:
    """Things lower in a picture with ground are nearer, hence larger: .8 at the horizon, 1.2 at the lower edge."""
    return np.ones_like(rows) if scene in FREE_SCENES else (0.8 + 0.8 * (rows - 0.4)).clip(0.75, 1.25)


def _angle(rng: random.Random, name: str, path: np.ndarray) -> np.ndarray:
    """Degrees: balls roll with their path, everything else sways a little."""
    if not OBJECTS[name].upright:
        return rng.uniform(-30, 30) + SPIN * (path[:, 0] - path[0, 0]) / 0.5
    return np.linspace(rng.uniform(-8, 8), rng.uniform(-8, 8), len(path))


def _facing(path: np.ndarray, turns: bool) -> np.ndarray:
    """Face the way it goes, and right unless it goes left; a turn squeezes the drawing while it changes sides.

    Were standing things drawn either way, a video model would begin with both and now and then keep both, as a shark
    with two heads.
    """
    step = path[len(path) // 2 - 1 if turns else -1, 0] - path[0, 0]
    side = -1.0 if step < -0.05 else 1.0
    if not turns:
        return np.full(len(path), side)
    middle = np.arange(len(path)) - (len(path) - 1) / 2
    return -side * (middle / 2).clip(-1, 1)


def _apart_from(rng: random.Random, other: Actor, name: str, scene: str, size: str, frames: int) -> Actor:
    """A second object that mostly keeps clear of the first; one in four may cross in front of or behind it."""
    for _ in range(1 if rng.random() < 0.25 else 12):
        actor = _actor(rng, name, scene, rng.choice(("", "", STILL, STILL, *MOTIONS[:4])), size, frames)
        distance = np.linalg.norm(actor.position - other.position, axis=1)
        if (distance > 0.45 * (actor.size + other.size)).all():
            break
    return actor
