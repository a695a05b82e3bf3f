"""Exercises on flow matching: a step from one level of noise to the next, and the share of noise in the variance."""

from collections.abc import Callable
from typing import Annotated

import torch
from torch import Tensor

from ..arguments import checked
from ..kinds import takes
from .verdict import Inputs, Verdict, judge

Step = Annotated[Callable, takes(4)]
Law = Annotated[Callable, takes(1)]
LEVELS = ((0.7, 0.4), (0.2, 0.0), (1.0, 0.9))  # sigma before a step and after it
SIGMAS = (0.05, 0.3, 0.5, 0.8, 1.0)


@checked
def flow_step(function: Step) -> Verdict:
    """Check `function(latents, velocity, sigma, next_sigma)`: an Euler step along the velocity noise - latents."""
    generator = torch.Generator().manual_seed(0)
    calls: list[Inputs] = []
    for sigma, next_sigma in LEVELS:
        latents, velocity = (torch.randn(4, 2, 3, 3, generator=generator) for _ in range(2))
        calls.append((latents, velocity, sigma, next_sigma))
    return judge(function, _step, STEP_MISTAKES, calls, "flow_step")


def _step(latents: Tensor, velocity: Tensor, sigma: float, next_sigma: float) -> Tensor:
    return latents + (next_sigma - sigma) * velocity


STEP_MISTAKES = {
    "flow_step goes the wrong way, towards noise: sigma falls, so (next_sigma - sigma) is negative":
        lambda latents, velocity, sigma, next_sigma: latents - (next_sigma - sigma) * velocity,
    "flow_step goes all the way to the clean latents: that is the guess latents - sigma · velocity, not one step":
        lambda latents, velocity, sigma, next_sigma: latents - sigma * velocity,
    "flow_step moves by sigma: a step is as long as the difference of the two levels":
        lambda latents, velocity, sigma, next_sigma: latents + sigma * velocity,
    "flow_step moves by next_sigma: a step is as long as the difference of the two levels":
        lambda latents, velocity, sigma, next_sigma: latents + next_sigma * velocity,
    "flow_step returns the change alone: add it to the latents":
        lambda latents, velocity, sigma, next_sigma: (next_sigma - sigma) * velocity,
    "flow_step takes the velocity for the latents: it is what is multiplied by the difference of the levels":
        lambda latents, velocity, sigma, next_sigma: velocity + (next_sigma - sigma) * latents,
    "flow_step is the step of DDIM: it takes the velocity for the noise, and sqrt(1 - sigma²) for the signal's share":
        lambda latents, velocity, sigma, next_sigma: _ddim(latents, velocity, sigma, next_sigma),
    "flow_step returns the latents as they are":
        lambda latents, velocity, sigma, next_sigma: latents,
}  # fmt: skip


def _ddim(latents: Tensor, noise: Tensor, sigma: float, next_sigma: float) -> Tensor:
    """Song et al. 2021, eq. 12, with sigma² for 1 - abar; not finite where there is no signal."""
    clean = (latents - sigma * noise) / (1 - sigma**2) ** 0.5 if sigma < 1 else latents * torch.nan
    return (1 - next_sigma**2) ** 0.5 * clean + next_sigma * noise


@checked
def noise_share(function: Law) -> Verdict:
    """Check `function(sigma)`: the share of noise in the variance of (1 - sigma) latents + sigma noise."""
    calls: list[Inputs] = [(sigma,) for sigma in SIGMAS]
    return judge(function, _share, SHARE_MISTAKES, calls, "noise_share")


def _share(sigma: float) -> Tensor:
    return torch.tensor(sigma**2 / ((1 - sigma) ** 2 + sigma**2))


def _ratio(sigma: float) -> float:
    return sigma**2 / (1 - sigma) ** 2 if sigma < 1 else float("inf")


SHARE_MISTAKES = {
    "noise_share returns sigma: that is the noise's share of the sum, not of the variance": lambda sigma: sigma,
    "noise_share returns sigma²: in flow matching alpha² + sigma² is not 1, so divide by it": lambda sigma: sigma**2,
    "noise_share has the square root: that is the length of the noise, the variance is its square":
        lambda sigma: float(_share(sigma)) ** 0.5,
    "noise_share divides by the signal alone: that is (1 - abar) / abar, which is infinite at the start": _ratio,
    "noise_share is the share of the signal: the noise is what sigma multiplies":
        lambda sigma: 1 - float(_share(sigma)),
}  # fmt: skip
