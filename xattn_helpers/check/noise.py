"""Exercises on noise: adding it to latents, the loss in training, and classifier-free guidance."""

from collections.abc import Callable
from typing import Annotated

import torch
from torch import Tensor

from ..arguments import checked
from ..kinds import takes
from .verdict import Inputs, Verdict, judge

Three = Annotated[Callable, takes(3)]
LEVELS = (0.1, 0.5, 0.8)  # abar
SCALES = (4.0, 7.5, 0.0)
SHAPE = (4, 2, 3, 3)


def normal(count: int, shape: tuple[int, ...] = SHAPE) -> list[Tensor]:
    """Tensors of random numbers, the same in each call."""
    generator = torch.Generator().manual_seed(0)
    return [torch.randn(shape, generator=generator) for _ in range(count)]


@checked
def add_noise(function: Three) -> Verdict:
    """Check `function(clean, noise, abar)`: sqrt(abar) clean + sqrt(1 - abar) noise, the paper's eq. 2."""
    clean, noise = normal(2)
    calls: list[Inputs] = [(clean, noise, torch.tensor(level)) for level in LEVELS]
    return judge(function, noisy, NOISE_MISTAKES, calls, "add_noise")


def noisy(clean: Tensor, noise: Tensor, abar: Tensor) -> Tensor:
    """Latents with noise: the paper's eq. 2."""
    return abar.sqrt() * clean + (1 - abar).sqrt() * noise


NOISE_MISTAKES = {
    "add_noise leaves out the square roots: with abar and 1 - abar themselves, the variances do not add up to one":
        lambda clean, noise, abar: abar * clean + (1 - abar) * noise,
    "add_noise takes noise for picture: abar is the share of the picture, 1 - abar that of the noise":
        lambda clean, noise, abar: noisy(noise, clean, abar),
    "add_noise has 1 - sqrt(abar) for sqrt(1 - abar)":
        lambda clean, noise, abar: abar.sqrt() * clean + (1 - abar.sqrt()) * noise,
    "add_noise keeps all of the picture: it must shrink by sqrt(abar)":
        lambda clean, noise, abar: clean + (1 - abar).sqrt() * noise,
    "add_noise adds all of the noise: it must shrink by sqrt(1 - abar)":
        lambda clean, noise, abar: abar.sqrt() * clean + noise,
    "add_noise subtracts the noise": lambda clean, noise, abar: noisy(clean, -noise, abar),
    "add_noise returns the latents as they are": lambda clean, noise, abar: clean,
}  # fmt: skip


@checked
def noise_loss(function: Three) -> Verdict:
    """Check `function(guess, noise, weights)`: the mean of weight times squared error, the paper's eq. 1 with weights.

    `guess` and `noise` are (batch, channels, height, width), `weights` (batch,); the loss is one number.
    """
    calls: list[Inputs] = []
    for weights in ((0.5, 2.0, 10.0), (3.0, 0.1)):
        guess, noise = normal(2, (len(weights), *SHAPE[1:]))
        calls.append((guess, noise, torch.tensor(weights)))
    return judge(function, _loss, LOSS_MISTAKES, calls, "noise_loss")


def _errors(guess: Tensor, noise: Tensor) -> Tensor:
    """The mean squared error of each picture of a batch."""
    return (guess - noise).square().flatten(1).mean(1)


def _loss(guess: Tensor, noise: Tensor, weights: Tensor) -> Tensor:
    return (weights * _errors(guess, noise)).mean()


LOSS_MISTAKES = {
    "noise_loss leaves out the weights": lambda guess, noise, weights: _errors(guess, noise).mean(),
    "noise_loss multiplies the weights before it squares: the squared error has the weight":
        lambda guess, noise, weights: (weights[:, None, None, None] * (guess - noise)).square().mean(),
    "noise_loss takes the absolute error: eq. 1 has its square":
        lambda guess, noise, weights: (weights * (guess - noise).abs().flatten(1).mean(1)).mean(),
    "noise_loss takes the mean before it squares: errors of opposite sign cancel":
        lambda guess, noise, weights: (weights * (guess - noise).flatten(1).mean(1).square()).mean(),
    "noise_loss has the square root of the error": lambda guess, noise, weights: (
        weights * _errors(guess, noise).sqrt()
    ).mean(),
    "noise_loss multiplies along the width of the pictures: the weights belong to the batch, which is the first axis":
        lambda guess, noise, weights: (weights * (guess - noise).square()).mean(),
    "noise_loss takes one mean over all pictures: each has an error of its own, which has its weight":
        lambda guess, noise, weights: weights.mean() * _errors(guess, noise).mean(),
    "noise_loss adds up the numbers of a picture: its error is their mean": lambda guess, noise, weights: (
        weights * (guess - noise).square().flatten(1).sum(1)
    ).mean(),
    "noise_loss adds the values up: take their mean, or large pictures count more than small ones":
        lambda guess, noise, weights: (weights[:, None, None, None] * (guess - noise).square()).sum(),
    "noise_loss divides by the sum of the weights: their mean over all timesteps is 1, in a batch it may be another":
        lambda guess, noise, weights: (weights * _errors(guess, noise)).sum() / weights.sum(),
    "noise_loss has a number for each picture: return their mean":
        lambda guess, noise, weights: weights * _errors(guess, noise),
}  # fmt: skip


@checked
def classifier_free(function: Three) -> Verdict:
    """Check `function(unconditional, conditional, cfg_scale)`: from the first half towards the second, and further."""
    unconditional, conditional = normal(2)
    calls: list[Inputs] = [(unconditional, conditional, scale) for scale in SCALES]
    return judge(function, _mixed, CFG_MISTAKES, calls, "classifier_free")


def _mixed(unconditional: Tensor, conditional: Tensor, cfg_scale: float) -> Tensor:
    return unconditional + cfg_scale * (conditional - unconditional)


CFG_MISTAKES = {
    "classifier_free goes away from the prompt: the difference is conditional - unconditional":
        lambda first, second, scale: first + scale * (first - second),
    "classifier_free has its halves exchanged: it goes from the prompt towards no prompt":
        lambda first, second, scale: _mixed(second, first, scale),
    "classifier_free begins at the conditional half: then a scale of 0 is the model as it was trained, not one of 1":
        lambda first, second, scale: second + scale * (second - first),
    "classifier_free returns the difference alone: add it to the unconditional half":
        lambda first, second, scale: scale * (second - first),
    "classifier_free multiplies the conditional half: what is multiplied is the difference of the two":
        lambda first, second, scale: scale * second,
    "classifier_free adds the whole conditional half: add the difference of the two":
        lambda first, second, scale: first + scale * second,
    "classifier_free does not use the scale: it returns the conditional half": lambda first, second, scale: second,
    "classifier_free does not use the prompt: it returns the unconditional half": lambda first, second, scale: first,
}  # fmt: skip
