"""Levels, steps and sources of a given video, against diffusers' own."""

import pytest
import torch
from diffusers import DDIMInverseScheduler, DDIMScheduler, DDPMScheduler
from models_for_tests import SCHEDULE
from routes_for_tests import DIFFUSION, FLOW, SHAPE, given, latents, predict

from xattn_helpers.backbones.noise import CLEAN, Noise
from xattn_helpers.edits.inversion import (
    Ladder,
    drawn_sources,
    inverted_sources,
    mean_of_step,
    moved,
)

# Levels


@pytest.mark.parametrize("noise", [DIFFUSION, FLOW])
def test_levels_are_those_of_the_steps_and_the_clean_one(noise):
    solver = noise.solver(5)
    levels = solver.levels()
    assert levels[:-1] == [solver.level(call) for call in range(5)] and levels[-1] == CLEAN
    assert (CLEAN.alpha, CLEAN.sigma, CLEAN.scale) == (1.0, 0.0, 1.0)


def test_noise_is_what_the_prediction_means():
    """x = alpha x0 + sigma e; v = alpha e - sigma x0; of flow matching, the velocity is e - x0."""
    x0, e = latents(1), latents(2)
    level = DIFFUSION.level(400)
    x = level.alpha * x0 + level.sigma * e
    predictions = {"epsilon": e, "v_prediction": level.alpha * e - level.sigma * x0, "sample": x0}
    for name, prediction in predictions.items():
        noise = Noise(DDIMScheduler(**SCHEDULE, prediction_type=name))
        torch.testing.assert_close(noise.noise_in(prediction, x, level), e, atol=1e-5, rtol=1e-5)
    level = FLOW.level(400)
    torch.testing.assert_close(FLOW.noise_in(e - x0, 0.6 * x0 + 0.4 * e, level), e)
    sample = Noise(DDIMScheduler(**SCHEDULE, prediction_type="sample"))
    assert sample.noise_in(x0, x0, CLEAN).abs().max() == 0  # where there is no noise, nothing is divided by it


# Steps


def test_a_step_is_that_of_ddim():
    solver, x, prediction = DIFFUSION.solver(5), latents(1), latents(2)
    levels = solver.levels()
    for call in range(5):
        wanted = solver.scheduler.step(prediction, solver.timesteps[call], x).prev_sample
        torch.testing.assert_close(moved(DIFFUSION, x, prediction, levels[call], levels[call + 1]), wanted)


def test_a_step_is_that_of_euler_in_flow_matching():
    solver, x, prediction = FLOW.solver(5), latents(1), latents(2)
    levels = solver.levels()
    for call in range(5):
        wanted = solver.scheduler.step(prediction, solver.scheduler.timesteps[call], x).prev_sample
        torch.testing.assert_close(
            moved(FLOW, x, prediction, levels[call], levels[call + 1]), wanted, atol=1e-5, rtol=1e-5
        )


def test_the_mean_is_that_of_ddpm_with_steps_left_out():
    """diffusers' DDIM with eta = 1, whose noise is given: what is left without it is the mean."""
    solver, x, prediction = DIFFUSION.solver(5), latents(1), latents(2)
    levels = solver.levels()
    for call in range(5):
        without = solver.scheduler.step(
            prediction, solver.timesteps[call], x, eta=1.0, variance_noise=torch.zeros(SHAPE)
        )
        mean = mean_of_step(DIFFUSION, x, prediction, levels[call], levels[call + 1])
        torch.testing.assert_close(mean, without.prev_sample, atol=1e-5, rtol=1e-5)


def test_the_mean_of_single_timesteps_is_that_of_ddpm():
    scheduler = DDPMScheduler(**SCHEDULE, clip_sample=False)
    scheduler.set_timesteps(1000)
    levels = [DIFFUSION.level(500), DIFFUSION.level(499)]
    x, prediction = latents(1), latents(2)
    wanted = scheduler.step(prediction, 500, x, generator=torch.Generator().manual_seed(3)).prev_sample
    drawn = torch.randn(SHAPE, generator=torch.Generator().manual_seed(3))
    spread = scheduler._get_variance(500) ** 0.5
    mean = mean_of_step(DIFFUSION, x, prediction, *levels)
    torch.testing.assert_close(mean, wanted - spread * drawn, atol=1e-4, rtol=1e-4)


# Sources


@pytest.mark.parametrize("noise", [DIFFUSION, FLOW])
def test_drawn_sources_are_as_noisy_as_their_levels_and_each_by_itself(noise):
    video = given(noise)
    sources = drawn_sources(video, seed=7)
    draws = []
    for level, source in zip(video.levels[:-1], sources, strict=False):
        draws.append((source - level.alpha * video.latents) / level.sigma)
    together = torch.stack(draws).flatten(1)
    assert sources[-1] is video.latents and len(sources) == len(video.levels)
    assert (together.std(1) - 1).abs().max() < 0.15 and torch.corrcoef(together).triu(1).abs().max() < 0.25
    assert all((first == second).all() for first, second in zip(sources, drawn_sources(video, seed=7), strict=True))
    assert (drawn_sources(video, seed=8)[0] != sources[0]).any()


def test_inverted_sources_are_those_of_ddim_inversion():
    """diffusers' own scheduler goes the same way, with its timesteps one step lower."""
    levels = DIFFUSION.solver(5).levels()
    inverse = DDIMInverseScheduler(**SCHEDULE, clip_sample=False, timestep_spacing="leading", set_alpha_to_one=True)
    inverse.set_timesteps(5)
    x, wanted = latents(0), []
    for timestep in inverse.timesteps:
        x = inverse.step(predict(x, DIFFUSION.level(timestep)), timestep, x).prev_sample
        wanted.append(x)
    sources = inverted_sources(Ladder(latents(0), DIFFUSION, levels), predict)
    assert [level.timestep for level in levels[:-1]] == inverse.timesteps.tolist()[::-1]
    for own, other in zip(sources[:-1], wanted[::-1], strict=True):
        torch.testing.assert_close(own, other, atol=1e-4, rtol=1e-4)
