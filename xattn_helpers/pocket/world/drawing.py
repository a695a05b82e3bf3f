"""Drawing the pocket world: stories in, pixels and exact masks out, batched on any device."""

import io
from functools import cache

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from PIL import Image
from torch import Tensor

from .batches import StoryBatch
from .scenes import paint_all
from .stories import BACKDROPS
from .vocabulary import OBJECTS, SPRITES

SIDE = 128  # pixels
ATLAS_SIDE = 96  # pixels of a sprite in the atlas
SUPERSAMPLING = 4  # pixels that a side of the renderer's picture has for one in the atlas
SHARP = 0.6  # of the atlas' side: things that are drawn smaller are read from sprites of half the side


@cache
def atlas(side: int = ATLAS_SIDE) -> Float[Tensor, "objects 4 side side"]:
    """All sprites in the order of OBJECTS, RGBA in [0, 1] with premultiplied alpha, rendered from the SVGs.

    Raises FileNotFoundError for an object without a drawing.
    """
    return torch.stack([_render(name, side) for name in OBJECTS])


def _render(name: str, side: int) -> Float[Tensor, "4 side side"]:
    import resvg_py  # here, so that sampling from the trained models needs no SVG renderer

    path = SPRITES / f"{name}.svg"
    if not path.exists():
        raise FileNotFoundError(f"object {name!r} is in the vocabulary, but not its drawing {path.name} in {SPRITES}")
    fine = SUPERSAMPLING * side
    png = resvg_py.svg_to_bytes(svg_path=str(path), width=fine, height=fine)
    image = Image.open(io.BytesIO(bytes(png))).convert("RGBA").convert("RGBa")  # "RGBa" is premultiplied
    pixels = np.array(image.resize((side, side), Image.Resampling.BOX))
    return torch.from_numpy(pixels).permute(2, 0, 1) / 255


@cache
def backdrops() -> Float[Tensor, "scenes variants 3 side side"]:
    """All painted scenes, BACKDROPS variants of each with SIDE pixels a side, in [0, 1]."""
    return paint_all(BACKDROPS, size=SIDE)


class World:
    """Draws batches on one device: `video, masks = World("cuda").draw(batch)`."""

    def __init__(self, device: torch.device | str = "cpu"):
        self.device = torch.device(device)
        self.backdrops = backdrops().to(self.device)
        # Two levels against aliasing, as in a mipmap.
        self.sprites = atlas().to(self.device)
        self.half_sprites = F.avg_pool2d(atlas(), 2).to(self.device)

    def draw(
        self, batch: StoryBatch
    ) -> tuple[Float[Tensor, "batch frames 3 side side"], Bool[Tensor, "batch actors frames side side"]]:
        """Pixels in [0, 1], and visible masks, both with SIDE pixels a side.

        A mask is where the actor covers more than half of a pixel and no actor in front of it does.
        """
        batch = batch.to(self.device)
        scenery = self.backdrops[batch.scene, batch.backdrop]
        video = scenery[:, None].expand(-1, batch.frames, -1, -1, -1)
        masks = []
        for slot in range(batch.actors):
            layer = self._draw_actor(batch, slot)
            colours, alpha = layer[:, :, :3], layer[:, :, 3:]
            video = video * (1 - alpha) + colours
            covered = alpha[:, :, 0] > 0.5
            masks = [mask & ~covered for mask in masks]  # of the actors behind this one
            masks.append(covered)
        return video.clamp(0, 1), torch.stack(masks, 1)

    def _draw_actor(self, batch: StoryBatch, slot: int) -> Float[Tensor, "batch frames 4 side side"]:
        """One actor of every story as premultiplied RGBA, transparent where it is absent."""
        objects = batch.objects[:, slot].repeat_interleave(batch.frames)
        size = batch.size[:, slot].flatten()
        transform = _to_sprite(
            batch.position[:, slot].flatten(0, 1), size, batch.angle[:, slot].flatten(), batch.facing[:, slot].flatten()
        )
        grid = F.affine_grid(transform, [len(size), 4, SIDE, SIDE], align_corners=False)
        drawing = self._read_sprites(objects.clamp(min=0), size, grid)
        present = (objects >= 0) & (size > 0)
        drawing = drawing * present[:, None, None, None]
        return drawing.unflatten(0, (len(batch), batch.frames))

    def _read_sprites(
        self, objects: Int[Tensor, " n"], size: Float[Tensor, " n"], grid: Float[Tensor, "n side side 2"]
    ) -> Float[Tensor, "n 4 side side"]:
        """The sprites at the places of a grid, from the level that fits the size."""
        fine = F.grid_sample(self.sprites[objects], grid, align_corners=False)
        coarse = F.grid_sample(self.half_sprites[objects], grid, align_corners=False)
        large = size * SIDE > SHARP * ATLAS_SIDE
        return torch.where(large[:, None, None, None], fine, coarse)


def _to_sprite(
    position: Float[Tensor, "n 2"], size: Float[Tensor, " n"], angle: Float[Tensor, " n"], facing: Float[Tensor, " n"]
) -> Float[Tensor, "n 2 3"]:
    """Affine maps from picture coordinates to sprite coordinates, both in [-1, 1]: shift back, turn back, stretch."""
    x, y = (2 * position - 1).unbind(-1)
    scale = 1 / size.clamp(min=1e-3)
    cos, sin = angle.cos() * scale, angle.sin() * scale
    side = torch.where(facing < 0, -1.0, 1.0)
    flip = side / facing.abs().clamp(min=0.25)  # something that turns around is never seen edge-on
    across = torch.stack([cos * flip, sin * flip, -(cos * x + sin * y) * flip], -1)
    down = torch.stack([-sin, cos, sin * x - cos * y], -1)
    return torch.stack([across, down], 1)
