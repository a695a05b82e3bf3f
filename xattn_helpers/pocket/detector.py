"""The series' measuring instrument: a small U-Net that names the object at every pixel, and the scene."""

from itertools import pairwise
from pathlib import Path

import torch
import torch.nn.functional as F
from diffusers import ConfigMixin, ModelMixin
from diffusers.configuration_utils import register_to_config
from jaxtyping import Float
from torch import Tensor, nn

from ..backbones.checkpoints import quiet

FOLDER = Path(__file__).parent / "weights" / "detector"


class PocketDetector(ModelMixin, ConfigMixin):
    """Per-frame segmentation: class 0 is the background, class i + 1 the i-th of `objects`."""

    @register_to_config
    def __init__(
        self, objects: tuple[str, ...], scenes: tuple[str, ...], channels: tuple[int, ...] = (16, 32, 48, 64, 80)
    ):
        super().__init__()
        self.down = nn.ModuleList()
        for width_in, width_out in pairwise((3, *channels)):
            self.down.append(_block(width_in, width_out))
        self.up = nn.ModuleList()
        for fine, coarse in reversed(list(pairwise(channels))):
            self.up.append(_block(coarse + fine, fine))
        self.pixel_head = nn.Conv2d(channels[0], len(objects) + 1, 1)
        self.scene_head = nn.Linear(channels[-1] + channels[-2], len(scenes))

    @property
    def multiple(self) -> int:
        """What must divide the sides of the frames."""
        return 2 ** (len(self.down) - 1)

    def forward(
        self, frames: Float[Tensor, "n 3 height width"]
    ) -> tuple[Float[Tensor, "n classes height width"], Float[Tensor, "n scenes"]]:
        """Logits of the class of every pixel and of the scene of every frame.

        Frames are in [0, 1], and their sides divisible by `multiple`.
        """
        levels = self._encode(2 * frames - 1)
        coarsest = [level.mean((2, 3)) for level in (levels[-1], levels[-2])]
        by_frame = self.scene_head(torch.cat(coarsest, 1))
        features = levels.pop()
        for block in self.up:
            features = F.interpolate(features, scale_factor=2.0)
            features = block(torch.cat([features, levels.pop()], 1))
        return self.pixel_head(features), by_frame

    def _encode(self, frames: Float[Tensor, "n 3 height width"]) -> list[Float[Tensor, "n channels h w"]]:
        """Features of each level, the finest first, each half as high and wide as the one before."""
        levels = [self.down[0](frames)]
        for block in self.down[1:]:
            levels.append(block(F.max_pool2d(levels[-1], 2)))
        return levels


def _block(width_in: int, width_out: int) -> nn.Sequential:
    """Twice: 3 x 3 convolution, normalisation, activation."""
    layers = []
    for width in (width_in, width_out):
        layers += [nn.Conv2d(width, width_out, 3, padding=1), nn.GroupNorm(8, width_out), nn.SiLU()]
    return nn.Sequential(*layers)


def load_detector(device: str | torch.device = "cpu") -> PocketDetector:
    """The trained detector, in single precision: a new one at each call, `measures.detection.look` keeps its own."""
    with quiet():
        network = PocketDetector.from_pretrained(FOLDER, torch_dtype=torch.float32, local_files_only=True)
    return network.to(device).eval().requires_grad_(False)
