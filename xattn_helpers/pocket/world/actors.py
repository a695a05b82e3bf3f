"""The actors of a story: the paths that they take, and how large, turned and mirrored they are on the way.

Places are (x, y) in [0, 1], y down; sizes are the long side of the drawing over the side of the frame.
"""

import random
from dataclasses import dataclass
from functools import cache

import numpy as np
from jaxtyping import Float

from .vocabulary import DEPTHS, DIRECTIONS, FREE_SCENES, OBJECTS, SIZES, STILL

GROUND = (0.38, 0.88)  # rows in which things stand in a scene with ground
SMALLEST, LARGEST = 0.22, 0.68  # long side over frame side; less is lost in 16 x 16 latents
TURN = 0.12  # share of the free movers that turn around half-way
SPIN = 40.0  # degrees that a thing turns while it crosses half the picture, if it rolls
CROSSING = 0.25  # share of the second objects that may cross in front of the first or behind it
SIDEWAYS = ("to the left", "to the right")  # the other directions are up and down
BACKWARD = ("to the left", "up")  # towards smaller coordinates

Place = tuple[float, float]


@dataclass(frozen=True)
class Actor:
    """One object of a story, with its state in each frame."""

    name: str
    position: Float[np.ndarray, "frames 2"]  # centre as x, y
    size: Float[np.ndarray, " frames"]
    angle: Float[np.ndarray, " frames"]  # degrees, clockwise
    facing: Float[np.ndarray, " frames"]  # 1 right, -1 left, between while it turns around


def sample_actor(rng: random.Random, name: str, scene: str, motion: str, size: str, frames: int) -> Actor:
    """An object on a path that fits the motion.

    `motion` is one of MOTIONS, STILL, or empty for a free path; `size` is a key of SIZES.
    """
    path, turns = _sample_path(rng, scene, motion, frames)
    long_side = rng.uniform(*SIZES[size]) * OBJECTS[name].size
    scale = _sample_growth(rng, motion, frames) if motion in DEPTHS else perspective(path[:, 1], scene)
    sizes = (long_side * scale).clip(SMALLEST, LARGEST)
    return Actor(name, path, sizes, _sample_angles(rng, name, path), _facing(path, turns))


def sample_second_actor(rng: random.Random, first: Actor, name: str, scene: str, size: str) -> Actor:
    """A second object that mostly keeps clear of the first."""
    attempts = 1 if rng.random() < CROSSING else 12
    for _ in range(attempts):
        motion = rng.choice(("", "", STILL, STILL, *DIRECTIONS))
        actor = sample_actor(rng, name, scene, motion, size, frames=len(first.size))
        distance = np.linalg.norm(actor.position - first.position, axis=1)
        if (distance > 0.45 * (actor.size + first.size)).all():
            break
    return actor


def standing_actor(name: str, place: Place, size: float, frames: int) -> Actor:
    """An object that stays where it is, upright, and faces right."""
    position = np.tile(place, (frames, 1))
    return Actor(name, position, np.full(frames, size), np.zeros(frames), np.ones(frames))


def perspective(rows: Float[np.ndarray, " frames"], scene: str) -> Float[np.ndarray, " frames"]:
    """Relative sizes: things lower in a picture with ground are nearer, .8 at the horizon and 1.2 at the lower edge."""
    if scene in FREE_SCENES:
        return np.ones_like(rows)
    return (0.8 + 0.8 * (rows - 0.4)).clip(0.75, 1.25)


@cache
def moments(frames: int) -> Float[np.ndarray, " frames"]:
    """The time of each frame: 0 for the first, 1 for the last."""
    return np.linspace(0, 1, frames)


def _sample_path(
    rng: random.Random, scene: str, motion: str, frames: int
) -> tuple[Float[np.ndarray, "frames 2"], bool]:
    """The centre in each frame, and whether the object turns around half-way; only free paths bow and turn."""
    start, end = map(np.asarray, _sample_ends(rng, scene, motion))
    time = moments(frames)[:, None]
    path = start * (1 - time) + end * time
    if motion:
        return path, False
    if rng.random() < 0.5:  # a bow towards a third place: a quadratic Bezier curve
        bow = start + end - 2 * np.asarray(_sample_place(rng, scene))
        path = path - 0.5 * time * (1 - time) * bow
    turns = rng.random() < TURN
    if turns:
        away, back = path[::2], path[::-2]  # at double speed
        path = np.concatenate([away, back])[:frames]
    return path, turns


def _sample_ends(rng: random.Random, scene: str, motion: str) -> tuple[Place, Place]:
    """Where a path starts and ends."""
    start = _sample_place(rng, scene)
    if motion == STILL:
        return start, start
    if motion in DEPTHS:
        x, y = start
        return start, (x + rng.uniform(-0.08, 0.08), y + rng.uniform(-0.05, 0.05))
    if motion in DIRECTIONS:
        return _sample_directed_ends(rng, start, scene, motion)
    return start, _sample_place(rng, scene)


def _sample_directed_ends(rng: random.Random, place: Place, scene: str, motion: str) -> tuple[Place, Place]:
    """Ends that lie far apart along a direction and little across it; across it the path begins at `place`."""
    sideways = motion in SIDEWAYS
    low = 0.15 if sideways or scene in FREE_SCENES else 0.2
    high = 0.85
    length = rng.uniform(0.3, 0.7)
    start = rng.uniform(low, max(low, high - length))
    end = min(start + length, high)
    if motion in BACKWARD:
        start, end = end, start
    across = place[1] if sideways else place[0]
    drifted = across + rng.uniform(-0.06, 0.06)
    if sideways:
        return (start, across), (end, drifted)
    return (across, start), (drifted, end)


def _sample_place(rng: random.Random, scene: str) -> Place:
    """A place inside the picture; where there is ground, three times in four on it."""
    rows = (0.15, 0.85) if scene in FREE_SCENES or rng.random() < 0.25 else GROUND
    return rng.uniform(0.15, 0.85), rng.uniform(*rows)


def _sample_growth(rng: random.Random, motion: str, frames: int) -> Float[np.ndarray, " frames"]:
    """Relative sizes of something that comes closer or goes away: 1 in the middle, 1.6 to 2.2 times from end to end."""
    growth = rng.uniform(1.6, 2.2) ** (moments(frames) - 0.5)
    return growth if motion == "closer" else np.flip(growth)


def _sample_angles(rng: random.Random, name: str, path: Float[np.ndarray, "frames 2"]) -> Float[np.ndarray, " frames"]:
    """Degrees: balls roll with their path, everything else sways a little."""
    if OBJECTS[name].upright:
        return np.linspace(rng.uniform(-8, 8), rng.uniform(-8, 8), len(path))
    return rng.uniform(-30, 30) + SPIN * (path[:, 0] - path[0, 0]) / 0.5


def _facing(path: Float[np.ndarray, "frames 2"], turns: bool) -> Float[np.ndarray, " frames"]:
    """Face the way it goes, and right unless it goes left; a turn squeezes the drawing while it changes sides.

    Were standing things drawn either way, a video model would begin with both and now and then keep both, as a shark
    with two heads.
    """
    farthest = len(path) // 2 - 1 if turns else -1
    side = -1.0 if path[farthest, 0] - path[0, 0] < -0.05 else 1.0
    if not turns:
        return np.full(len(path), side)
    from_middle = np.arange(len(path)) - (len(path) - 1) / 2
    return -side * (from_middle / 2).clip(-1, 1)
