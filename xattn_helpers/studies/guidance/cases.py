"""What guidance is measured on: objects in scenes, tracks and boxes, as data.

A case is an object in a scene, a track and a seed. Whoever chooses defaults looks at the cases of the study `tuning`,
which share no object, track or seed with these. Asked boxes have the proportions of the object's drawing, because a
square box around a car cannot be filled by a car.
"""

from ...edits.targets import Track, track
from ...pocket.world.captions import howling, one_object
from ..rows import Case

SIDE = 0.35  # of the picture: the side of a square as large as the asked box
PROPORTIONS = {  # width over height of the drawings
    "burger": 1.07, "ball": 1.0, "shark": 1.06, "moon": 1.0, "car": 1.7, "truck": 1.25, "boat": 0.98, "rocket": 0.67,
    "balloon": 0.64, "duck": 1.19, "fish": 1.37, "turtle": 1.33, "bird": 1.31, "dog": 1.17, "kite": 0.71, "apple": 0.96,
    "penguin": 0.76, "bus": 1.5, "cat": 1.06, "bee": 1.15, "pizza": 1.0,
}  # fmt: skip
TRACKS = {
    "top left to bottom left": [(0.25, 0.25), (0.25, 0.77)],  # the paper's burger
    "top left to bottom right": [(0.25, 0.25), (0.75, 0.75)],  # the paper's ball
    "top right to bottom left": [(0.75, 0.25), (0.25, 0.75)],  # the paper's shark
    "left to right": [(0.25, 0.55), (0.75, 0.55)],
    "right to left": [(0.75, 0.6), (0.25, 0.6)],
    "stays": [(0.3, 0.3)],  # the paper's moon
}
ROUTES = tuple(TRACKS)[:5]
OBJECTS = {  # object: verb and scene
    "burger": ("floats", "on the water"), "ball": ("rolls", "on the grass"), "shark": ("swims", "in the ocean"),
    "car": ("drives", "on the road"), "truck": ("drives", "in the desert"), "boat": ("sails", "on the water"),
    "rocket": ("flies", "at night"), "balloon": ("floats", "in the sky"), "duck": ("swims", "on the water"),
    "fish": ("swims", "in the ocean"), "turtle": ("walks", "on the beach"), "bird": ("flies", "in the sky"),
}  # fmt: skip
ELSEWHERE = {  # the same objects in another scene, for the second half of the cases
    "burger": ("rolls", "on the grass"), "ball": ("bounces", "on the beach"), "shark": ("swims", "on the water"),
    "car": ("drives", "in the desert"), "truck": ("drives", "on the road"), "boat": ("floats", "on the water"),
    "rocket": ("flies", "in the sky"), "balloon": ("floats", "on the beach"), "duck": ("flies", "in the sky"),
    "fish": ("swims", "on the water"), "turtle": ("swims", "in the ocean"), "bird": ("flies", "on the grass"),
}  # fmt: skip
TURNS = 8  # cases of each object, each with a seed of its own


def table_cases() -> list[Case]:
    """97 cases without a setting: every object on all five tracks, three of them twice, and a moon at which a wolf
    howls.

    The paper's wolf has no moon until it is asked for; ours has one, which guidance puts elsewhere. Neighbours in the
    list differ in object and track, so that the first few are a fair sample.
    """
    cases: list[Case] = []
    for turn in range(TURNS):
        scenes = OBJECTS if turn < TURNS // 2 else ELSEWHERE
        for index, (word, (verb, scene)) in enumerate(scenes.items()):
            route = ROUTES[(index + 2 * turn) % len(ROUTES)]
            cases.append({"prompt": one_object(word, scene, verb), "word": word, "track": route, "seed": turn})
    cases.append({"prompt": howling("wolf"), "word": "moon", "track": "stays", "seed": 0})
    return cases


def box(word: str, side: float = SIDE) -> tuple[float, float]:
    """Width and height of a box with an object's proportions, as large as a square of that side; at most 1."""
    ratio = PROPORTIONS[word] ** 0.5
    return min(1.0, side * ratio), min(1.0, side / ratio)


def path(case: Case, side: float = SIDE) -> Track:
    """The track of a case."""
    return track(TRACKS[str(case["track"])], size=box(str(case["word"]), side))
