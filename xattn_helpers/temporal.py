"""What makes a video model of an image model: temporal layers, with a switch that turns them off, and a clock."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

KINDS = ("TemporalConvLayer", "TransformerTemporalModel")


def temporal_layers(unet: nn.Module) -> list[nn.Module]:
    """The layers of a UNet3D that mix frames, temporal convolutions and transformers; each adds to its input."""
    return [module for module in unet.modules() if type(module).__name__ in KINDS]


def with_clock(latents: Tensor, unet: nn.Module) -> Tensor:
    """The input of a UNet3D: latents (batch, channels, frames, h, w), and a channel for the time if it has one for it.

    The time of a frame goes from -1, the first, to 1, the last. The pocket model was trained with it and hardly uses it
    (lesson 00 looks). A network with as many channels going in as coming out (ModelScope) gets the latents as they are.
    """
    if unet.config.in_channels != unet.config.out_channels + 1:
        return latents
    batch, _, frames, height, width = latents.shape
    time = torch.linspace(-1, 1, frames, device=latents.device, dtype=latents.dtype)[:, None, None]
    return torch.cat([latents, time.expand(batch, 1, frames, height, width)], 1)


@contextmanager
def frames_apart(model) -> Iterator[None]:
    """Let every frame be denoised by itself: inside the block, the temporal layers pass their input on unchanged."""
    layers = temporal_layers(model.unet)
    if not layers:
        raise ValueError(f"{type(model.unet).__name__} has no temporal layers; this needs a video model")
    try:
        for layer in layers:
            returns_tuple = type(layer).__name__ == "TransformerTemporalModel"
            layer.forward = lambda x, *_, wrap=returns_tuple, **__: (x,) if wrap else x
        yield
    finally:
        for layer in layers:
            del layer.forward  # the class's own forward shows again
