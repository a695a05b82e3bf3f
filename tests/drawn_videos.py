"""Videos of the pocket world whose masks are exact: measures are tested on them."""

from collections.abc import Sequence
from functools import cache
from unittest.mock import patch

import numpy as np
import torch

from xattn_helpers.pocket.world import drawing
from xattn_helpers.pocket.world.batches import StoryBatch
from xattn_helpers.pocket.world.scenes import paint_all
from xattn_helpers.pocket.world.vocabulary import MEDIA, OBJECTS

Path = Sequence[tuple[float, float]]  # the centre in each frame as x, y in [0, 1]


@cache
def world() -> drawing.World:
    """With one backdrop of each scene instead of 48, which take long to paint."""
    backdrops = paint_all(1)
    with patch.object(drawing, "backdrops", lambda: backdrops):
        return drawing.World()


def draw(actors: Sequence[tuple[str, Path, float]], scene: str = "on the road") -> tuple[np.ndarray, np.ndarray]:
    """A video (frames, side, side, 3), uint8, of actors (word, path, long side), the last in front, and its masks.

    Masks are (actors, frames, side, side), bool: where each actor is seen.
    """
    words, paths, sides = zip(*actors, strict=True)
    position = torch.tensor(paths, dtype=torch.float32)[None]  # (1, actors, frames, 2)
    ones = torch.ones(position.shape[:3])
    batch = StoryBatch(
        scene=torch.tensor([list(MEDIA).index(scene)]),
        backdrop=torch.tensor([0]),
        objects=torch.tensor([[list(OBJECTS).index(word) for word in words]]),
        position=position,
        size=torch.tensor(sides)[None, :, None] * ones,
        angle=0 * ones,
        facing=ones,
    )
    pixels, masks = world().draw(batch)
    video = (255 * pixels[0]).round().byte().permute(0, 2, 3, 1)  # (frames, side, side, 3)
    return video.numpy(), masks[0].numpy()


def disc(height: int = 12, width: int = 16, x: float = 0.5, y: float = 0.5, radius: float = 0.25) -> torch.Tensor:
    """A disc of this centre and radius, both in parts of the picture, (height, width), bool."""
    ys, xs = (torch.arange(height) + 0.5) / height, (torch.arange(width) + 0.5) / width
    return (xs - x) ** 2 + (ys[:, None] - y) ** 2 <= radius**2
