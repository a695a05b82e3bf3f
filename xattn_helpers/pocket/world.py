"""Drawing the pocket world: clips in, pixels and exact masks out, batched on any device."""

import io
import random
from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from .clips import BACKDROPS, Clip, sample
from .scenes import SCENES, paint_all
from .vocabulary import OBJECTS, SPRITES

SIDE = 128  # pixels
ATLAS_SIDE = 96  # pixels of a sprite in the atlas


@cache
def atlas(side: int = ATLAS_SIDE) -> Tensor:
    """All sprites, (objects, 4, side, side), RGBA in [0, 1] with premultiplied alpha, rendered from the SVGs."""
    return torch.stack([_sprite(name, side) for name in OBJECTS])


def _sprite(name: str, side: int) -> Tensor:
    import resvg_py  # here, so that sampling from the trained models needs no SVG renderer

    path = SPRITES / f"{name}.svg"
    if not path.exists():
        raise FileNotFoundError(f"object {name!r} is in the vocabulary, but not its drawing {path.name} in {SPRITES}")
    png = resvg_py.svg_to_bytes(svg_path=str(path), width=4 * side, height=4 * side)
    image = Image.open(io.BytesIO(bytes(png))).convert("RGBA").convert("RGBa")  # "RGBa" is premultiplied
    return torch.from_numpy(np.array(image.resize((side, side), Image.BOX))).permute(2, 0, 1) / 255


@cache
def backdrops() -> Tensor:
    """All painted scenes, (scenes, BACKDROPS, 3, SIDE, SIDE) in [0, 1]."""
    return paint_all(BACKDROPS, size=SIDE)


@dataclass
class Batch:
    """Clips as tensors, ready to be drawn; an actor that is not there has size 0 and object -1."""

    scene: Tensor  # (batch,)
    backdrop: Tensor  # (batch,)
    objects: Tensor  # (batch, actors): index into OBJECTS, in drawing order
    position: Tensor  # (batch, actors, frames, 2)
    size: Tensor  # (batch, actors, frames)
    angle: Tensor  # (batch, actors, frames), radians
    facing: Tensor  # (batch, actors, frames)

    def __getitem__(self, index) -> "Batch":
        """The clips at `index` of the batch."""
        return Batch(**{name: tensor[index] for name, tensor in vars(self).items()})

    def frames(self, index: Tensor) -> "Batch":
        """Each clip reduced to its own frames; `index` is (batch, frames)."""

        def pick(tensor: Tensor) -> Tensor:
            at = index[:, None, :, None] if tensor.ndim == 4 else index[:, None]
            shape = (*tensor.shape[:2], index.shape[1], *tensor.shape[3:])
            return tensor.gather(2, at.expand(shape))

        moving = {name: pick(getattr(self, name)) for name in ("position", "size", "angle", "facing")}
        return Batch(self.scene, self.backdrop, self.objects, **moving)

    def to(self, device) -> "Batch":
        """The same batch on another device."""
        return Batch(**{name: tensor.to(device) for name, tensor in vars(self).items()})


def collate(clips: list[Clip]) -> Batch:
    """Stack clips of equal length."""
    frames = len(clips[0].actors[0].size)
    slots = max(len(clip.actors) for clip in clips)
    names, scenes = list(OBJECTS), list(SCENES)
    zeros, ones = np.zeros(frames), np.ones(frames)
    missing = {"position": np.zeros((frames, 2)), "size": zeros, "angle": zeros, "facing": ones}
    tracks = {}
    for key, none in missing.items():
        rows = [[getattr(a, key) for a in clip.actors] + [none] * (slots - len(clip.actors)) for clip in clips]
        tracks[key] = np.array(rows, np.float32)
    tracks["angle"] = np.deg2rad(tracks["angle"])
    objects = [[names.index(a.name) for a in c.actors] + [-1] * (slots - len(c.actors)) for c in clips]
    return Batch(
        scene=torch.tensor([scenes.index(clip.scene) for clip in clips]),
        backdrop=torch.tensor([clip.backdrop for clip in clips]),
        objects=torch.tensor(objects),
        **{key: torch.from_numpy(track) for key, track in tracks.items()},
    )


class World:
    """Draws batches on one device: `video, masks = World("cuda").draw(batch)`."""

    def __init__(self, device="cpu"):
        self.device = torch.device(device)
        self.scenes = backdrops().to(self.device)
        fine = atlas()
        self.sprites = fine.to(self.device), F.avg_pool2d(fine, 2).to(self.device)  # two levels against aliasing

    def draw(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Pixels and visible masks: (batch, frames, 3, SIDE, SIDE) in [0, 1], (batch, actors, frames, SIDE, SIDE) bool.

        A mask is where the actor covers more than half of a pixel and no actor in front of it does.
        """
        batch = batch.to(self.device)
        clips, slots, frames = batch.size.shape
        video = self.scenes[batch.scene, batch.backdrop][:, None].expand(-1, frames, -1, -1, -1)
        masks = torch.zeros(clips, slots, frames, SIDE, SIDE, device=self.device, dtype=torch.bool)
        for slot in range(slots):
            drawing = self._draw_actor(batch, slot)  # (clips, frames, 4, SIDE, SIDE)
            alpha = drawing[:, :, 3:]
            video = video * (1 - alpha) + drawing[:, :, :3]
            covered = alpha[:, :, 0] > 0.5
            masks[:, :slot] &= ~covered[:, None]
            masks[:, slot] = covered
        return video.clamp(0, 1), masks

    def _draw_actor(self, batch: Batch, slot: int) -> Tensor:
        """One actor of every clip as premultiplied RGBA, transparent where it is not."""
        clips, _, frames = batch.size.shape
        size = batch.size[:, slot].flatten()
        there = ((batch.objects[:, slot] >= 0)[:, None] & (batch.size[:, slot] > 0)).flatten()
        angle, facing = batch.angle[:, slot].flatten(), batch.facing[:, slot].flatten()
        transform = _to_sprite(batch.position[:, slot].flatten(0, 1), size, angle, facing)
        grid = F.affine_grid(transform, (clips * frames, 4, SIDE, SIDE), align_corners=False)
        which = batch.objects[:, slot].clamp(min=0).repeat_interleave(frames)
        fine, coarse = (F.grid_sample(level[which], grid, align_corners=False) for level in self.sprites)
        drawing = torch.where((size * SIDE > 0.6 * ATLAS_SIDE)[:, None, None, None], fine, coarse)
        return (drawing * there[:, None, None, None]).unflatten(0, (clips, frames))


def _to_sprite(position: Tensor, size: Tensor, angle: Tensor, facing: Tensor) -> Tensor:
    """Affine maps (n, 2, 3) from picture coordinates to sprite coordinates, both in [-1, 1]."""
    x, y = (2 * position - 1).unbind(-1)
    scale = 1 / size.clamp(min=1e-3)
    cos, sin = angle.cos() * scale, angle.sin() * scale
    flip = 1 / torch.where(facing.abs() < 0.25, facing.sign() * 0.25 + (facing == 0) * 0.25, facing)  # never edge-on
    across = torch.stack([cos * flip, sin * flip, -(cos * x + sin * y) * flip], -1)
    down = torch.stack([-sin, cos, sin * x - cos * y], -1)
    return torch.stack([across, down], 1)


def sample_batch(count: int, seed: int) -> tuple[Batch, list[Clip]]:
    """`count` random clips, the same for the same seed, as tensors and as clips with captions."""
    rng = random.Random(seed)
    clips = [sample(rng) for _ in range(count)]
    return collate(clips), clips
