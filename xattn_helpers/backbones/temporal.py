"""What makes a video model of an image model: temporal layers, with a switch that turns them off."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from torch import Tensor, nn

from .patching import UNCOMPILED, SharedPatch

TRANSFORMER = "TransformerTemporalModel"
KINDS = ("TemporalConvLayer", TRANSFORMER)


def temporal_layers(network: nn.Module) -> list[nn.Module]:
    """The layers of a video U-Net that mix frames, temporal convolutions and transformers; each adds to its input."""
    return [module for module in network.modules() if type(module).__name__ in KINDS]


def align_rows(network: nn.Module) -> None:
    """Let every temporal transformer project rows whose numbers lie side by side in memory.

    Of a single clip diffusers hands it a view, whose numbers lie far apart. For the projection of that, and its
    gradient, a CPU takes three to five times longer than for a copy and its projection.
    """
    for layer in temporal_layers(network):
        if type(layer).__name__ == TRANSFORMER:
            layer.get_submodule("proj_in").register_forward_pre_hook(_aligned)


def _aligned(_layer: nn.Module, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    return tuple(rows.contiguous() for rows in inputs)


APART: ContextVar[bool] = ContextVar("APART", default=False)  # whether this thread denoises every frame by itself


@contextmanager
def frames_apart(model: Any) -> Iterator[None]:
    """Let every frame be denoised by itself: inside the block, the temporal layers pass their input on unchanged.

    Raises ValueError for a network without temporal layers.
    """
    if not temporal_layers(model.network):
        raise ValueError(f"{type(model.network).__name__} has no temporal layers; this needs a video model")
    with UNCOMPILED.on(model.network), SWITCHES.on(model.network):
        token = APART.set(True)
        try:
            yield
        finally:
            APART.reset(token)


def _put_switches(network: nn.Module) -> list[Any]:
    layers: list[Any] = temporal_layers(network)
    for layer in layers:
        layer.forward = _switched(layer.forward, returns_tuple=type(layer).__name__ == TRANSFORMER)
    return layers


def _take_switches(network: nn.Module, layers: list[Any]) -> None:
    for layer in layers:
        del layer.forward  # the class's own forward shows again


SWITCHES = SharedPatch(_put_switches, _take_switches)


def _switched(forward: Callable, returns_tuple: bool) -> Callable:
    def run(hidden_states: Tensor, *inputs: Any, **options: Any) -> Any:
        if not APART.get():
            return forward(hidden_states, *inputs, **options)
        return (hidden_states,) if returns_tuple else hidden_states

    return run
