"""The ten painted scenes in front of which the sprites of the pocket world move.

Every length is a fraction of the picture: x runs from 0 (left) to 1 (right), y from 0 (top) to 1 (bottom).
So a scene looks the same at every size.
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor


class Canvas:
    """A picture in the making: coordinates, random numbers and soft brushes.

    A mask says how much of each pixel is covered: broadcasts to (size, size), range [0, 1].
    A line is a height y for every column: (1, size).
    """

    def __init__(self, generator: torch.Generator, size: int) -> None:
        centres = (torch.arange(size) + 0.5) / size
        self.x, self.y = centres[None, :], centres[:, None]  # (1, size), (size, 1)
        self.edge = 1.5 / size  # an edge is spread over 1.5 pixels, or it would be jagged
        self.generator = generator
        self.picture = torch.zeros(3, size, size)

    def uniform(self, low: float, high: float) -> float:
        """Draw a number between low and high."""
        return low + (high - low) * torch.rand((), generator=self.generator).item()

    def tint(self, colour: str, amount: float = 0.035) -> Tensor:
        """Turn "#rrggbb" into a colour (3, 1, 1), each channel moved at random by up to `amount`."""
        channels = torch.tensor(list(bytes.fromhex(colour[1:]))) / 255
        return (channels + amount * (2 * torch.rand(3, generator=self.generator) - 1)).view(3, 1, 1)

    def gradient(self, top: str, bottom: str, start: float = 0.0, end: float = 1.0) -> Tensor:
        """Blend two tinted colours from y = start down to y = end: (3, size, 1)."""
        return torch.lerp(self.tint(top), self.tint(bottom), ((self.y - start) / (end - start)).clamp(0, 1))

    def wave(self, height: float, swing: float, count: float) -> Tensor:
        """Draw a smooth random line within `swing` of `height`, with about `count` crests."""
        crest = torch.sin(math.tau * (count * self.x + self.uniform(0, 1)))
        return height + swing * (0.7 * crest + 0.3 * torch.sin(math.tau * (1.7 * count * self.x + self.uniform(0, 1))))

    def inside(self, distance: Tensor, softness: float = 1.0) -> Tensor:
        """Mask of the points with a positive distance to an outline; softness 1 is an edge of 1.5 pixels."""
        return (distance / (softness * self.edge) + 0.5).clamp(0, 1)

    def below(self, line: Tensor | float) -> Tensor:
        """Mask of everything under a line."""
        return self.inside(self.y - line)

    def band(self, line: Tensor | float, thickness: float, softness: float = 1.0) -> Tensor:
        """Mask of a stripe along a line."""
        return self.inside(thickness / 2 - (self.y - line).abs(), softness)

    def fill(self, mask: Tensor | float, colour: Tensor) -> None:
        """Paint a colour, (3, 1, 1) or (3, size, 1), over the picture where the mask is 1."""
        self.picture = self.picture + mask * (colour - self.picture)

    def hills(self, top: float, *colours: str) -> None:
        """Paint rolling hills from `top` down, one row per colour, the farthest first."""
        for row, colour in enumerate(colours):
            line = self.wave(top + (1 - top) * row / len(colours), 0.06, self.uniform(0.6, 1.4))
            self.fill(self.below(line), self.tint(colour, 0.02))

    def cloud(self, x: float, y: float, width: float, opacity: float = 0.85) -> None:
        """Paint a flat-bottomed cloud whose base is centred at (x, y)."""
        mask = torch.zeros_like(self.picture[0])
        for place in (-0.36, -0.14, 0.12, 0.34):
            radius = width * self.uniform(0.14, 0.26) * (1.2 - 2 * abs(place) ** 1.3)  # puffs shrink towards the ends
            distance = torch.hypot(self.x - x - place * width, self.y - y + 0.3 * radius)
            mask = torch.maximum(mask, self.inside(radius - distance, softness=2.5))
        self.fill(opacity * mask * (1 - self.below(y)), self.tint("#ffffff", 0))


def paint_ocean(canvas: Canvas) -> None:
    """Deep blue under water: shafts of light from above, weed on a sandy floor."""
    canvas.fill(1, canvas.gradient("#2f8fd6", "#0a2c68"))
    slant, floor = canvas.uniform(-0.5, 0.5), canvas.uniform(0.8, 0.9)
    for place in (0.15, 0.5, 0.85):
        off_axis = (canvas.x - place - canvas.uniform(-0.13, 0.13) - slant * canvas.y).abs()
        shaft = canvas.inside(canvas.uniform(0.03, 0.07) * (1 + canvas.y) - off_axis, softness=4)
        canvas.fill(0.35 * shaft * (1 - canvas.y / 0.8).clamp(0, 1), canvas.tint("#a8e4ff"))
    for place in (0.1, 0.35, 0.65, 0.9):
        stem = place + canvas.uniform(-0.1, 0.1) + 0.025 * torch.sin(math.tau * (canvas.y * 4 + place))
        width = 0.25 * (canvas.y - floor + canvas.uniform(0.1, 0.3)).clamp(0, 0.1)  # the blade ends in a point
        canvas.fill(canvas.inside(width - (canvas.x - stem).abs() - canvas.edge / 2), canvas.tint("#146a66"))
    canvas.fill(canvas.below(canvas.wave(floor, 0.03, canvas.uniform(0.8, 1.6))), canvas.tint("#b0a070"))


def paint_water(canvas: Canvas) -> None:
    """The surface of a teal sea with bands of waves, the nearer the wider, under a pale sky."""
    horizon, count = canvas.uniform(0.3, 0.45), canvas.uniform(2.5, 4)
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
    road, end = horizon + canvas.uniform(0.06, 0.13), canvas.uniform(0.86, 0.96)
    canvas.fill(1, canvas.gradient("#b4d3ee", "#f1f3ea", 0, horizon))
    canvas.fill(canvas.below(canvas.wave(horizon - 0.06, 0.04, canvas.uniform(0.8, 1.6))), canvas.tint("#b5cbc3"))
    canvas.fill(canvas.below(horizon), canvas.tint("#86ad62"))
    middle, width, count = (road + end) / 2, end - road, canvas.uniform(3, 4.5)
    canvas.fill(canvas.band(middle, width + 0.04), canvas.tint("#cfcdc4"))  # its rims remain as kerbs
    canvas.fill(canvas.band(middle, width), canvas.tint("#66686f", 0.02))
    dashes = canvas.inside((0.28 - ((count * canvas.x + canvas.uniform(0, 1)) % 1 - 0.5).abs()) / count)
    canvas.fill(dashes * canvas.band(middle, 0.032), canvas.tint("#f6eec8"))


def paint_sky(canvas: Canvas) -> None:
    """High up in the blue among soft white clouds."""
    canvas.fill(1, canvas.gradient("#3f93e8", "#a9d8fa"))
    for height in (0.2, 0.42, 0.66, 0.92):
        x, y = canvas.uniform(0.05, 0.95), height + canvas.uniform(-0.06, 0.06)
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
        top, crest = horizon + depth, canvas.uniform(0.15, 0.85)
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
        summit, height = place + canvas.uniform(-0.15, 0.15), canvas.uniform(0.12, 0.25)
        canvas.fill(canvas.below(horizon - height + 0.8 * (canvas.x - summit).abs()), canvas.tint(ice, 0.02))
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
    far = (0.08, 0.3, 0.52, 0.74, 0.96), 0.045, "#35553a", "#2b5130"
    near = (0.2, 0.5, 0.8), 0.085, "#583b2b", "#1d3a22"
    for places, width, bark, moss in (far, near):
        ground = ground + width
        for place in places:
            half = width * canvas.uniform(0.4, 0.6) + 0.2 * (canvas.y - ground + 0.06).clamp(min=0)  # wider at the root
            canvas.fill(canvas.inside(half - (canvas.x - place - canvas.uniform(-0.1, 0.1)).abs()), canvas.tint(bark))
        canvas.fill(canvas.below(canvas.wave(ground, 0.02, canvas.uniform(0.8, 1.5))), canvas.tint(moss))
    leaves = canvas.wave(canvas.uniform(0.12, 0.24), 0.05, canvas.uniform(1.5, 3))
    canvas.fill(1 - canvas.below(leaves), canvas.tint("#1b4a2b"))


Painter = Callable[[Canvas], None]

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


def paint(scene: str, generator: torch.Generator, size: int = 128) -> Tensor:
    """Paint one variant of a scene.

    Returns (3, size, size), float32 in [0, 1], on the CPU. Raises ValueError for an unknown scene.
    """
    if scene not in SCENES:
        raise ValueError(f"unknown scene {scene!r}; possible ones: {', '.join(map(repr, SCENES))}")
    canvas = Canvas(generator, size)
    SCENES[scene](canvas)
    return canvas.picture.clamp(0, 1)


def paint_all(variants: int, seed: int = 0, size: int = 128) -> Tensor:
    """Paint every scene `variants` times; variant k is the same however many are made.

    Returns (len(SCENES), variants, 3, size, size), float32 in [0, 1], on the CPU.
    """
    pictures = [
        # One seed per (seed, scene, variant): they stay distinct for up to 10,000 variants.
        paint(scene, torch.Generator().manual_seed((seed * len(SCENES) + index) * 10_000 + variant), size)
        for index, scene in enumerate(SCENES)
        for variant in range(variants)
    ]
    return torch.stack(pictures).view(len(SCENES), variants, 3, size, size)
