"""Guidance in the middle of a run of the tiny model, for tests of what one step does."""

import torch
from models_for_tests import PATH, PROMPT, run_of, tiny

from xattn_helpers.backbones.noise import Level
from xattn_helpers.edits.guidance import Guidance
from xattn_helpers.edits.steering import Steering

TIMESTEP = 500.0


def begun(prompts=PROMPT, word="burger", target=PATH, *, model=None, steps: int = 4, sources=(), **knobs) -> Steering:
    """The state of a Guidance as `generate` has it before the first of four steps."""
    model = model or tiny()
    return Steering(Guidance(word, target, **knobs), run_of(model, prompts, steps, sources))


def level(timestep: float = TIMESTEP) -> Level:
    """The level of noise of the tiny models at a timestep."""
    return tiny().noise.level(timestep)


def image_noise(batch: int = 1, height: int = 16, width: int = 16, seed: int = 0) -> torch.Tensor:
    """Latents (batch, 4, 1, height, width)."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randn((batch, 4, 1, height, width), generator=generator)


def close(first, second):
    """Energies and gradients of two passes are equal but for rounding."""
    for tensor, wanted in zip(first, second, strict=True):
        torch.testing.assert_close(tensor, wanted, atol=1e-5, rtol=1e-3)
