"""Right answers to the exercises of lesson 08, for the tests of their checks."""

import math

import torch

from xattn_helpers import check
from xattn_helpers.check import given


def right_inversion(latents, noise, alpha, sigma, next_alpha, next_sigma):
    share = next_alpha / alpha
    return share * latents + (next_sigma - share * sigma) * noise


def right_noise(next_source, mean, deviation):
    return next_source / deviation - mean / deviation


def right_difference(edit, target, source, sigma, next_sigma):
    return edit - (sigma - next_sigma) * target + (sigma - next_sigma) * source


def right_blend(edit, source, old_mask, new_mask):
    mask = torch.stack([old_mask, new_mask]).max(0).values
    return source + mask * (edit - source)


def right_psnr(video, reference, objects):
    total, count = 0.0, 0
    for place in (~objects).nonzero().tolist():
        for first, second in zip(video[tuple(place)].tolist(), reference[tuple(place)].tolist(), strict=True):
            total, count = total + (first - second) ** 2, count + 1
    return 20 * math.log10(255) - 10 * math.log10(total / count)


EXERCISES = {
    "inversion_step": (check.inversion_step, right_inversion, given.INVERSION_MISTAKES),
    "found_noise": (check.found_noise, right_noise, given.FOUND_MISTAKES),
    "flowedit_step": (check.flowedit_step, right_difference, given.FLOWEDIT_MISTAKES),
    "blended_latents": (check.blended_latents, right_blend, given.BLEND_MISTAKES),
    "outside_psnr": (check.outside_psnr, right_psnr, given.PSNR_MISTAKES),
}
