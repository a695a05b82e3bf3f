"""Cases to choose defaults by: 24 objects on tracks and 24 that stand, each with three seeds.

They share no object, track or seed with the tables of `guidance` and `resize`. Half of the boxes are squares, half have
the proportions of the object's drawing, in four sizes.
"""

from ...pocket.world.captions import one_object
from ...pocket.world.vocabulary import verbs
from ..guidance.cases import box
from ..rows import Case

SCENES = {  # object: scenes; the verbs that fit take turns
    "dog": ("on the grass", "in the desert", "on the water"),
    "kite": ("in the sky", "on the beach", "on the road"),
    "apple": ("on the water", "in the sky", "on the grass"),
    "penguin": ("in the snow", "in the ocean", "on the beach"),
    "bus": ("in the desert", "on the road", "in the snow"),
    "cat": ("on the grass", "in the forest", "on the road"),
    "bee": ("in the sky", "in the forest", "at night"),
    "pizza": ("on the water", "in the ocean", "on the beach"),
}
TRACKS = {
    "bottom left to top right": [(0.25, 0.75), (0.75, 0.25)],
    "bottom right to top right": [(0.75, 0.75), (0.75, 0.25)],
    "there and back": [(0.3, 0.5), (0.7, 0.5), (0.3, 0.5)],
    "down the middle": [(0.5, 0.25), (0.5, 0.75)],
    "round a corner": [(0.3, 0.3), (0.3, 0.7), (0.7, 0.7)],
    "a short way": [(0.6, 0.45), (0.4, 0.5)],
}
TRACK_SIDES = (0.28, 0.35, 0.42, 0.5)  # of a square as large as the box, in parts of the picture
SIZE_SIDES = (0.18, 0.24, 0.3, 0.38, 0.48, 0.6)
TURNS = 3  # scenes of each object
SHAPES = ("square", "of the object")
FIRST_SEED, SEEDS_APART = 100, 100  # cases have seeds of their own: 100 to 123, then 200 to 223, …


def tuning_cases(number: int = 0) -> list[Case]:
    """All 48 cases without a setting, with their first seed, or the next ones; the two questions take turns.

    A case of each question begins from the same prompt and seed, so that they share an unguided video.
    """
    cases: list[Case] = []
    for turn in range(TURNS):
        for place, (word, scenes) in enumerate(SCENES.items()):
            fitting = verbs(word, scenes[turn])
            about: Case = {"prompt": one_object(word, scenes[turn], fitting[turn % len(fitting)]), "word": word}
            about["shape"] = SHAPES[(place // 2 + turn) % len(SHAPES)]
            about |= {"round": number, "seed": FIRST_SEED + SEEDS_APART * number + len(SCENES) * turn + place}
            route = list(TRACKS)[(place + 2 * turn) % len(TRACKS)]
            track_side = TRACK_SIDES[(place + turn) % len(TRACK_SIDES)]
            size_side = SIZE_SIDES[(place + 2 * turn) % len(SIZE_SIDES)]
            cases.append(about | {"purpose": "track", "track": route, "side": track_side})
            cases.append(about | {"purpose": "size", "track": "stands", "side": size_side})
    return cases


def sides(case: Case) -> tuple[float, float]:
    """Width and height of the asked box."""
    side = float(case["side"] or 0.0)
    return (side, side) if case["shape"] == SHAPES[0] else box(str(case["word"]), side)
