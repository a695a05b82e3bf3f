"""How noisy latents are at each timestep, and how often and how much each timestep counts in training."""

from typing import Literal

import torch
from diffusers import DPMSolverMultistepScheduler
from jaxtyping import Float, Int
from torch import Tensor

Kind = Literal["image", "video"]
LARGEST_WEIGHT = {"image": 10.0, "video": 200.0}  # of a noisy timestep, relative to one in the middle
LEAST_SIGNAL = {"image": None, "video": 0.03}  # sqrt(abar) at the last timestep; None leaves Stable Diffusion's .068
LARGEST_SNR = 5.0  # signal-to-noise ratio above which a timestep counts less


def build_scheduler(kind: Kind = "image") -> DPMSolverMultistepScheduler:
    """Stable Diffusion's and ModelScope's noise schedule, with a solver that needs few steps.

    For video it ends in less signal. An object's path through 16 frames shines through even the strongest noise of
    that schedule; a model that is trained with it reads the motion there, also where there is none, and not in the
    prompt (Lin et al. 2023, "Common diffusion noise schedules and sample steps are flawed").
    """
    scheduler = DPMSolverMultistepScheduler(
        num_train_timesteps=1000, beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear",
        timestep_spacing="trailing",
    )  # fmt: skip
    if LEAST_SIGNAL[kind] is None:
        return scheduler
    betas = rescaled_betas(scheduler.alphas_cumprod.double(), LEAST_SIGNAL[kind])
    return DPMSolverMultistepScheduler.from_config(scheduler.config, trained_betas=betas.tolist())


def rescaled_betas(alpha_bar: Float[Tensor, " timesteps"], smallest: float) -> Float[Tensor, " timesteps"]:
    """Betas of the schedule whose sqrt(abar) is stretched to end at `smallest` (Lin et al. 2023, algorithm 1)."""
    root = alpha_bar.sqrt()
    first, last = root[0], root[-1]
    root = smallest + (root - last) * (first - smallest) / (first - last)
    alphas = torch.cat([root[:1] ** 2, (root[1:] / root[:-1]) ** 2])
    return 1 - alphas


def add_noise(
    latents: Float[Tensor, "count ..."], noise: Float[Tensor, "count ..."], alpha_bar: Float[Tensor, " count"]
) -> Float[Tensor, "count ..."]:
    """Latents at the timesteps with these alpha_bar: the paper's eq. 2."""
    alpha_bar = alpha_bar.view(-1, *[1] * (latents.ndim - 1))
    return alpha_bar.sqrt() * latents + (1 - alpha_bar).sqrt() * noise


def sample_timesteps(count: int, steps: int, share: float = 0.0, begin: float = 0.0) -> Int[Tensor, " count"]:
    """Random timesteps, uniform but for a share that is drawn from `begin` x steps on, the noisiest."""
    uniform = torch.randint(steps, (count,))
    noisy = torch.randint(round(begin * steps), steps, (count,))
    return torch.where(torch.rand(count) < share, noisy, uniform)


def timestep_weights(alpha_bar: Float[Tensor, " timesteps"], kind: Kind) -> Float[Tensor, " timesteps"]:
    """Weights of the squared error in the noise, mean 1.

    Where things are is decided in the noisiest steps, in which the error in the noise is tiny although the picture is
    all wrong; the factor 1 + 1 / SNR makes up for it (it turns the loss into that of v-prediction, Salimans and Ho
    2022), and min(SNR, 5) / SNR takes weight from the cleanest steps (Hang et al. 2023). The former is bounded.
    A video says the same thing 16 times, so that its motion is settled in noisier steps than the layout of an image:
    with the bound of images, the words for motion are learnt late.
    """
    snr = alpha_bar / (1 - alpha_bar)
    noisy = (1 + 1 / snr).clamp(max=LARGEST_WEIGHT[kind])
    clean = (LARGEST_SNR / snr).clamp(max=1)
    weights = noisy * clean
    return weights / weights.mean()


def loss_weights(kind: Kind) -> Float[Tensor, " timesteps"]:
    """The weights of the timesteps of the schedule that this kind of model is trained with."""
    return timestep_weights(build_scheduler(kind).alphas_cumprod, kind)
