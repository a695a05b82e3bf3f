"""Routes of a given video: steps against diffusers' own and against the papers' formulas, and exact reconstructions."""

import pytest
import torch
from diffusers import DDIMInverseScheduler, DDIMScheduler, DDPMScheduler, FlowMatchEulerDiscreteScheduler
from models_for_tests import SCHEDULE

from xattn_helpers.backbones.noise import CLEAN, Noise
from xattn_helpers.edits.inversion import (
    ROUTES,
    Ladder,
    default_method,
    drawn_sources,
    find_route,
    inverted_sources,
    mean_of_step,
    moved,
)  # fmt: skip

SHAPE = (1, 4, 3, 6, 5)
DIFFUSION = Noise(DDIMScheduler(**SCHEDULE, clip_sample=False, set_alpha_to_one=True))
FLOW = Noise(FlowMatchEulerDiscreteScheduler(shift=3.0))


def latents(seed):
    return torch.randn(SHAPE, generator=torch.Generator().manual_seed(seed))


def given(noise, steps=5, first=1):
    return Ladder(latents(0), noise, noise.solver(steps).levels()[first:])


def predict(inputs, level):
    """A network that knows nothing, but depends on its input."""
    return torch.tanh(1.3 * inputs.roll(1, -1)) + 0.1 * level.sigma


def edited(route, own=predict):
    """An edit whose predictions are `own`, beside the source's."""
    current = route.sources[0]
    for index, level in enumerate(route.ladder.levels[:-1]):
        source = predict(route.sources[index], level)
        current = route.step(index, current, own(current, level), source)
    return current


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


# Routes


@pytest.mark.parametrize("method", ["flowedit", "ddpm"])
@pytest.mark.parametrize("noise", [DIFFUSION, FLOW])
@pytest.mark.parametrize("first", [0, 2])
def test_without_an_edit_the_given_latents_come_back(method, noise, first):
    route = find_route(method, given(noise, first=first), predict, seed=1)
    assert (edited(route) - route.ladder.latents).abs().max() < 1e-4


def test_plain_inversion_comes_back_elsewhere_unless_predictions_do_not_depend_on_the_input():
    for noise in (DIFFUSION, FLOW):
        drifted = edited(find_route("plain", given(noise), predict, seed=1))
        assert 0.01 < (drifted - latents(0)).abs().max() < 10
        constant = ROUTES["plain"](given(noise), inverted_sources(given(noise), lambda inputs, level: latents(3)))
        back = edited(constant, own=lambda inputs, level: latents(3))
        torch.testing.assert_close(back, latents(0), atol=1e-3, rtol=1e-3)


def test_flowedit_is_the_papers():
    """z <- z + (s' - s) (v(z + x_s - x0, target) - v(x_s, source)), from z = x0 (Kulikov et al. 2024, algorithm 1)."""

    def target(inputs, level):
        return predict(inputs, level) + inputs.sin()

    route = find_route("flowedit", given(FLOW), predict, seed=1)
    z, x0 = latents(0), latents(0)
    for index, (level, after) in enumerate(zip(route.ladder.levels[:-1], route.ladder.levels[1:], strict=True)):
        noisy = route.sources[index]
        difference = target(z + noisy - x0, level) - predict(noisy, level)
        z = z + (after.sigma - level.sigma) * difference
    torch.testing.assert_close(edited(route, target), z, atol=1e-4, rtol=1e-4)


def test_edit_friendly_inversion_is_the_papers():
    """z_t = (x_{t-1} - mu(x_t)) / s_t, and replayed with the target's prediction (Huberman-Spiegelglas et al., eq. 5).

    The last step has no s_t: what it lacks of x0 is added to the edit.
    """

    def target(inputs, level):
        return predict(inputs, level) + inputs.sin()

    route = find_route("ddpm", given(DIFFUSION), predict, seed=1)
    y = route.sources[0]
    for index, (level, after) in enumerate(zip(route.ladder.levels[:-1], route.ladder.levels[1:], strict=True)):
        x, following = route.sources[index : index + 2]
        mu = mean_of_step(DIFFUSION, x, predict(x, level), level, after)
        s = (after.sigma / level.sigma) * (1 - level.alpha**2 / after.alpha**2) ** 0.5 or 1.0
        z = (following - mu) / s
        y = mean_of_step(DIFFUSION, y, target(y, level), level, after) + s * z
    torch.testing.assert_close(edited(route, target), y, atol=1e-4, rtol=1e-4)


def test_the_kind_of_model_decides_the_default():
    assert (default_method(DIFFUSION), default_method(FLOW)) == ("ddpm", "flowedit")
