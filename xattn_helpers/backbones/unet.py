"""U-Nets: Stable Diffusion's for images, ModelScope's and ZeroScope's for video."""

from functools import cached_property
from typing import Any

from diffusers.models.attention_processor import Attention
from torch import Tensor, nn

from .backbone import Heads, Latents, NetworkBackbone, Pixels, Site, Tokens, register, split_heads
from .text import Condition

UNSUPPORTED = {  # settings of a network that needs more than latents, a timestep and a text
    "addition_embed_type": "Stable Diffusion XL or one like it, which needs the size of the picture and a second text",
    "class_embed_type": "a network that needs a class label",
    "num_class_embeds": "a network that needs a class label",
    "dual_cross_attention": "a network that needs two texts (Versatile Diffusion)",
    "encoder_hid_dim_type": "a network with an image encoder (IP-Adapter, Kandinsky)",
    "time_cond_proj_dim": "a distilled network that needs the guidance scale as an input (latent consistency)",
}
FIRST = "transformer_in"  # of a video network: along time, before the first block
SPACE_ROWS, TIME_ROWS = "(batch frames) (height width)", "(batch height width) frames"


@register("UNet2DConditionModel", "UNet3DConditionModel")
class UNet(NetworkBackbone):
    """Blocks down, one in the middle, blocks up; frames are folded into the batch wherever pixels attend to text."""

    groups = ("down", "mid", "up")
    rows = "(batch frames) heads (height width)"
    processors = ("AttnProcessor", "AttnProcessor2_0", "SlicedAttnProcessor", "XFormersAttnProcessor")
    joint = True

    def __init__(self, network: nn.Module):
        super().__init__(network)
        config = self.network.config
        for name, kind in UNSUPPORTED.items():
            if config.get(name):
                raise ValueError(f"{type(self.network).__name__} with {name}={config[name]!r}: this is {kind}")
        self.is_video = type(self.network).__name__ == "UNet3DConditionModel"
        self.text_width: int = config.cross_attention_dim
        self.width: int = config.block_out_channels[0]
        self.levels: int = len(config.down_block_types)
        self.multiple = 2 ** (self.levels - 1)

    def sites(self) -> list[Site]:
        """Asked of the modules, because a video network calls its temporal self-attention attn2, too."""
        return self._sites

    @cached_property
    def _sites(self) -> list[Site]:
        sites = []
        for name, module in self.network.named_modules():
            if isinstance(module, Attention) and module.is_cross_attention:
                sites.append(Site(name, name.split("_block")[0]))
        return sorted(sites, key=lambda site: self.groups.index(site.group))  # modules are listed down, up, mid

    def self_attention(self) -> dict[Site, str]:
        """Within frames in the spatial transformers, and along time at each place in the temporal ones."""
        sites = {}
        for name, module in self.network.named_modules():
            if isinstance(module, Attention) and not module.is_cross_attention:
                along_time = "temp_attentions" in name or name.startswith(FIRST)
                sites[Site(name, name.split("_block")[0])] = TIME_ROWS if along_time else SPACE_ROWS
        return sites

    def cells(self, site: Site) -> int:
        """A power of two: each level has half the height and width of the one above it."""
        if site.name.startswith(FIRST):
            return 1
        if site.group == "mid":
            return self.multiple
        block = int(site.name.split(".")[1])
        level = block if site.group == "down" else self.levels - 1 - block
        return 2**level

    def grid(self, site: Site, size: tuple[int, int, int]) -> dict[str, int]:
        """Rounded up, as a convolution of stride two does."""
        frames, height, width = size
        cells = self.cells(site)
        return {"frames": frames, "height": -(-height // cells), "width": -(-width // cells)}

    def project(self, attn: Any, pixels: Pixels, text: Tokens) -> tuple[Heads, Heads, Heads]:
        """As diffusers' AttnProcessor does."""
        if attn.norm_cross:
            text = attn.norm_encoder_hidden_states(text)
        query = split_heads(attn.to_q(pixels), attn.heads)
        key = split_heads(attn.to_k(text), attn.heads)
        value = split_heads(attn.to_v(text), attn.heads)
        return query, key, value

    def stages(self) -> list[nn.Module]:
        """All layers but the first and the last: a whole block is too large to be held at once on a small GPU."""
        stages = [self.network.transformer_in] if self.is_video else []
        for block in (*self.network.down_blocks, self.network.mid_block, *self.network.up_blocks):
            for layers in block.children():
                stages += list(layers) if isinstance(layers, nn.ModuleList) else [layers]
        return stages

    def predict(self, latents: Latents, timestep: Tensor, text: Condition) -> Latents:
        """An image network knows no frames: its latents have one. A video network masks no text."""
        if self.is_video:
            self.refuse_mask(text)
            return self.run(latents, timestep, text.states)
        predicted = self.run(latents[:, :, 0], timestep, text.states, encoder_attention_mask=text.mask)
        return predicted[:, :, None]
