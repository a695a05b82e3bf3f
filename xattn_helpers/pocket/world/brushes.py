"""A canvas with soft brushes, for the painted scenes.

Every length is a fraction of the picture: x runs from 0 (left) to 1 (right), y from 0 (top) to 1 (bottom).
So a scene looks the same at every size.
"""

import math

import torch
from jaxtyping import Float
from torch import Tensor

PUFFS = (-0.36, -0.14, 0.12, 0.34)  # where the puffs of a cloud sit, in widths of the cloud from its middle

Mask = Float[Tensor, "#size #size"]  # how much of each pixel is covered, in [0, 1]; a number is the same everywhere
Line = Float[Tensor, "#size #size"]  # a height y for every column; a number is a level line
Colour = Float[Tensor, "3 #size 1"]  # channels in [0, 1], the same along each row


class Canvas:
    """A picture in the making, with its coordinates and random numbers."""

    def __init__(self, generator: torch.Generator, size: int) -> None:
        centres = (torch.arange(size) + 0.5) / size
        self.x = centres[None, :]  # (1, size)
        self.y = centres[:, None]  # (size, 1)
        self.edge = 1.5 / size  # an edge is spread over 1.5 pixels, or it would be jagged
        self.generator = generator
        self.picture = torch.zeros(3, size, size)

    def uniform(self, low: float, high: float) -> float:
        """Draw a number between low and high."""
        return low + (high - low) * torch.rand((), generator=self.generator).item()

    def tint(self, colour: str, amount: float = 0.035) -> Colour:
        """Turn "#rrggbb" into a colour (3, 1, 1), each channel moved at random by up to `amount`."""
        channels = torch.tensor(list(bytes.fromhex(colour[1:]))) / 255
        shift = 2 * torch.rand(3, generator=self.generator) - 1
        return (channels + amount * shift).view(3, 1, 1)

    def gradient(self, top: str, bottom: str, start: float = 0.0, end: float = 1.0) -> Colour:
        """Blend two tinted colours from y = start down to y = end: (3, size, 1)."""
        depth = (self.y - start) / (end - start)
        return torch.lerp(self.tint(top), self.tint(bottom), depth.clamp(0, 1))

    def wave(self, height: float, swing: float, count: float) -> Line:
        """Draw a smooth random line within `swing` of `height`, with about `count` crests."""
        long = torch.sin(math.tau * (count * self.x + self.uniform(0, 1)))
        short = torch.sin(math.tau * (1.7 * count * self.x + self.uniform(0, 1)))
        return height + swing * (0.7 * long + 0.3 * short)

    def inside(self, distance: Tensor, softness: float = 1.0) -> Mask:
        """Mask of the points with a positive distance to an outline; softness 1 is an edge of 1.5 pixels."""
        return (distance / (softness * self.edge) + 0.5).clamp(0, 1)

    def below(self, line: Line | float) -> Mask:
        """Mask of everything under a line."""
        return self.inside(self.y - line)

    def band(self, line: Line | float, thickness: float, softness: float = 1.0) -> Mask:
        """Mask of a stripe along a line."""
        return self.inside(thickness / 2 - (self.y - line).abs(), softness)

    def fill(self, mask: Mask | float, colour: Colour) -> None:
        """Paint a colour over the picture where the mask is 1."""
        self.picture = self.picture + mask * (colour - self.picture)

    def hills(self, top: float, *colours: str) -> None:
        """Paint rolling hills from `top` down, one row per colour, the farthest first."""
        for row, colour in enumerate(colours):
            height = top + (1 - top) * row / len(colours)
            ridge = self.wave(height, 0.06, self.uniform(0.6, 1.4))
            self.fill(self.below(ridge), self.tint(colour, 0.02))

    def cloud(self, x: float, y: float, width: float, opacity: float = 0.85) -> None:
        """Paint a flat-bottomed cloud whose base is centred at (x, y)."""
        mask = torch.zeros_like(self.picture[0])
        for place in PUFFS:
            radius = width * self.uniform(0.14, 0.26) * (1.2 - 2 * abs(place) ** 1.3)  # smaller towards the ends
            distance = torch.hypot(self.x - x - place * width, self.y - y + 0.3 * radius)
            mask = torch.maximum(mask, self.inside(radius - distance, softness=2.5))
        self.fill(opacity * mask * (1 - self.below(y)), self.tint("#ffffff", 0))
