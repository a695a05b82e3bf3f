"""Wan 2.1: a transformer over space and time, with text cross-attention in every block."""

import math
from dataclasses import replace
from typing import Any, ClassVar

from torch import Tensor, nn

from .backbone import Heads, Latents, NetworkBackbone, Pixels, Site, Tokens, register, split_heads
from .text import Condition


class Transformer(NetworkBackbone):
    """What video transformers share: blocks of one width, in three groups by depth; frames are part of the pixels."""

    groups = ("early", "middle", "late")
    rows = "batch heads (frames height width)"
    is_video = True
    wide: ClassVar[str]  # name of the feed-forward layer of a block

    def __init__(self, network: nn.Module):
        super().__init__(network)
        config = self.network.config
        self.width: int = config.num_attention_heads * config.attention_head_dim // math.prod(self.patch())

    def stages(self) -> list[nn.Module]:
        """The blocks."""
        raise NotImplementedError

    def placewise(self) -> list[nn.Module]:
        """The feed-forward layers."""
        return [getattr(block, self.wide) for block in self.stages()]

    def patch(self) -> tuple[int, int, int]:
        """Latent frames, rows and columns that one token stands for."""
        raise NotImplementedError

    def sites(self) -> list[Site]:
        """One in each block."""
        names = {id(module): name for name, module in self.network.named_modules()}
        blocks = self.stages()
        sites = []
        for index, block in enumerate(blocks):
            group = self.groups[len(self.groups) * index // len(blocks)]
            sites.append(Site(f"{names[id(block)]}.attn2", group))
        return sites

    def self_attention(self) -> dict[Site, str]:
        """One in each block, of all frames together."""
        rows = "batch (frames height width)"
        return {replace(site, name=site.name.replace("attn2", "attn1")): rows for site in self.sites()}

    def cells(self, site: Site) -> int:
        """The same in every block."""
        return self.patch()[1]

    def grid(self, site: Site, size: tuple[int, int, int]) -> dict[str, int]:
        """Latents divided into patches."""
        counts = [length // patch for length, patch in zip(size, self.patch(), strict=True)]
        return dict(zip(("frames", "height", "width"), counts, strict=True))

    def project(self, attn: Any, pixels: Pixels, text: Tokens) -> tuple[Heads, Heads, Heads]:
        """Query and key are normalised over all heads together; text attention has no rotary positions."""
        query = split_heads(attn.norm_q(attn.to_q(pixels)), attn.heads)
        key = split_heads(attn.norm_k(attn.to_k(text)), attn.heads)
        value = split_heads(attn.to_v(text), attn.heads)
        return query, key, value


@register("WanTransformer3DModel")
class Wan(Transformer):
    """Text is zero after its end, and not masked; the halves of classifier-free guidance are calls of their own."""

    processors = ("WanAttnProcessor",)
    joint = False
    padding = "zero"
    tokens = 512
    tidies = True
    wide = "ffn"

    def __init__(self, network: nn.Module):
        super().__init__(network)
        config = self.network.config
        if config.get("added_kv_proj_dim") is not None or config.get("image_dim") is not None:
            raise ValueError("WanTransformer3DModel with image_dim: this is image-to-video, which needs an image")
        self.text_width: int = config.text_dim
        self.multiple: int = self.patch()[1]

    def stages(self) -> list[nn.Module]:
        """The blocks."""
        return list(self.network.blocks)

    def patch(self) -> tuple[int, int, int]:
        """As configured: (1, 2, 2) in the published models."""
        return tuple(self.network.config.patch_size)

    def predict(self, latents: Latents, timestep: Tensor, text: Condition) -> Latents:
        """One timestep for each clip."""
        self.refuse_mask(text)
        return self.run(latents, timestep.reshape(-1).expand(len(latents)), text.states)
