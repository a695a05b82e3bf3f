"""Answers to the exercises of lesson 00: right ones, written in another way than the lesson's solutions."""

import torch

from xattn_helpers import check
from xattn_helpers.check import denoising, noise


def right_noise(clean, noise, abar):
    return torch.lerp(torch.zeros_like(clean), clean, abar**0.5) + noise * (1 - abar) ** 0.5


def right_loss(guess, noise, weights):
    return torch.einsum("b,bchw->", weights, (noise - guess) ** 2) / noise.numel()


def right_halves(unconditional, conditional, cfg_scale):
    return cfg_scale * conditional + (1 - cfg_scale) * unconditional


def right_step(latents, noise, abar, next_abar):
    ratio = (next_abar / abar) ** 0.5
    return ratio * latents + ((1 - next_abar) ** 0.5 - ratio * (1 - abar) ** 0.5) * noise


def right_loop(predict, step, latents, abars):
    for index, (abar, next_abar) in enumerate(zip(abars[:-1], abars[1:], strict=True)):
        latents = step(latents, predict(latents, index), abar, next_abar)
    return latents


EXERCISES = {
    "add_noise": (check.add_noise, right_noise, noise.NOISE_MISTAKES),
    "noise_loss": (check.noise_loss, right_loss, noise.LOSS_MISTAKES),
    "classifier_free": (check.classifier_free, right_halves, noise.CFG_MISTAKES),
    "ddim_step": (check.ddim_step, right_step, denoising.STEP_MISTAKES),
    "denoise": (check.denoise, right_loop, denoising.LOOP_MISTAKES),
}
