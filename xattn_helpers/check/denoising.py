"""Exercises on denoising: a step of DDIM, and the loop of steps from noise to clean latents."""

from collections.abc import Callable
from typing import Annotated

import torch
from torch import Tensor

from ..arguments import checked
from ..kinds import takes
from .noise import noisy, normal
from .verdict import Function, Inputs, Verdict, judge

Four = Annotated[Callable, takes(4)]
LEVELS = ((0.1, 0.4), (0.5, 0.9), (0.8, 1.0))  # abar before a step and after it
LOOPS = ((0.1, 0.5, 1.0), (0.05, 0.2, 0.6, 1.0))  # abar from step to step


@checked
def ddim_step(function: Four) -> Verdict:
    """Check `function(latents, noise, abar, next_abar)`: a step of DDIM, Song et al. 2021, eq. 12, sigma = 0."""
    latents, noise = normal(2)
    calls: list[Inputs] = [(latents, noise, torch.tensor(before), torch.tensor(after)) for before, after in LEVELS]
    return judge(function, _step, STEP_MISTAKES, calls, "ddim_step")


def _clean(latents: Tensor, noise: Tensor, abar: Tensor) -> Tensor:
    """Eq. 2 solved for the clean latents."""
    return (latents - (1 - abar).sqrt() * noise) / abar.sqrt()


def _step(latents: Tensor, noise: Tensor, abar: Tensor, next_abar: Tensor) -> Tensor:
    return noisy(_clean(latents, noise, abar), noise, next_abar)


def _without_roots(latents: Tensor, noise: Tensor, abar: Tensor, next_abar: Tensor) -> Tensor:
    clean = (latents - (1 - abar) * noise) / abar
    return next_abar * clean + (1 - next_abar) * noise


def _mean_of_ddpm(latents: Tensor, noise: Tensor, abar: Tensor, next_abar: Tensor) -> Tensor:
    """Ho et al. 2020, eq. 11."""
    alpha = abar / next_abar
    return (latents - (1 - alpha) / (1 - abar).sqrt() * noise) / alpha.sqrt()


STEP_MISTAKES = {
    "ddim_step adds the noise where it must take it away: clean = (latents - sqrt(1 - abar) · noise) / sqrt(abar)":
        lambda z, noise, abar, after: noisy((z + (1 - abar).sqrt() * noise) / abar.sqrt(), noise, after),
    "ddim_step exchanges the two levels: the latents come with abar and leave with next_abar":
        lambda z, noise, abar, after: _step(z, noise, after, abar),
    "ddim_step has a schedule without square roots, as flow matching: signal and noise have sqrt(abar), sqrt(1 - abar)":
        _without_roots,
    "ddim_step takes alpha, what one step keeps (abar / next_abar), for abar, what is left of the clean latents":
        lambda z, noise, abar, after: noisy(_clean(z, noise, abar / after), noise, after),
    "ddim_step is the mean of a DDPM step: DDIM mixes the guess of the clean latents with the same noise again":
        _mean_of_ddpm,
    "ddim_step goes all the way to the clean latents: mix them with noise again, at next_abar":
        lambda z, noise, abar, after: _clean(z, noise, abar),
    "ddim_step leaves the noise out when it mixes again": lambda z, noise, abar, after: after.sqrt() * _clean(
        z, noise, abar
    ),
    "ddim_step adds as much noise as before: its share must be that of next_abar":
        lambda z, noise, abar, after: after.sqrt() * _clean(z, noise, abar) + (1 - abar).sqrt() * noise,
    "ddim_step mixes the latents themselves with noise: first solve eq. 2 for the clean ones":
        lambda z, noise, abar, after: noisy(z, noise, after),
    "ddim_step stays where it is: it uses one level twice": lambda z, noise, abar, after: z,
}  # fmt: skip


@checked
def denoise(function: Four) -> Verdict:
    """Check `function(predict, step, latents, abars)`: all steps from noise to the clean latents.

    `abars` (steps + 1,) rise to 1; `predict(latents, index)` gives the noise, `step` is an answer to `ddim_step`.
    """
    calls: list[Inputs] = []
    for levels in LOOPS:
        calls.append((_predict, _step, *normal(1), torch.tensor(levels)))
    return judge(function, _loop, LOOP_MISTAKES, calls, "denoise")


def _predict(latents: Tensor, index: int) -> Tensor:
    """In place of a network: another answer for each step."""
    return torch.tanh(latents + index)


def _loop(predict: Function, step: Function, latents: Tensor, abars: Tensor) -> Tensor:
    for index in range(len(abars) - 1):
        latents = step(latents, predict(latents, index), abars[index], abars[index + 1])
    return latents


def _backwards(predict: Function, step: Function, latents: Tensor, abars: Tensor) -> Tensor:
    for index in reversed(range(len(abars) - 1)):
        latents = step(latents, predict(latents, index), abars[index + 1], abars[index])
    return latents


def _asked_once(predict: Function, step: Function, latents: Tensor, abars: Tensor) -> Tensor:
    noise = predict(latents, 0)
    return _loop(lambda latents, index: noise, step, latents, abars)


def _forgetful(predict: Function, step: Function, latents: Tensor, abars: Tensor) -> Tensor:
    return step(latents, predict(latents, len(abars) - 2), abars[-2], abars[-1])


def _always_first(predict: Function, step: Function, latents: Tensor, abars: Tensor) -> Tensor:
    return _loop(lambda latents, index: predict(latents, 0), step, latents, abars)


LOOP_MISTAKES = {
    "denoise runs time the wrong way: abars begin with the noise, so that index counts up": _backwards,
    "denoise stops one step early: the last step leads to abars[-1], which is 1":
        lambda predict, step, latents, abars: _loop(predict, step, latents, abars[:-1]),
    "denoise asks the network once: after each step there is less noise, and another guess of it": _asked_once,
    "denoise starts each step from the first latents: keep what a step returns": _forgetful,
    "denoise tells the network that every step is the first: predict needs the index": _always_first,
    "denoise exchanges the levels of a step: it goes from abars[index] to abars[index + 1]":
        lambda predict, step, latents, abars: _loop(
            predict, lambda z, noise, abar, after: step(z, noise, after, abar), latents, abars
        ),
    "denoise goes all the way in each step: only the last one leads to 1": lambda predict, step, latents, abars: _loop(
        predict, lambda z, noise, abar, after: step(z, noise, abar, abars[-1]), latents, abars
    ),
    "denoise returns the latents as they are": lambda predict, step, latents, abars: latents,
}  # fmt: skip
