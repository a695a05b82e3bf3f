"""Networks of published sizes with random weights: time and memory depend on shapes, and nothing is downloaded."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from diffusers import DDIMScheduler, UNet3DConditionModel
from torch import nn

from .checkpoints import CHECKPOINTS
from .model import Model

# What differs from the defaults of its class, which are ModelScope's except for the width of the text and the heads.
MODELSCOPE = {"cross_attention_dim": 1024, "attention_head_dim": 64, "sample_size": 32}
SMALL_MODELSCOPE = {
    "block_out_channels": (32, 32, 64, 64), "layers_per_block": 1, "cross_attention_dim": 32, "attention_head_dim": 16,
    "norm_num_groups": 8, "sample_size": 32,
}  # fmt: skip
BUILDERS: dict[str, Callable[[bool], nn.Module]] = {
    "modelscope": lambda small: UNet3DConditionModel(**(SMALL_MODELSCOPE if small else MODELSCOPE)),
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
    scheduler = DDIMScheduler(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear")
    return Model.of(network, None, None, None, scheduler, CHECKPOINTS[name])


@contextmanager
def default_dtype(dtype: torch.dtype) -> Iterator[None]:
    """Make new tensors in a precision: a network that is first made in single precision does not fit a small GPU."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        yield
    finally:
        torch.set_default_dtype(before)
