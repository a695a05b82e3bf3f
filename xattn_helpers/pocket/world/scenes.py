"""The ten painted scenes in front of which the sprites of the pocket world move."""

import math
from collections.abc import Callable, Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from .brushes import Canvas

Painter = Callable[[Canvas], None]


def paint_ocean(canvas: Canvas) -> None:
    """Deep blue under water: shafts of light from above, weed on a sandy floor."""
    canvas.fill(1, canvas.gradient("#2f8fd6", "#0a2c68"))
    slant = canvas.uniform(-0.5, 0.5)
    floor = canvas.uniform(0.8, 0.9)
    for place in (0.15, 0.5, 0.85):
        off_axis = (canvas.x - place - canvas.uniform(-0.13, 0.13) - slant * canvas.y).abs()
        shaft = canvas.inside(canvas.uniform(0.03, 0.07) * (1 + canvas.y) - off_axis, softness=4)
        fading = (1 - canvas.y / 0.8).clamp(0, 1)
        canvas.fill(0.35 * shaft * fading, canvas.tint("#a8e4ff"))
    for place in (0.1, 0.35, 0.65, 0.9):
        stem = place + canvas.uniform(-0.1, 0.1) + 0.025 * torch.sin(math.tau * (canvas.y * 4 + place))
        width = 0.25 * (canvas.y - floor + canvas.uniform(0.1, 0.3)).clamp(0, 0.1)  # the blade ends in a point
        canvas.fill(canvas.inside(width - (canvas.x - stem).abs() - canvas.edge / 2), canvas.tint("#146a66"))
    sand = canvas.wave(floor, 0.03, canvas.uniform(0.8, 1.6))
    canvas.fill(canvas.below(sand), canvas.tint("#b0a070"))


def paint_water(canvas: Canvas) -> None:
    """The surface of a teal sea with bands of waves, the nearer the wider, under a pale sky."""
    horizon = canvas.uniform(0.3, 0.45)
    count = canvas.uniform(2.5, 4)
    canvas.fill(1, canvas.gradient("#bfe0f2", "#eef7f8", 0, horizon))
    canvas.cloud(canvas.uniform(0.1, 0.9), horizon - canvas.uniform(0.08, 0.16), canvas.uniform(0.3, 0.5), opacity=0.6)
    canvas.fill(canvas.below(horizon), canvas.gradient("#5cc4bd", "#0f7683", horizon))
    for depth in (0.08, 0.25, 0.48, 0.77):
        height = horizon + (1 - horizon) * (depth + canvas.uniform(-0.05, 0.05))
        line = canvas.wave(height, 0.008 + 0.035 * depth, count * (1 - 0.6 * depth))
        canvas.fill(0.5 * canvas.band(line, 0.015 + 0.045 * depth, softness=2), canvas.tint("#a5e8dd"))


def paint_road(canvas: Canvas) -> None:
    """A grey road seen from its side: dashed centre line, kerbs, a strip of verge, pale sky."""
    horizon = canvas.uniform(0.3, 0.45)
    top = horizon + canvas.uniform(0.06, 0.13)
    bottom = canvas.uniform(0.86, 0.96)
    canvas.fill(1, canvas.gradient("#b4d3ee", "#f1f3ea", 0, horizon))
    canvas.fill(canvas.below(canvas.wave(horizon - 0.06, 0.04, canvas.uniform(0.8, 1.6))), canvas.tint("#b5cbc3"))
    canvas.fill(canvas.below(horizon), canvas.tint("#86ad62"))
    middle = (top + bottom) / 2
    width = bottom - top
    count = canvas.uniform(3, 4.5)
    canvas.fill(canvas.band(middle, width + 0.04), canvas.tint("#cfcdc4"))  # its rims remain as kerbs
    canvas.fill(canvas.band(middle, width), canvas.tint("#66686f", 0.02))
    from_dash = ((count * canvas.x + canvas.uniform(0, 1)) % 1 - 0.5).abs()  # 0 in the middle of each dash
    dashes = canvas.inside((0.28 - from_dash) / count)
    canvas.fill(dashes * canvas.band(middle, 0.032), canvas.tint("#f6eec8"))


def paint_sky(canvas: Canvas) -> None:
    """High up in the blue among soft white clouds."""
    canvas.fill(1, canvas.gradient("#3f93e8", "#a9d8fa"))
    for height in (0.2, 0.42, 0.66, 0.92):
        x = canvas.uniform(0.05, 0.95)
        y = height + canvas.uniform(-0.06, 0.06)
        canvas.cloud(x, y, canvas.uniform(0.35, 0.6))


def paint_night(canvas: Canvas) -> None:
    """A navy sky with few stars over dark hills; no moon, for the moon is one of the objects."""
    canvas.fill(1, canvas.gradient("#0a0f2e", "#2d3270", 0, 0.8))
    for _ in range(12):
        distance = torch.hypot(canvas.x - canvas.uniform(0.03, 0.97), canvas.y - canvas.uniform(0.03, 0.6))
        canvas.fill(canvas.uniform(0.6, 1) * torch.exp(-((distance / 0.012) ** 2)), canvas.tint("#fff6d0"))
    canvas.hills(canvas.uniform(0.62, 0.76), "#181e48", "#0b0f26")


def paint_grass(canvas: Canvas) -> None:
    """A green meadow of rolling hills under a light blue sky."""
    horizon = canvas.uniform(0.32, 0.45)
    canvas.fill(1, canvas.gradient("#8cc9f5", "#dcf1fb", 0, horizon))
    canvas.cloud(canvas.uniform(0.1, 0.9), horizon - canvas.uniform(0.12, 0.2), 0.35, opacity=0.7)
    canvas.hills(horizon, "#97d468", "#74bf4c", "#55a33a")


def paint_desert(canvas: Canvas) -> None:
    """Dunes, one flank lit and one in the shade, before a table mountain and an orange sky."""
    horizon = canvas.uniform(0.36, 0.45)
    canvas.fill(1, canvas.gradient("#f08a3c", "#fdd48a", 0, horizon))
    flank = ((canvas.x - canvas.uniform(0.1, 0.9)).abs() - canvas.uniform(0.1, 0.2)).clamp(min=0)
    canvas.fill(canvas.below(horizon - canvas.uniform(0.08, 0.15) + 2.5 * flank), canvas.tint("#d98850"))
    for depth, sand in ((0, "#f0c073"), (0.18, "#e8ae59"), (0.42, "#dd9c46")):
        top = horizon + depth
        crest = canvas.uniform(0.15, 0.85)
        slope = top - 0.06 + 0.28 * (canvas.x - crest).abs()
        dune = canvas.below(torch.minimum(slope, canvas.wave(top + 0.02, 0.02, 1)))
        canvas.fill(dune, canvas.tint(sand))
        ridge = crest + 0.4 * (canvas.y - top) + 0.05 * torch.sin(9 * (canvas.y - top))  # winds downhill
        canvas.fill(0.5 * dune * canvas.inside(canvas.x - ridge), canvas.tint("#b9732f"))


def paint_snow(canvas: Canvas) -> None:
    """White hills before a chain of icy mountains under a pale grey-blue sky."""
    horizon = canvas.uniform(0.36, 0.45)
    canvas.fill(1, canvas.gradient("#a9bccd", "#d5e0e8", 0, horizon))
    for place, ice in ((0.15, "#a3b8cc"), (0.85, "#a3b8cc"), (0.5, "#8fa9c2")):
        summit = place + canvas.uniform(-0.15, 0.15)
        height = canvas.uniform(0.12, 0.25)
        slope = horizon - height + 0.8 * (canvas.x - summit).abs()
        canvas.fill(canvas.below(slope), canvas.tint(ice, 0.02))
    canvas.hills(horizon, "#d6e4f1", "#e7eff8", "#f9fbff")


def paint_beach(canvas: Canvas) -> None:
    """Sand in front, foam on the shore of a turquoise sea, a bright sky."""
    horizon = canvas.uniform(0.3, 0.42)
    canvas.fill(1, canvas.gradient("#7cc3f2", "#d8f0fa", 0, horizon))
    canvas.fill(canvas.below(horizon), canvas.gradient("#2a9fc4", "#6fdccf", horizon, horizon + 0.25))
    shore = canvas.wave(horizon + 0.2, 0.03, canvas.uniform(0.8, 1.8)) + canvas.uniform(-0.2, 0.2) * (canvas.x - 0.5)
    canvas.fill(canvas.below(shore), canvas.tint("#ffffff", 0))
    canvas.fill(canvas.below(shore + 0.03), canvas.tint("#dcbd86"))  # wet sand
    canvas.fill(canvas.below(shore + canvas.wave(0.08, 0.015, 2)), canvas.gradient("#f5dfa8", "#e9c680", 0.6))


def paint_forest(canvas: Canvas) -> None:
    """Far and near trunks between a dark green canopy and mossy ground."""
    ground = canvas.uniform(0.66, 0.78)
    canvas.fill(1, canvas.gradient("#2f6b3d", "#5a954e", 0, ground))
    _paint_trees(canvas, (0.08, 0.3, 0.52, 0.74, 0.96), ground + 0.045, width=0.045, bark="#35553a", moss="#2b5130")
    _paint_trees(canvas, (0.2, 0.5, 0.8), ground + 0.045 + 0.085, width=0.085, bark="#583b2b", moss="#1d3a22")
    leaves = canvas.wave(canvas.uniform(0.12, 0.24), 0.05, canvas.uniform(1.5, 3))
    canvas.fill(1 - canvas.below(leaves), canvas.tint("#1b4a2b"))


def _paint_trees(canvas: Canvas, places: Sequence[float], ground: float, width: float, bark: str, moss: str) -> None:
    """A row of trunks near the given places, with the ground before them."""
    for place in places:
        root = 0.2 * (canvas.y - ground + 0.06).clamp(min=0)  # trunks widen downwards
        half_width = width * canvas.uniform(0.4, 0.6) + root
        trunk = canvas.inside(half_width - (canvas.x - place - canvas.uniform(-0.1, 0.1)).abs())
        canvas.fill(trunk, canvas.tint(bark))
    canvas.fill(canvas.below(canvas.wave(ground, 0.02, canvas.uniform(0.8, 1.5))), canvas.tint(moss))


SCENES: dict[str, Painter] = {
    "in the ocean": paint_ocean,
    "on the water": paint_water,
    "on the road": paint_road,
    "in the sky": paint_sky,
    "at night": paint_night,
    "on the grass": paint_grass,
    "in the desert": paint_desert,
    "in the snow": paint_snow,
    "on the beach": paint_beach,
    "in the forest": paint_forest,
}


def paint(scene: str, generator: torch.Generator, size: int = 128) -> Float[Tensor, "3 size size"]:
    """Paint one variant of a scene.

    Returns float32 in [0, 1], on the CPU. Raises ValueError for an unknown scene.
    """
    if scene not in SCENES:
        raise ValueError(f"unknown scene {scene!r}; possible ones: {', '.join(map(repr, SCENES))}")
    canvas = Canvas(generator, size)
    SCENES[scene](canvas)
    return canvas.picture.clamp(0, 1)


def paint_all(variants: int, seed: int = 0, size: int = 128) -> Float[Tensor, "scenes variants 3 size size"]:
    """Paint every scene `variants` times; variant k is the same however many are made.

    Returns float32 in [0, 1], on the CPU, the scenes in the order of SCENES.
    """
    pictures = torch.empty(len(SCENES), variants, 3, size, size)
    for index, scene in enumerate(SCENES):
        for variant in range(variants):
            # One seed per (seed, scene, variant): they stay distinct for up to 10,000 variants.
            number = (seed * len(SCENES) + index) * 10_000 + variant
            pictures[index, variant] = paint(scene, torch.Generator().manual_seed(number), size)
    return pictures
