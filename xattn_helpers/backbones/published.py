"""Networks of published sizes with random weights: time and memory depend on shapes, and nothing is downloaded."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from diffusers import (
    DDIMScheduler,
    FlowMatchEulerDiscreteScheduler,
    LTXVideoTransformer3DModel,
    UNet3DConditionModel,
    UniPCMultistepScheduler,
    WanTransformer3DModel,
)
from torch import nn

from .catalogue import CHECKPOINTS
from .model import Model

# What differs from the defaults of its class. Those of U-Nets are ModelScope's except for the width of the text and the
# heads; those of LTX-Video are the published 2B's.
MODELSCOPE = {"cross_attention_dim": 1024, "attention_head_dim": 64, "sample_size": 32}
SMALL_MODELSCOPE = {
    "block_out_channels": (32, 32, 64, 64), "layers_per_block": 1, "cross_attention_dim": 32, "attention_head_dim": 16,
    "norm_num_groups": 8, "sample_size": 32,
}  # fmt: skip
WAN = {"num_attention_heads": 12, "ffn_dim": 8960, "num_layers": 30}
SMALL_WAN = {
    "num_attention_heads": 2, "attention_head_dim": 12, "ffn_dim": 32, "num_layers": 6, "text_dim": 32, "freq_dim": 8,
}  # fmt: skip
SMALL_LTX = {
    "num_attention_heads": 2, "attention_head_dim": 16, "cross_attention_dim": 32, "num_layers": 6,
    "caption_channels": 32,
}  # fmt: skip
BUILDERS: dict[str, Callable[[bool], nn.Module]] = {
    "modelscope": lambda small: UNet3DConditionModel(**(SMALL_MODELSCOPE if small else MODELSCOPE)),
    "wan": lambda small: WanTransformer3DModel(**(SMALL_WAN if small else WAN)),
    "ltx": lambda small: LTXVideoTransformer3DModel(**(SMALL_LTX if small else {})),
}
TITLES = {"modelscope": "ModelScope", "wan": "Wan 2.1 1.3B", "ltx": "LTX-Video 2B"}
STRIDES = {"modelscope": (1, 8), "wan": (4, 8), "ltx": (8, 32)}  # frames a latent frame, pixels a latent cell
SCHEDULERS: dict[str, Callable[[], Any]] = {  # as published; ModelScope's is replaced when it is loaded, too
    "modelscope": lambda: DDIMScheduler(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear"),
    "wan": lambda: UniPCMultistepScheduler(prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=3.0),
    "ltx": lambda: FlowMatchEulerDiscreteScheduler(
        use_dynamic_shifting=True, base_shift=0.95, max_shift=2.05, base_image_seq_len=1024, shift_terminal=0.1
    ),
}


def build(
    name: str = "modelscope", device: str = "cuda", dtype: torch.dtype | str = torch.float16, small: bool = False
) -> Model:
    """A model of a published layout, with random weights and nothing but its network and its noise schedule.

    `small` has as many levels and groups in a fraction of the size, for a CPU. Latents have `model.backbone.channels`,
    embeddings `model.backbone.text_width`; prompts can be encoded by nobody, videos decoded by nobody. Raises
    ValueError for an unknown name.
    """
    if name not in BUILDERS:
        raise ValueError(f"name={name!r}: possible are {', '.join(map(repr, BUILDERS))}")
    precision = getattr(torch, dtype) if isinstance(dtype, str) else dtype
    torch.manual_seed(0)
    with torch.device(device), default_dtype(precision):
        network = BUILDERS[name](small).eval().requires_grad_(False)
    return Model.of(network, None, None, None, SCHEDULERS[name](), CHECKPOINTS[name])


def latent_size(name: str, frames: int, height: int, width: int) -> tuple[int, int, int]:
    """Frames, height and width of the latents of a video, by a published autoencoder."""
    span, pixels = STRIDES[name]
    return 1 + (frames - 1) // span, height // pixels, width // pixels


@contextmanager
def default_dtype(dtype: torch.dtype) -> Iterator[None]:
    """Make new tensors in a precision: a network that is first made in single precision does not fit a small GPU."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        yield
    finally:
        torch.set_default_dtype(before)
