"""Random single frames of the pocket world, on which the autoencoder and the detector are trained."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from ..world.batches import sample_batch
from ..world.drawing import World


@dataclass(frozen=True)
class Frames:
    """Drawn frames with the truth about them."""

    pixels: Float[Tensor, "count 3 height width"]  # in [0, 1]
    masks: Bool[Tensor, "count actors height width"]
    objects: Int[Tensor, "count actors"]  # index into OBJECTS, -1 where an actor is absent
    scenes: Int[Tensor, " count"]  # index into MEDIA


class FramePool:
    """Draws frames at random from a fixed number of stories, which the seed decides."""

    def __init__(self, device: torch.device | str, stories: int, seed: int):
        self.world = World(device)
        self.batch, _ = sample_batch(stories, seed)

    def sample(self, count: int) -> Frames:
        """`count` frames on the device of the pool, drawn with torch's own random numbers."""
        story = torch.randint(len(self.batch), (count,))
        frame = torch.randint(self.batch.frames, (count, 1))
        batch = self.batch[story].select_frames(frame)
        video, masks = self.world.draw(batch)
        device = self.world.device
        return Frames(video[:, 0], masks[:, :, 0], batch.objects.to(device), batch.scene.to(device))
