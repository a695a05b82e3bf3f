"""The series' measuring instrument: a small U-Net that names the object at every pixel, and the scene."""

import torch
import torch.nn.functional as F
from diffusers import ConfigMixin, ModelMixin
from diffusers.configuration_utils import register_to_config
from torch import Tensor, nn


class PocketDetector(ModelMixin, ConfigMixin):
    """Per-frame segmentation: class 0 is the background, class i + 1 the i-th of `objects`."""

    @register_to_config
    def __init__(
        self, objects: tuple[str, ...], scenes: tuple[str, ...], channels: tuple[int, ...] = (16, 32, 48, 64, 80)
    ):
        super().__init__()
        self.down = nn.ModuleList(_block(a, b) for a, b in zip((3, *channels), channels, strict=False))
        self.up = nn.ModuleList(_block(a + b, b) for a, b in zip(channels[:0:-1], channels[-2::-1], strict=True))
        self.pixel_head = nn.Conv2d(channels[0], len(objects) + 1, 1)
        self.scene_head = nn.Linear(channels[-1] + channels[-2], len(scenes))

    def forward(self, frames: Tensor) -> tuple[Tensor, Tensor]:
        """Frames (n, 3, h, w) in [0, 1], sides divisible by 16, to logits (n, objects + 1, h, w) and (n, scenes)."""
        features, kept = 2 * frames - 1, []
        for index, block in enumerate(self.down):
            features = block(features if index == 0 else F.max_pool2d(features, 2))
            kept.append(features)
        scene = self.scene_head(torch.cat([level.mean((2, 3)) for level in kept[:-3:-1]], 1))
        for block, skip in zip(self.up, kept[-2::-1], strict=True):
            features = block(torch.cat([F.interpolate(features, scale_factor=2.0), skip], 1))
        return self.pixel_head(features), scene


def _block(width_in: int, width_out: int) -> nn.Sequential:
    """Twice: 3 x 3 convolution, normalisation, activation."""
    layers = []
    for width in (width_in, width_out):
        layers += [nn.Conv2d(width, width_out, 3, padding=1), nn.GroupNorm(8, width_out), nn.SiLU()]
    return nn.Sequential(*layers)
