"""Exercises on a video that is given: a step towards noise, the noise between two levels, FlowEdit, masks, PSNR."""

from collections.abc import Callable
from typing import Annotated

import torch
from torch import Tensor

from ..arguments import checked
from ..kinds import takes
from .verdict import Inputs, Verdict, judge

Inversion = Annotated[Callable, takes(6)]
Noise = Annotated[Callable, takes(3)]
Difference = Annotated[Callable, takes(5)]
Blend = Annotated[Callable, takes(4)]
Psnr = Annotated[Callable, takes(3)]
LEVELS = ((0.6, 0.3), (0.9, 0.75), (0.25, 0.05))  # abar of a level, and of the noisier one above it
SIGMAS = ((0.9, 0.7), (0.5, 0.2), (1.0, 0.9))  # of flow matching, before a step and after it
BRIGHTEST = 255.0
SHAPE = (4, 2, 3, 3)


@checked
def inversion_step(function: Inversion) -> Verdict:
    """Check `function(latents, noise, alpha, sigma, next_alpha, next_sigma)`: DDIM's step to a noisier level."""
    generator = torch.Generator().manual_seed(0)
    calls: list[Inputs] = []
    for abar, next_abar in LEVELS:
        latents, noise = (torch.randn(SHAPE, generator=generator) for _ in range(2))
        calls.append((latents, noise, abar**0.5, (1 - abar) ** 0.5, next_abar**0.5, (1 - next_abar) ** 0.5))
    return judge(function, _inverted, INVERSION_MISTAKES, calls, "inversion_step")


def _inverted(x: Tensor, noise: Tensor, alpha: float, sigma: float, next_alpha: float, next_sigma: float) -> Tensor:
    return next_alpha * (x - sigma * noise) / alpha + next_sigma * noise


INVERSION_MISTAKES = {
    "inversion_step returns the guess of the clean latents: make it noisy again, to the next level":
        lambda x, e, a, s, a2, s2: (x - s * e) / a,
    "inversion_step takes the latents for clean ones: first take their noise out, (latents - sigma · noise) / alpha":
        lambda x, e, a, s, a2, s2: a2 * x + s2 * e,
    "inversion_step adds the noise of this level: next_sigma says how much the next one has":
        lambda x, e, a, s, a2, s2: a2 * (x - s * e) / a + s * e,
    "inversion_step does not divide by alpha: the latents hold alpha times the clean ones":
        lambda x, e, a, s, a2, s2: a2 * (x - s * e) + s2 * e,
    "inversion_step leaves out next_alpha: at the next level there is less signal":
        lambda x, e, a, s, a2, s2: (x - s * e) / a + s2 * e,
    "inversion_step has the two levels exchanged: that is the step back":
        lambda x, e, a, s, a2, s2: _inverted(x, e, a2, s2, a, s),
    "inversion_step adds the difference of the sigmas alone: the signal becomes less, too":
        lambda x, e, a, s, a2, s2: x + (s2 - s) * e,
}  # fmt: skip


@checked
def found_noise(function: Noise) -> Verdict:
    """Check `function(next_source, mean, deviation)`: the noise with which a random step ends at the source."""
    generator = torch.Generator().manual_seed(0)
    calls: list[Inputs] = []
    for deviation in (0.2, 0.7, 1.5):
        following, mean = (torch.randn(SHAPE, generator=generator) for _ in range(2))
        calls.append((following, mean, deviation))
    return judge(function, lambda x, mean, s: (x - mean) / s, FOUND_MISTAKES, calls, "found_noise")


FOUND_MISTAKES = {
    "found_noise has the wrong sign: mean + deviation · noise must be next_source": lambda x, mean, s: (mean - x) / s,
    "found_noise does not divide by the deviation: the step multiplies the noise by it": lambda x, mean, s: x - mean,
    "found_noise divides by the variance: the step multiplies the noise by the deviation":
        lambda x, mean, s: (x - mean) / s**2,
    "found_noise divides next_source alone: first subtract the mean, then divide": lambda x, mean, s: x / s - mean,
    "found_noise goes the step itself, mean + deviation · noise": lambda x, mean, s: mean + s * x,
}  # fmt: skip


@checked
def flowedit_step(function: Difference) -> Verdict:
    """Check `function(edit, target, source, sigma, next_sigma)`: the edit moves by the difference of two velocities."""
    generator = torch.Generator().manual_seed(0)
    calls: list[Inputs] = []
    for sigma, next_sigma in SIGMAS:
        edit, target, source = (torch.randn(SHAPE, generator=generator) for _ in range(3))
        calls.append((edit, target, source, sigma, next_sigma))
    return judge(function, _flowedit, FLOWEDIT_MISTAKES, calls, "flowedit_step")


def _flowedit(edit: Tensor, target: Tensor, source: Tensor, sigma: float, next_sigma: float) -> Tensor:
    return edit + (next_sigma - sigma) * (target - source)


FLOWEDIT_MISTAKES = {
    "flowedit_step goes the wrong way: next_sigma - sigma, and the target's velocity minus the source's":
        lambda z, v, u, s, s2: z - (s2 - s) * (v - u),
    "flowedit_step moves by the target's velocity alone: that is sampling, and nothing ties it to the video":
        lambda z, v, u, s, s2: z + (s2 - s) * v,
    "flowedit_step adds the two velocities: where they agree, nothing may change":
        lambda z, v, u, s, s2: z + (s2 - s) * (v + u),
    "flowedit_step goes all the way to the clean latents: a step is as long as the difference of the two levels":
        lambda z, v, u, s, s2: z - s * (v - u),
    "flowedit_step returns the change alone: add it to the edit": lambda z, v, u, s, s2: (s2 - s) * (v - u),
}  # fmt: skip


@checked
def blended_latents(function: Blend) -> Verdict:
    """Check `function(edit, source, old_mask, new_mask)`: the edit where one of two soft masks is, else the source.

    Latents are (channels, height, width), masks (height, width) in [0, 1]; their union is the larger of the two.
    """
    generator = torch.Generator().manual_seed(0)
    calls: list[Inputs] = []
    for _ in range(2):
        edit, source = (torch.randn(4, 5, 6, generator=generator) for _ in range(2))
        old, new = (torch.rand(5, 6, generator=generator) for _ in range(2))
        calls.append((edit, source, old, new))
    return judge(function, _blended, BLEND_MISTAKES, calls, "blended_latents")


def _mixed(edit: Tensor, source: Tensor, mask: Tensor) -> Tensor:
    return mask * edit + (1 - mask) * source


def _blended(edit: Tensor, source: Tensor, old: Tensor, new: Tensor) -> Tensor:
    return _mixed(edit, source, torch.maximum(old, new))


BLEND_MISTAKES = {
    "blended_latents has inside and outside exchanged: outside of the masks is the source":
        lambda edit, source, old, new: _blended(source, edit, old, new),
    "blended_latents looks at the new object's mask alone: the old one would stay where the new one is not":
        lambda edit, source, old, new: _mixed(edit, source, new),
    "blended_latents looks at the old object's mask alone: the new one may reach beyond it":
        lambda edit, source, old, new: _mixed(edit, source, old),
    "blended_latents takes what lies in both masks: their union is the larger of the two":
        lambda edit, source, old, new: _mixed(edit, source, torch.minimum(old, new)),
    "blended_latents multiplies the masks, which is what lies in both: their union is the larger of the two":
        lambda edit, source, old, new: _mixed(edit, source, old * new),
    "blended_latents adds the masks: where both are, their sum is above 1":
        lambda edit, source, old, new: _mixed(edit, source, old + new),
    "blended_latents takes the mean of the masks: their union is the larger of the two":
        lambda edit, source, old, new: _mixed(edit, source, (old + new) / 2),
    "blended_latents makes the masks hard: a soft edge takes shares of both":
        lambda edit, source, old, new: _mixed(edit, source, (torch.maximum(old, new) > 0.5).float()),
    "blended_latents makes the outside zero: outside are the latents of the source":
        lambda edit, source, old, new: torch.maximum(old, new) * edit,
}  # fmt: skip


@checked
def outside_psnr(function: Psnr) -> Verdict:
    """Check `function(video, reference, objects)`: the PSNR in dB of all pixels outside of the objects together.

    Videos are (frames, height, width, 3) from 0 to 255, objects (frames, height, width), True inside.
    """
    generator = torch.Generator().manual_seed(0)
    calls: list[Inputs] = []
    for size in (5.0, 20.0):
        reference = 255 * torch.rand(3, 4, 5, 3, generator=generator)
        strength = size * torch.tensor([0.5, 1.0, 2.0])[:, None, None, None]
        video = reference + strength * torch.randn(reference.shape, generator=generator)
        objects = torch.rand(3, 4, 5, generator=generator) < 0.4
        calls.append((video, reference, objects))
    return judge(function, _outside, PSNR_MISTAKES, calls, "outside_psnr")


def _decibels(error: Tensor, brightest: float = BRIGHTEST) -> Tensor:
    return 10 * torch.log10(brightest**2 / error)


def _squares(video: Tensor, reference: Tensor) -> Tensor:
    return (video - reference).square()


def _outside(video: Tensor, reference: Tensor, objects: Tensor) -> Tensor:
    return _decibels(_squares(video, reference)[~objects].mean())


def _by_frame(video: Tensor, reference: Tensor, objects: Tensor) -> Tensor:
    frames = zip(video, reference, objects, strict=True)
    return torch.stack([_outside(*frame) for frame in frames]).mean()


PSNR_MISTAKES = {
    "outside_psnr measures inside the objects: ~objects is outside":
        lambda video, reference, objects: _outside(video, reference, ~objects),
    "outside_psnr measures the whole picture: an object that was exchanged shall differ":
        lambda video, reference, objects: _decibels(_squares(video, reference).mean()),
    "outside_psnr divides by all pixels: objects that were made zero count as perfect; choose with [~objects]":
        lambda video, reference, objects: _decibels((_squares(video, reference) * ~objects[..., None]).mean()),
    "outside_psnr takes the mean of the frames' decibels: take the mean of all squares first, then the logarithm":
        _by_frame,
    "outside_psnr takes absolute differences: PSNR has their squares":
        lambda video, reference, objects: _decibels((video - reference).abs()[~objects].mean()),
    "outside_psnr forgets that white is 255, not 1":
        lambda video, reference, objects: _decibels(_squares(video, reference)[~objects].mean(), 1.0),
    "outside_psnr has the natural logarithm: decibels take the one to base 10":
        lambda video, reference, objects: _outside(video, reference, objects) * torch.log(torch.tensor(10.0)),
    "outside_psnr returns the mean square: PSNR is its logarithm, beside that of white":
        lambda video, reference, objects: _squares(video, reference)[~objects].mean(),
}  # fmt: skip
