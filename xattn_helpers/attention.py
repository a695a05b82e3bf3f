"""The attention seam: one processor on the text cross-attention layers, and controllers that see its probabilities.

A controller is called as `controller(probabilities, layer, step)` and returns probabilities, the same or changed:

    probabilities  (batch, frames, heads, height, width, tokens), each row of tokens sums to one;
                   under classifier-free guidance the batch is [unconditional, conditional]
    layer          `Layer`: its name and place
    step           `Step`: index of the denoising step, its timestep, and whether the batch has both halves

Controllers with `records = True` run after all others, and so see what the model really uses.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import torch
from diffusers.models.attention_processor import Attention
from torch import Tensor, nn

PLACES = ("down", "mid", "up")


@dataclass(frozen=True)
class Layer:
    """A text cross-attention layer of a UNet."""

    name: str
    place: str  # down, mid or up

    def __str__(self) -> str:
        return self.name.removesuffix(".transformer_blocks.0.attn2")


@dataclass(frozen=True)
class Step:
    """When in the run of the model a layer is called."""

    index: int  # of the denoising step; calls at the same timestep share it
    timestep: int
    call: int  # of the UNet; layers that run again inside the same call are recomputed for a gradient
    guided: bool  # whether the batch is [unconditional, conditional]


Controller = Callable[[Tensor, Layer, Step], Tensor]


def find_layers(unet: nn.Module) -> list[Layer]:
    """The layers in which pixels attend to the prompt, found by asking the modules, in the order in which they run."""
    names = [n for n, m in unet.named_modules() if isinstance(m, Attention) and m.is_cross_attention]
    layers = [Layer(name, name.split("_block")[0]) for name in names]
    return sorted(layers, key=lambda layer: PLACES.index(layer.place))  # modules are listed down, up, mid


def several(given) -> tuple:
    """One, several or none of something, as a tuple."""
    return () if given is None else (given,) if isinstance(given, (str, int)) else tuple(given)


@dataclass
class _Tap:
    """What a UNet is doing right now, read by hooks, and who wants to see which of its layers."""

    model: object
    before: dict  # layer name: the processor that comes back in the end
    controllers: list = field(default_factory=list)  # (controller, names of its layers)
    frames: int = 1
    step: Step = Step(-1, -1, -1, False)
    sizes: dict = field(default_factory=dict)  # layer name: (height, width)
    handles: list = field(default_factory=list)

    def refresh(self, layers: list[Layer]) -> None:
        """Give the explicit softmax to the layers that somebody wants to see, and to no others: it costs memory."""
        wanted = {name for _, names in self.controllers for name in names}
        for layer in layers:  # one by one: unet.set_attn_processor walks through all modules of the network
            ours = TextAttention(layer, self) if layer.name in wanted else self.before[layer.name]
            self.model.unet.get_submodule(layer.name).set_processor(ours)

    def seen_by(self, name: str) -> list[Controller]:
        """The controllers of one layer, those that record last."""
        there = [controller for controller, names in self.controllers if name in names]
        return sorted(there, key=lambda controller: getattr(controller, "records", False))

    def hook(self, layers: list[Layer]) -> None:
        """Watch the UNet for frames and timesteps, and each layer's transformer for the shape of its feature map."""
        unet = self.model.unet
        self.handles = [unet.register_forward_pre_hook(self._called, with_kwargs=True)]
        for layer in layers:
            transformer = unet.get_submodule(layer.name.split(".transformer_blocks")[0])
            self.handles.append(transformer.register_forward_pre_hook(self._watch(layer.name), with_kwargs=True))

    def _called(self, unet: nn.Module, args: tuple, kwargs: dict) -> None:
        sample = args[0] if args else kwargs["sample"]
        timestep = args[1] if len(args) > 1 else kwargs["timestep"]
        self.frames = sample.shape[2] if sample.ndim == 5 else 1
        if sample.is_cuda and torch.cuda.is_current_stream_capturing():
            return  # a CUDA graph holds for all timesteps, and none can be read while it is captured
        timestep = int(timestep.flatten()[0] if isinstance(timestep, Tensor) else timestep)  # may be one per sample
        index = self.step.index + (timestep != self.step.timestep)
        self.step = Step(index, timestep, self.step.call + 1, self.model.guided)

    def _watch(self, name: str) -> Callable:
        def note(module: nn.Module, args: tuple, kwargs: dict) -> None:
            features = args[0] if args else kwargs["hidden_states"]
            self.sizes[name] = tuple(features.shape[-2:])

        return note


class TextAttention:
    """Cross-attention with an explicit softmax, whose probabilities pass through the controllers."""

    def __init__(self, layer: Layer, tap: _Tap):
        self.layer, self.tap = layer, tap

    def __call__(
        self,
        attn: Attention,
        hidden_states: Tensor,
        encoder_hidden_states: Tensor,
        attention_mask: Tensor | None = None,
        **_,
    ) -> Tensor:
        """Pixels (batch * frames, height * width, channels) attend to tokens (batch * frames, tokens, width)."""
        query = attn.head_to_batch_dim(attn.to_q(hidden_states))
        key = attn.head_to_batch_dim(attn.to_k(encoder_hidden_states))
        value = attn.head_to_batch_dim(attn.to_v(encoder_hidden_states))
        weights = attn.get_attention_scores(query, key, attention_mask)  # (batch * frames * heads, pixels, tokens)
        weights = self._controlled(weights, attn.heads)
        hidden_states = attn.batch_to_head_dim(torch.bmm(weights.to(value.dtype), value))
        return attn.to_out[1](attn.to_out[0](hidden_states))

    def _controlled(self, weights: Tensor, heads: int) -> Tensor:
        height, width = self.tap.sizes[self.layer.name]
        shape = (-1, self.tap.frames, heads, height, width, weights.shape[-1])
        probabilities = weights.view(shape)
        for controller in self.tap.seen_by(self.layer.name):
            probabilities = controller(probabilities, self.layer, self.tap.step)
            if not isinstance(probabilities, Tensor) or probabilities.shape[-1] != weights.shape[-1]:
                raise TypeError(f"controller {controller!r} must return probabilities like those that it was given")
        return probabilities.reshape_as(weights)


@contextmanager
def controlled(model, controller: Controller, layers: list[Layer] | None = None) -> Iterator[None]:
    """Let `controller` see the text cross-attention of the model inside the block; nests; always restores.

    `layers` are those that it sees, all by default; the others keep their faster attention. Raises ValueError for a
    model without text cross-attention, and for an empty choice.
    """
    there = find_layers(model.unet)
    if not there:
        raise ValueError(_no_layers(model.unet))
    names = {layer.name for layer in (there if layers is None else layers)}
    if not names:
        raise ValueError(f"layers: none chosen; there are {', '.join(map(str, there))}")
    tap, outermost = getattr(model.unet, "_attention_tap", None), False
    if tap is None:
        tap, outermost = _Tap(model, {one.name: model.unet.get_submodule(one.name).processor for one in there}), True
    entry = (controller, names)
    try:
        if outermost:
            model.unet._attention_tap = tap
            tap.hook(there)
        tap.controllers.append(entry)
        tap.refresh(there)
        yield
    finally:
        tap.controllers = [one for one in tap.controllers if one is not entry]
        tap.refresh(there)
        if outermost:
            for handle in tap.handles:
                handle.remove()
            del model.unet._attention_tap


def _no_layers(unet: nn.Module) -> str:
    kinds = sorted({type(one).__name__ for one in unet.modules() if "ttention" in type(one).__name__})
    return (
        f"{type(unet).__name__} has no text cross-attention (a diffusers Attention with is_cross_attention); "
        f"its attention modules: {', '.join(kinds) or 'none'}"
    )
