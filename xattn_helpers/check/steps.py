"""Exercises on guidance: how far the latents move, by eq. 4 and in steps of equal length."""

from collections.abc import Callable
from typing import Annotated

import torch
from torch import Tensor

from ..arguments import checked
from ..kinds import takes
from .verdict import Inputs, Verdict, judge

Step = Annotated[Callable, takes(4)]
ABARS = (0.9, 0.3, 0.02)
AXES = (1, 2, 3, 4)  # the axes of one clip


@checked
def guided_step(function: Step) -> Verdict:
    """Check `function(latents, gradient, abar, strength)`: eq. 4 with delta^2 = 1 - abar."""
    generator = torch.Generator().manual_seed(0)
    calls: list[Inputs] = []
    for abar, strength in zip(ABARS, (3.0, 37.5, 0.7), strict=True):
        latents, gradient = (torch.randn(4, 2, 3, 3, generator=generator) for _ in range(2))
        calls.append((latents, gradient, abar, strength))
    return judge(function, _step, STEP_MISTAKES, calls, "guided_step")


def _step(latents: Tensor, gradient: Tensor, abar: float, strength: float) -> Tensor:
    return latents - (1 - abar) * strength * gradient


STEP_MISTAKES = {
    "guided_step goes uphill, away from the target: subtract the gradient":
        lambda latents, gradient, abar, strength: latents + (1 - abar) * strength * gradient,
    "guided_step divides by abar: that is eq. 4 with alpha read as abar; here delta² is 1 - abar":
        lambda latents, gradient, abar, strength: latents - (1 - abar) / abar * strength * gradient,
    "guided_step takes the square root: sqrt(1 - abar) is delta, and the formula has delta²":
        lambda latents, gradient, abar, strength: latents - (1 - abar) ** 0.5 * strength * gradient,
    "guided_step squares 1 - abar: it is delta² already":
        lambda latents, gradient, abar, strength: latents - (1 - abar) ** 2 * strength * gradient,
    "guided_step multiplies by abar, the share of the signal: delta² is the share of noise, 1 - abar":
        lambda latents, gradient, abar, strength: latents - abar * strength * gradient,
    "guided_step leaves out delta²": lambda latents, gradient, abar, strength: latents - strength * gradient,
    "guided_step leaves out the strength": lambda latents, gradient, abar, strength: latents - (1 - abar) * gradient,
    "guided_step returns the change alone: subtract it from the latents":
        lambda latents, gradient, abar, strength: (1 - abar) * strength * gradient,
    "guided_step returns the latents as they are": lambda latents, gradient, abar, strength: latents,
}  # fmt: skip


@checked
def equal_step(function: Step) -> Verdict:
    """Check `function(latents, gradient, abar, strength)`: a step whose root mean square is sqrt(1 - abar) * strength.

    Latents are (clips, channels, frames, height, width), and each clip's gradient has a length of its own.
    """
    generator = torch.Generator().manual_seed(0)
    sizes = torch.tensor([0.01, 3.0])[:, None, None, None, None]
    calls: list[Inputs] = []
    for abar, strength in zip(ABARS, (0.08, 0.5, 1.0), strict=True):
        latents, noise = (torch.randn(2, 4, 3, 2, 2, generator=generator) for _ in range(2))
        calls.append((latents, sizes * (noise + 0.5), abar, strength))
    return judge(function, _equal, EQUAL_MISTAKES, calls, "equal_step")


def _rms(gradient: Tensor, axes: tuple[int, ...] = AXES) -> Tensor:
    return gradient.square().mean(axes, keepdim=True).sqrt()


def _equal(latents: Tensor, gradient: Tensor, abar: float, strength: float) -> Tensor:
    return latents - (1 - abar) ** 0.5 * strength * gradient / _rms(gradient)


def _divided(length: Callable[[Tensor], Tensor]) -> Callable[[Tensor, Tensor, float, float], Tensor]:
    """The step with another length of the gradient."""
    return lambda latents, gradient, abar, strength: (
        latents - (1 - abar) ** 0.5 * strength * gradient / length(gradient)
    )


EQUAL_MISTAKES = {
    "equal_step goes uphill: subtract the gradient": lambda latents, gradient, abar, strength: (
        2 * latents - _equal(latents, gradient, abar, strength)),
    "equal_step takes one root mean square of all clips: a clip's step would depend on what else is in the batch":
        _divided(lambda gradient: _rms(gradient, (0, *AXES))),
    "equal_step scales each frame by itself: frames that are right already would move as far as the others":
        _divided(lambda gradient: _rms(gradient, (1, 3, 4))),
    "equal_step scales each channel by itself: that changes the direction":
        _divided(lambda gradient: _rms(gradient, (2, 3, 4))),
    "equal_step divides by the root of the sum of squares: take their mean, so that η means the same at any size":
        _divided(lambda gradient: gradient.square().sum(AXES, keepdim=True).sqrt()),
    "equal_step divides by the mean square: its root is missing": _divided(lambda gradient: _rms(gradient).square()),
    "equal_step divides by the mean absolute value: a root mean square squares first":
        _divided(lambda gradient: gradient.abs().mean(AXES, keepdim=True)),
    "equal_step divides by the standard deviation, which subtracts the mean: a root mean square does not":
        _divided(lambda gradient: gradient.std(AXES, keepdim=True)),
    "equal_step divides by the largest value": _divided(lambda gradient: gradient.abs().amax(AXES, keepdim=True)),
    "equal_step does not divide by the root mean square": _divided(torch.ones_like),
    "equal_step has 1 - abar: here it is the square root": lambda latents, gradient, abar, strength: (
        latents - (1 - abar) * strength * gradient / _rms(gradient)),
    "equal_step leaves out sqrt(1 - abar)": lambda latents, gradient, abar, strength: (
        latents - strength * gradient / _rms(gradient)),
    "equal_step returns the change alone: subtract it from the latents": lambda latents, gradient, abar, strength: (
        latents - _equal(latents, gradient, abar, strength)),
}  # fmt: skip
