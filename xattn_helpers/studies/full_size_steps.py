"""The denoising steps that `full_size` compares, on networks of every family: unguided, recorded, guided."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace
from itertools import count
from typing import Any

import torch
from torch import Tensor

from xattn_helpers import Guidance, Model, capture, track

from ..attention.processor import Maps, listening
from ..backbones import published
from ..backbones.backbone import Call, Site
from ..backbones.text import Condition, Text
from ..edits.edit import Run
from ..pocket.text import build_tokenizer

PROMPT, WORD, PATH = "a burger floats on the water", "burger", track([(0.25, 0.25), (0.25, 0.8)])
TIMESTEP, TOKENS, STEPS, CFG_SCALE = 500, 77, 50, 9.0
POSITION = 2  # of the word, among the tokens
UNGUIDED, GRADIENT, GUIDED = "unguided step", "gradient pass", "guided step"
RECORDING, EXPLICIT = "recording a word at every step", "guided step, explicit softmax everywhere"
CHECKPOINT, EARLY = f"{GUIDED}, checkpoint", f"{GUIDED}, groups=early"
OURS = f"{EARLY}, checkpoint"  # the one that fits a small GPU
FEW = f"{GUIDED}, first fifth of the blocks, checkpoint"  # fewer than the early third
FEW_SHARE = 0.2  # of the blocks, as in the study `dit_steering`
OPTIONS: dict[str, dict[str, Any]] = {  # kind: knobs of Guidance
    GUIDED: {"memory": "spend"},
    CHECKPOINT: {"memory": "save"},
    EARLY: {"groups": "early", "memory": "spend"},
    OURS: {"groups": "early", "memory": "save"},
}
Action = Callable[[], object]


def build(name: str, device: str, precision: str, small: bool) -> Model:
    """A random network of a published layout, with a tokenizer that finds the word."""
    model = published.build(name, device, precision, small)
    return replace(model, text=Text(build_tokenizer(), None))


def first_blocks(model: Model) -> list[str]:
    """How the names of the sites in the first fifth of a transformer's blocks begin."""
    sites = model.backbone.sites()
    return [site.name for site in sites[: round(FEW_SHARE * len(sites))]]


class EverySite:
    """A listener that has every site compute all its probabilities in single precision, and keeps them."""

    edits = True

    def __init__(self):
        self.maps: dict[str, Maps] = {}

    def __call__(self, maps: Maps, site: Site, call: Call) -> Maps:
        """Keep the maps, with their graph, and give them to the network as they are."""
        self.maps[site.name] = maps
        return maps


class Steps:
    """The kinds of denoising steps of one clip; `size` is frames, height and width of its latents."""

    kinds: tuple[str, ...] = (UNGUIDED, RECORDING, *OPTIONS, FEW, EXPLICIT)  # in the order of the table
    options: dict[str, dict[str, Any]] = OPTIONS
    knobs: dict[str, Any] = {}  # of every kind of guidance

    def __init__(self, model: Model, size: tuple[int, int, int]):
        self.model = model
        generator = torch.Generator(model.device).manual_seed(0)
        shape = (1, model.backbone.channels, *size)
        self.latents = torch.randn(shape, generator=generator, device=model.device, dtype=model.latents_dtype)
        tokens = (2, 1, model.backbone.tokens or TOKENS, model.backbone.text_width)
        texts = torch.randn(tokens, generator=generator, device=model.device, dtype=model.dtype)
        self.text, self.negative = Condition(texts[0]), Condition(texts[1])
        self.run = Run(model, (PROMPT,), (), (0,), STEPS, size, self.text, CFG_SCALE)

    @torch.no_grad()
    def unguided(self, index: int = 0) -> None:
        """Both halves of classifier-free guidance, in one call of the network or in two."""
        call = self.run.call(index)
        self.model.predict(self.latents, TIMESTEP, self.text, self.negative, CFG_SCALE, call)

    @contextmanager
    def recording(self) -> Iterator[Action]:
        """An unguided step, each time another one, of which the maps of one word are kept."""
        indices = count()
        with capture(self.model, words=WORD, every_step=True):
            yield lambda: self.unguided(next(indices))

    @contextmanager
    def gradient(self, **knobs: Any) -> Iterator[Callable[[], Tensor]]:
        """The gradient pass and the update, which returns the moved latents."""
        guidance = Guidance(WORD, PATH, limit=float("inf"), **(self.knobs | knobs))
        level = self.model.noise.level(TIMESTEP)
        with guidance.attach(self.run) as state:
            yield lambda: state.update(self.latents, level, 0)

    @contextmanager
    def guided(self, **knobs: Any) -> Iterator[Action]:
        """The gradient pass, the update, and then what an unguided step does."""
        with self.gradient(**knobs) as update:

            def step() -> None:
                update()
                self.unguided()

            yield step

    def explicit_gradient(self) -> Tensor:
        """The gradient of something of the word's maps, all of them explicit, by a pass that runs to its end."""
        listener = EverySite()
        with listening(self.model.backbone, listener), torch.enable_grad():
            moving = self.latents.detach().requires_grad_(True)
            self.model.predict(moving, TIMESTEP, self.text, call=self.run.call(0, gradient=True))
            energies = [maps[..., POSITION].square().mean() for maps in listener.maps.values()]
            (gradient,) = torch.autograd.grad(torch.stack(energies).sum(), moving)
        return gradient

    def explicit(self) -> None:
        """A guided step as one would first write it."""
        self.explicit_gradient()
        self.unguided()

    def action(self, kind: str) -> AbstractContextManager[Action]:
        """A step of a kind, to be run inside a block, so that nothing of one is held during the next."""
        if kind == RECORDING:
            return self.recording()
        if kind == FEW:
            return self.guided(blocks=first_blocks(self.model), memory="save")
        if kind in self.options:
            return self.guided(**self.options[kind])
        return nullcontext({UNGUIDED: self.unguided, EXPLICIT: self.explicit}[kind])
