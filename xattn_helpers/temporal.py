"""What makes a video model of an image model: temporal layers, with a switch that turns them off."""

from collections.abc import Iterator
from contextlib import contextmanager

from torch import nn

KINDS = ("TemporalConvLayer", "TransformerTemporalModel")


def temporal_layers(unet: nn.Module) -> list[nn.Module]:
    """The layers of a UNet3D that mix frames, temporal convolutions and transformers; each adds to its input."""
    return [module for module in unet.modules() if type(module).__name__ in KINDS]


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
