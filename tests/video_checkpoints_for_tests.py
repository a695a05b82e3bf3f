"""Tiny random checkpoints in the layouts of Wan 2.1 and LTX-Video, written by diffusers' own pipelines."""

from pathlib import Path

import pytest
import torch
from diffusers import (
    AutoencoderKLLTXVideo,
    AutoencoderKLWan,
    FlowMatchEulerDiscreteScheduler,
    LTXPipeline,
    UniPCMultistepScheduler,
    WanPipeline,
)
from models_for_tests import PATH
from transformers import T5Config, T5EncoderModel, T5Tokenizer, UMT5Config, UMT5EncoderModel
from transformers_for_tests import build_ltx, build_wan

from xattn_helpers import Bias, Guidance, Swap

PROMPT, OTHER = "a burger floats on the water", "a shark on the water"
each_edit = pytest.mark.parametrize(
    "edit",
    [
        Swap("shark", "burger", source=OTHER), Bias("burger", PATH), Guidance("burger", PATH),
        Guidance("burger", PATH, groups="early", memory="save"),
    ],
    ids=["swap", "bias", "guidance", "saving memory"],
)  # fmt: skip
WIDTH = 16  # of a token's embedding
PIECES = "▁a ▁the ▁on ▁burger ▁ham ▁float s ▁water ▁shark ▁ice ▁cream ▁cre am bur ger ▁é".split()
LTX_SCHEDULE = {
    "use_dynamic_shifting": True, "base_shift": 0.95, "max_shift": 2.05, "base_image_seq_len": 1024,
    "max_image_seq_len": 4096, "shift_terminal": 0.1,
}  # fmt: skip


def build_t5_tokenizer(**options) -> T5Tokenizer:
    """Few pieces: "burger" is one token, "hamburger" two, and what has no piece falls into letters."""
    vocabulary = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("▁", -6.0)]
    vocabulary += [(piece, -3.0) for piece in PIECES]
    vocabulary += [(letter, -9.0) for letter in "abcdefghijklmnopqrstuvwxyz.,!?'-&"]
    return T5Tokenizer(vocab=vocabulary, extra_ids=0, **options)


def build_t5(kind: type, config: type, words: int) -> torch.nn.Module:
    options = {"d_model": WIDTH, "d_kv": 8, "d_ff": 24, "num_layers": 2, "num_heads": 2, "vocab_size": words}
    encoder = kind(config(**options, feed_forward_proj="gated-gelu", relative_attention_num_buckets=8)).eval()
    with torch.no_grad():
        for weight in encoder.parameters():
            weight.mul_(3 if weight.ndim > 1 else 1)
    return encoder


def _trained(vae: torch.nn.Module) -> torch.nn.Module:
    return vae.eval().requires_grad_(False)


def build_wan_vae() -> AutoencoderKLWan:
    """Three levels that halve height and width, of which two halve time."""
    statistics = {"latents_mean": [0.1, -0.2, 0.3, 0.0], "latents_std": [1.5, 2.0, 0.5, 1.0]}
    return _trained(AutoencoderKLWan(base_dim=4, z_dim=4, dim_mult=[1, 1, 1, 1], num_res_blocks=1, **statistics))


def build_ltx_vae(conditioned: bool = False) -> AutoencoderKLLTXVideo:
    """Patches of 4 x 4 pixels, and three levels that halve time, height and width."""
    levels = {"block_out_channels": (8, 8, 8, 8), "decoder_block_out_channels": (8, 8, 8, 8)}
    layers = {"layers_per_block": (1,) * 5, "decoder_layers_per_block": (1,) * 5}
    vae = AutoencoderKLLTXVideo(latent_channels=4, timestep_conditioning=conditioned, **levels, **layers)
    vae.latents_mean.copy_(torch.tensor([0.1, -0.2, 0.3, 0.0]))
    vae.latents_std.copy_(torch.tensor([1.5, 2.0, 0.5, 1.0]))
    return _trained(vae)


def wan_pipeline() -> WanPipeline:
    """Its tokenizer does not tell its length, as the published one."""
    torch.manual_seed(0)
    tokenizer = build_t5_tokenizer()
    scheduler = UniPCMultistepScheduler(prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=3.0)
    text = build_t5(UMT5EncoderModel, UMT5Config, len(tokenizer))
    return WanPipeline(tokenizer, text, build_wan_vae(), scheduler, build_wan())


def ltx_pipeline(conditioned: bool = False) -> LTXPipeline:
    """With the schedule of the published one."""
    torch.manual_seed(0)
    tokenizer = build_t5_tokenizer(model_max_length=128)
    text = build_t5(T5EncoderModel, T5Config, len(tokenizer))
    scheduler = FlowMatchEulerDiscreteScheduler(**LTX_SCHEDULE)
    return LTXPipeline(scheduler, build_ltx_vae(conditioned), text, tokenizer, build_ltx())


def write(folder: Path, pipeline: WanPipeline | LTXPipeline) -> Path:
    """The folder, with model_index.json and the parts in their subfolders."""
    pipeline.save_pretrained(folder)
    return folder
