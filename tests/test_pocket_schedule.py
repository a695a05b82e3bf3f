"""How noisy timesteps are and how much they count, against hand computations and diffusers."""

import pytest
import torch
from diffusers import DDPMScheduler
from diffusers.schedulers.scheduling_ddpm import rescale_zero_terminal_snr

from xattn_helpers.pocket.training.schedule import (
    add_noise,
    build_scheduler,
    rescaled_betas,
    sample_timesteps,
    timestep_weights,
)

REFERENCE = DDPMScheduler(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear")
ALPHAS = REFERENCE.alphas_cumprod


def test_the_schedule_is_that_of_stable_diffusion():
    scheduler = build_scheduler()
    betas = torch.linspace(0.00085**0.5, 0.012**0.5, 1000) ** 2
    assert torch.allclose(scheduler.alphas_cumprod, (1 - betas).cumprod(0))
    assert scheduler.config.prediction_type == "epsilon"
    scheduler.set_timesteps(4)
    assert scheduler.timesteps.tolist() == [999, 749, 499, 249]  # trailing: starts in pure noise


def test_the_schedule_of_videos_ends_in_less_signal_and_begins_alike():
    image = build_scheduler("image").alphas_cumprod.sqrt()
    video = build_scheduler("video").alphas_cumprod.sqrt()
    assert video[-1].item() == pytest.approx(0.03, abs=1e-4) and image[-1].item() == pytest.approx(0.0683, abs=1e-3)
    assert video[0].item() == pytest.approx(image[0].item(), abs=1e-5) and (video.diff() < 0).all()


def test_rescaling_to_no_signal_is_that_of_diffusers():
    betas = REFERENCE.betas.double()
    assert torch.allclose(rescaled_betas((1 - betas).cumprod(0), 0.0), rescale_zero_terminal_snr(betas))


@pytest.mark.parametrize("shape", ((3, 4, 2, 2), (3, 4, 5, 2, 2)), ids=("images", "videos"))
def test_noise_is_added_as_diffusers_does(shape):
    torch.manual_seed(0)
    latents, noise, timesteps = torch.randn(shape), torch.randn(shape), torch.tensor([0, 500, 999])
    expected = REFERENCE.add_noise(latents, noise, timesteps)
    assert torch.allclose(add_noise(latents, noise, ALPHAS[timesteps]), expected, atol=1e-6)


def test_half_of_a_focus_is_drawn_from_the_noisiest_part():
    torch.manual_seed(0)
    timesteps = sample_timesteps(20_000, 1000, share=0.5, begin=0.8)
    assert timesteps.min() >= 0 and timesteps.max() < 1000
    assert (timesteps >= 800).float().mean().item() == pytest.approx(0.5 + 0.5 * 0.2, abs=0.02)
    assert sample_timesteps(500, 1000, share=1.0, begin=0.9).min() >= 900


def test_without_a_focus_timesteps_are_uniform():
    torch.manual_seed(0)
    counts = sample_timesteps(20_000, 10).bincount(minlength=10)
    assert counts.min() > 1850 and counts.max() < 2150


@pytest.mark.parametrize("kind, noisiest", (("image", 10), ("video", 20)))
def test_timestep_weights_against_hand_computation(kind, noisiest):
    alpha_bar = torch.tensor([0.99, 0.9, 0.5, 0.25, 0.05])  # snr 99, 9, 1, 1/3, 1/19
    raw = torch.tensor([100 / 99 * 5 / 99, 10 / 9 * 5 / 9, 2, 4, noisiest])  # for images, 1 + 19 = 20 is capped
    assert torch.allclose(timestep_weights(alpha_bar, kind), raw / raw.mean())


def test_the_weights_of_videos_are_capped_too():
    weights = timestep_weights(torch.tensor([0.5, 0.001]), "video")  # 1 + 999 is capped at 200
    assert (weights[1] / weights[0]).item() == pytest.approx(200 / 2)


@pytest.mark.parametrize("kind", ("image", "video"))
def test_timestep_weights_are_one_on_average_and_grow_with_the_noise(kind):
    weights = timestep_weights(ALPHAS, kind)
    assert weights.mean().item() == pytest.approx(1) and (weights.diff() >= -1e-6).all() and weights.min() > 0


def test_videos_weigh_the_noisiest_steps_more_than_images():
    image, video = timestep_weights(ALPHAS, "image"), timestep_weights(ALPHAS, "video")
    assert video[-1] / video[0] > 3 * image[-1] / image[0]
