"""What guidance is measured on, as data: cases for the tables, other ones for tuning, and the settings.

A case is an object in a scene, a track and a seed. The tables never see the tuning cases; whoever changes a default of
`Guidance` looks at these, which share no object, track or seed with those of the tables. Asked boxes have the
proportions of the object's drawing, because a square box around a car cannot be filled by a car.
"""

from itertools import product

from xattn_helpers.pocket.captions import howling, one_object
from xattn_helpers.targets import Track, track

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
    # For tuning:
    "bottom left to top right": [(0.25, 0.75), (0.75, 0.25)],
    "bottom right to top right": [(0.75, 0.75), (0.75, 0.25)],
    "there and back": [(0.3, 0.5), (0.7, 0.5), (0.3, 0.5)],
}
OBJECTS = {  # object: verb and scene, for the tables
    "burger": ("floats", "on the water"), "ball": ("rolls", "on the grass"), "shark": ("swims", "in the ocean"),
    "car": ("drives", "on the road"), "truck": ("drives", "in the desert"), "boat": ("sails", "on the water"),
    "rocket": ("flies", "at night"), "balloon": ("floats", "in the sky"), "duck": ("swims", "on the water"),
    "fish": ("swims", "in the ocean"), "turtle": ("walks", "on the beach"), "bird": ("flies", "in the sky"),
}  # fmt: skip
ROUTES = tuple(TRACKS)[:5]
TUNING = {
    "dog": ("runs", "on the grass"), "kite": ("flies", "in the sky"), "apple": ("floats", "on the water"),
    "penguin": ("walks", "in the snow"), "bus": ("drives", "in the desert"), "cat": ("walks", "on the grass"),
    "bee": ("flies", "in the sky"), "pizza": ("floats", "on the water"),
}  # fmt: skip
TUNING_ROUTES = ("bottom left to top right", "bottom right to top right", "there and back")


def case(word: str, prompt: str, route: str, seed: int) -> dict:
    """A case as a row of plain values."""
    return {"prompt": prompt, "word": word, "track": route, "seed": seed}


def table_cases() -> list[dict]:
    """49 cases: every object on four of five tracks, and a moon at which a wolf howls.

    The paper's wolf has no moon until it is asked for; ours has one, which guidance puts elsewhere. Neighbours in the
    list differ in object and track, so that the first few are a fair sample.
    """
    found = []
    for turn in range(4):
        for index, (word, (verb, scene)) in enumerate(OBJECTS.items()):
            route = ROUTES[(index + 2 * turn) % len(ROUTES)]
            found.append(case(word, one_object(word, scene, verb), route, seed=turn))
    return [*found, case("moon", howling("wolf"), "stays", seed=0)]


def tuning_cases() -> list[dict]:
    """24 cases, disjoint from those of the tables in object, track and seed."""
    pairs = product(range(len(TUNING_ROUTES)), enumerate(TUNING.items()))
    return [
        case(word, one_object(word, scene, verb), TUNING_ROUTES[(turn + index) % len(TUNING_ROUTES)], seed=100 + turn)
        for turn, (index, (word, (verb, scene))) in pairs
    ]


def box(word: str, side: float = SIDE) -> tuple[float, float]:
    """Width and height of a box with an object's proportions, as large as a square of that side; at most 1."""
    ratio = PROPORTIONS[word] ** 0.5
    return min(1.0, side * ratio), min(1.0, side / ratio)


def path(one: dict, side: float = SIDE) -> Track:
    """The track of a case."""
    return track(TRACKS[one["track"]], size=box(one["word"], side))


# Settings: what `Guidance` gets beside word and target; None is an unguided video. "target" is drawn by default, or
# "zero-shot", the maps of the unguided run moved along the track.
# The paper's: strength is its 15 times the weight of 4 in its code, masks are boxes.
PAPER = {"energy": "shape", "strength": 60.0, "law": "1 - abar", "schedule": "paper", "shape": "box"}
MAIN = {"unguided": None, "best": {}, "paper": PAPER}  # "best" are the defaults
FACTORS: dict[str, dict[str, dict]] = {  # what notebook 06 changes, one thing at a time, about the defaults
    "layers": {
        "8 only": {"resolution": 8}, "16 only": {"resolution": 16},
        "16 only, strength 500": {"resolution": 16, "strength": 500.0},
        "mid block only": {"resolution": 4, "place": "mid"},
        "mid block only, boxes": {"resolution": 4, "place": "mid", "shape": "box"},
        "with mid block": {"resolution": (4, 8, 16)}, "down only": {"place": "down"}, "up only": {"place": "up"},
    },
    "strength": {f"strength {one:g}": {"strength": one} for one in (3.0, 10.0, 30.0, 60.0, 200.0, 400.0)},
    "strength of the paper's energy": {
        f"paper, strength {one:g}": PAPER | {"strength": one} for one in (5.0, 15.0, 20.0, 25.0, 150.0, 300.0)
    },
    "law": {
        "sqrt(1 - abar)": {"law": "sqrt(1 - abar)"},
        "sqrt(1 - abar), strength 30": {"law": "sqrt(1 - abar)", "strength": 30.0},
        "norm, strength 5": {"law": "norm", "strength": 5.0}, "norm, strength 15": {"law": "norm", "strength": 15.0},
        "eq. 4 literally": {"law": "(1 - abar) / abar"},
        "paper, eq. 4 literally": PAPER | {"law": "(1 - abar) / abar", "strength": 20.0},
    },
    "schedule": {"paper's schedule": {"schedule": "paper"}}
    | {one: {"schedule": one} for one in ("released", "first quarter", "always")},
    "energy": {  # strengths differ because energies differ in scale; several are shown, none was chosen
        f"{energy}, strength {one:g}": {"energy": energy, "strength": one}
        for energy, some in {"top": (3.0, 10.0, 30.0), "centre": (30.0, 100.0, 300.0)}.items() for one in some
    } | {
        "signed": PAPER | {"energy": "signed"}, "box and size": {"energy": {"box": 1.0, "size": 5.0}},
        "box and centre": {"energy": {"box": 1.0, "centre": 1.0}},
        "box and shape": {"energy": {"box": 1.0, "shape": 1.0}},
    },
    "target": {
        "drawn as box": {"shape": "box"}, "drawn as box, strength 30": {"shape": "box", "strength": 30.0},
        "zero-shot": {"target": "zero-shot"}, "paper, zero-shot": PAPER | {"target": "zero-shot"},
        "paper, drawn as disc": PAPER | {"shape": "disc"},
    },
    "frames": {
        "frame bug": {"frame_of": "released"}, "paper, frame bug": PAPER | {"frame_of": "released"},
        "as released": PAPER | {"frame_of": "released", "schedule": "released"},
    },
}  # fmt: skip
GROUPS = [("main", MAIN), *FACTORS.items()]
SETTINGS = {name: knobs for _, group in GROUPS for name, knobs in group.items()}
