"""The denoising steps that `full_size` compares: unguided, guided by this package, and as the paper's released code."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace
from typing import Any

import torch
from diffusers.models.attention_processor import AttnProcessor
from torch import Tensor

from xattn_helpers import Guidance, Model, track

from ..backbones import published
from ..backbones.text import Condition, Text
from ..edits.edit import Run
from ..pocket.text import build_tokenizer

PROMPT, WORD, PATH = "a burger floats on the water", "burger", track([(0.25, 0.25), (0.25, 0.8)])
PIXELS = 8  # in each direction, that one latent stands for
TIMESTEP, TOKENS, STEPS, CFG_SCALE = 500, 77, 50, 9.0
POSITION = 2  # of the word, among the tokens
CELLS = (2, 4)  # maps of 16 x 16 and 8 x 8 for latents of 32 x 32: those that guidance and the paper use
UNGUIDED, GRADIENT, GUIDED = "unguided step", "gradient pass", "guided step"
RELEASED_GRADIENT, RELEASED = "gradient pass, released code", "guided step, released code"
OPTIONS = {  # kind: knobs of Guidance
    GUIDED: {"memory": "spend"},
    "guided step, checkpoint": {"memory": "save"},
    "guided step, groups=down": {"groups": "down", "memory": "spend"},
}
GRAPHS = {  # likewise, on a GPU only
    "guided step, graphed": {"graphed": True, "memory": "spend"},
    "guided step, graphed and checkpoint": {"graphed": True, "memory": "save"},
}
Action = Callable[[], object]


def kinds(device: str) -> tuple[str, ...]:
    """The kinds of steps that a device can do, in the order of the table."""
    graphs = GRAPHS if device == "cuda" else {}
    return (UNGUIDED, GRADIENT, *OPTIONS, *graphs, RELEASED_GRADIENT, RELEASED)


def build(device: str, precision: str, small: bool) -> Model:
    """A random network of a published layout, with a tokenizer that finds the word."""
    model = published.build("modelscope", device, precision, small)
    return replace(model, text=Text(build_tokenizer(), None))


class Steps:
    """The kinds of denoising steps of one clip."""

    def __init__(self, model: Model, frames: int, side: int):
        self.model = model
        options = {"device": model.device, "dtype": model.dtype}
        generator = torch.Generator(model.device).manual_seed(0)
        size = (frames, side // PIXELS, side // PIXELS)
        self.latents = torch.randn(1, model.backbone.channels, *size, generator=generator, **options)
        texts = torch.randn(2, 1, TOKENS, model.backbone.text_width, generator=generator, **options)
        self.text, self.negative = Condition(texts[0]), Condition(texts[1])
        self.run = Run(model, (PROMPT,), (), (0,), STEPS, size, self.text, CFG_SCALE)

    @torch.no_grad()
    def unguided(self) -> None:
        """One call with both halves of classifier-free guidance."""
        self.model.predict(self.latents, TIMESTEP, self.text, self.negative, CFG_SCALE)

    @contextmanager
    def gradient(self, **knobs: Any) -> Iterator[Callable[[], Tensor]]:
        """The gradient pass and the update, which returns the moved latents."""
        guidance = Guidance(WORD, PATH, cells=CELLS, limit=float("inf"), **knobs)
        level = self.model.noise.level(TIMESTEP)
        with guidance.attach(self.run) as state:
            yield lambda: state.update(self.latents, level, 0)

    @contextmanager
    def guided(self, **knobs: Any) -> Iterator[Action]:
        """The gradient pass, the update, and the call with both halves."""
        with self.gradient(**knobs) as update:

            def step() -> None:
                update()
                self.unguided()

            yield step

    def released_gradient(self) -> None:
        """The gradient pass to its end, all attention explicit."""
        maps: dict[str, Tensor] = {}
        network, own = self.model.network, dict(self.model.network.attn_processors)
        network.set_attn_processor(explicit_processors(network, maps))
        try:
            with torch.enable_grad():
                moving = self.latents.detach().requires_grad_(True)
                self.model.predict(moving, TIMESTEP, self.text)
                torch.autograd.grad(self._energy(maps), moving)
        finally:
            network.set_attn_processor(own)
            maps.clear()  # their class refers to itself, and would hold the maps until Python looks for cycles

    def _energy(self, maps: dict[str, Tensor]) -> Tensor:
        """Something of the word's maps that has a gradient."""
        rows = self.latents.shape[-1]
        pixels = {(rows // cells) ** 2 for cells in CELLS}
        total = torch.zeros((), device=self.latents.device)
        for probabilities in maps.values():
            if probabilities.shape[-1] == TOKENS and probabilities.shape[1] in pixels:
                total = total + probabilities[..., POSITION].float().square().mean()
        return total

    def released(self) -> None:
        """The reference pass, the gradient pass and two calls with both halves; without gradients nothing is kept."""
        network, own = self.model.network, dict(self.model.network.attn_processors)
        network.set_attn_processor({name: AttnProcessor() for name in own})
        try:
            with torch.no_grad():
                self.model.predict(self.latents, TIMESTEP, self.text)
            self.unguided()
            self.unguided()
        finally:
            network.set_attn_processor(own)
        self.released_gradient()

    def action(self, kind: str) -> AbstractContextManager[Action]:
        """A step of a kind, to be run inside a block, so that nothing of one is held during the next."""
        plain = {UNGUIDED: self.unguided, RELEASED_GRADIENT: self.released_gradient, RELEASED: self.released}
        if kind in plain:
            return nullcontext(plain[kind])
        return self.gradient(memory="spend") if kind == GRADIENT else self.guided(**(OPTIONS | GRAPHS)[kind])


class ExplicitProcessor(AttnProcessor):
    """Attention as the released code has it: an explicit softmax, whose maps are kept."""

    def __init__(self, name: str, maps: dict[str, Tensor]):
        super().__init__()
        self.name, self.maps = name, maps

    def __call__(self, attn: Any, *inputs: Any, **options: Any) -> Tensor:
        """As diffusers', and keep (batch * frames * heads, pixels, tokens) of this layer."""
        scores = attn.get_attention_scores

        def keep(*arguments: Tensor) -> Tensor:
            self.maps[self.name] = scores(*arguments)
            return self.maps[self.name]

        attn.get_attention_scores = keep
        try:
            return super().__call__(attn, *inputs, **options)
        finally:
            del attn.get_attention_scores


def explicit_processors(network: Any, maps: dict[str, Tensor]) -> dict[str, ExplicitProcessor]:
    """One for each attention of a network, temporal ones included."""
    return {name: ExplicitProcessor(name, maps) for name in network.attn_processors}
