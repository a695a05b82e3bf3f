"""LTX-Video: a transformer over latents that are already small, so that each of them is one token."""

import torch
from einops import rearrange
from torch import Tensor, nn

from .backbone import Latents, register
from .text import Condition
from .wan import Transformer

# What a token is in seconds and pixels, by which its rotary positions are counted: eight frames of 25 a second, and
# 32 x 32 pixels, as in diffusers' pipeline at its defaults.
STRIDES = (8 / 25, 32, 32)


@register("LTXVideoTransformer3DModel")
class LTX(Transformer):
    """Text is masked after its end; one call takes both halves of classifier-free guidance."""

    processors = ("LTXVideoAttnProcessor",)
    joint = True
    padding = "masked"
    tokens = 128
    wide = "ff"

    def __init__(self, network: nn.Module):
        super().__init__(network)
        config = self.network.config
        self.text_width: int = config.caption_channels
        self.multiple = 1
        if self.patch() != (1, 1, 1):
            raise ValueError(f"LTXVideoTransformer3DModel with patches of {self.patch()}: possible are patches of 1")

    def stages(self) -> list[nn.Module]:
        """The blocks."""
        return list(self.network.transformer_blocks)

    def patch(self) -> tuple[int, int, int]:
        """As configured."""
        config = self.network.config
        return config.patch_size_t, config.patch_size, config.patch_size

    def predict(self, latents: Latents, timestep: Tensor, text: Condition) -> Latents:
        """The network takes tokens, and the sizes that they came from."""
        frames, height, width = latents.shape[2:]
        tokens = rearrange(latents, "batch channels frames height width -> batch (frames height width) channels")
        mask = text.mask
        if mask is None:
            mask = torch.ones(text.states.shape[:2], device=latents.device)
        timesteps = timestep.reshape(-1).expand(len(latents))
        sizes = {"num_frames": frames, "height": height, "width": width, "rope_interpolation_scale": STRIDES}
        predicted = self.run(tokens, text.states, timesteps, mask.to(latents.dtype), **sizes)
        pattern = "batch (frames height width) channels -> batch channels frames height width"
        return rearrange(predicted, pattern, frames=frames, height=height, width=width)
