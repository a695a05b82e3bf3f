"""A given video of random latents, its levels of noise, and a network that depends on its input."""

import torch
from diffusers import DDIMScheduler, FlowMatchEulerDiscreteScheduler
from models_for_tests import SCHEDULE

from xattn_helpers.backbones.noise import Noise
from xattn_helpers.edits.inversion import Ladder

SHAPE = (1, 4, 3, 6, 5)
DIFFUSION = Noise(DDIMScheduler(**SCHEDULE, clip_sample=False, set_alpha_to_one=True))
FLOW = Noise(FlowMatchEulerDiscreteScheduler(shift=3.0))


def latents(seed):
    return torch.randn(SHAPE, generator=torch.Generator().manual_seed(seed))


def given(noise, steps=5, first=1):
    return Ladder(latents(0), noise, noise.solver(steps).levels()[first:])


def predict(inputs, level):
    """A network that knows nothing, but depends on its input."""
    return torch.tanh(1.3 * inputs.roll(1, -1)) + 0.1 * level.sigma


def edited(route, own=predict):
    """An edit whose predictions are `own`, beside the source's; rows are draws of noise."""
    current = route.sources[0]
    for index, level in enumerate(route.ladder.levels[:-1]):
        source = predict(route.sources[index], level)
        current = route.step(index, current, own(current, level), source)
    return current
