"""Tiny random video transformers, and models of them: with a tiny autoencoder and a text that is a table."""

from functools import cache

import torch
from diffusers import FlowMatchEulerDiscreteScheduler, LTXVideoTransformer3DModel, WanTransformer3DModel
from models_for_tests import build_vae

from xattn_helpers.backbones.backbone import find_backbone
from xattn_helpers.backbones.catalogue import Checkpoint
from xattn_helpers.backbones.codec import Codec
from xattn_helpers.backbones.model import Model
from xattn_helpers.backbones.noise import Noise
from xattn_helpers.backbones.text import TOKENIZING, Condition, Text
from xattn_helpers.pocket.text import build_tokenizer

WIDTH = 16  # of a token's embedding
BLOCKS = 3


def build_wan(**changes) -> WanTransformer3DModel:
    """Patches of 2 x 2 latents."""
    options = {
        "patch_size": (1, 2, 2), "num_attention_heads": 2, "attention_head_dim": 12, "in_channels": 4,
        "out_channels": 4, "text_dim": WIDTH, "freq_dim": 8, "ffn_dim": 32, "num_layers": BLOCKS,
    }  # fmt: skip
    return _sharpened(WanTransformer3DModel(**(options | changes)))


def build_ltx(**changes) -> LTXVideoTransformer3DModel:
    """One latent, one token."""
    options = {
        "in_channels": 4, "out_channels": 4, "num_attention_heads": 2, "attention_head_dim": 8, "num_layers": BLOCKS,
        "cross_attention_dim": 16, "caption_channels": WIDTH,
    }  # fmt: skip
    return _sharpened(LTXVideoTransformer3DModel(**(options | changes)))


BUILDERS = {"wan": build_wan, "ltx": build_ltx}


def _sharpened(network: torch.nn.Module) -> torch.nn.Module:
    """Attention that differs from place to place."""
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            if "attn2.norm" in name or "attn2.to_v" in name:
                parameter *= 3
    return network.eval().requires_grad_(False)


class TableText(Text):
    """A random embedding for each token of the pocket words; padding is masked, or zero, as the networks have it."""

    def __init__(self, masked: bool):
        super().__init__(build_tokenizer(), None)
        self.masked = masked
        rows = len(self.tokenizer)
        self.table = torch.randn(rows, WIDTH, generator=torch.Generator().manual_seed(4))

    def encode(self, prompts):
        with TOKENIZING:  # it remembers how it pads: another thread would change that in between
            ids = self.tokenizer(list(prompts), padding="max_length", return_tensors="pt").to(self.table.device)
        real = ids.attention_mask.bool()
        states = self.table[ids.input_ids]
        return Condition(states, real) if self.masked else Condition(states * real[..., None])


@cache
def tiny_transformer(kind: str) -> Model:
    """A model of a tiny random transformer, "wan" or "ltx"; its videos have 3 frames of 16 x 24 pixels."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network, vae = BUILDERS[kind](), build_vae().eval().requires_grad_(False)
    defaults = Checkpoint("tests", 3, 16, 24, steps=3, cfg_scale=4.0)
    noise = Noise(FlowMatchEulerDiscreteScheduler(shift=3.0))
    return Model(find_backbone(network), TableText(kind == "ltx"), Codec(vae), noise, defaults)
