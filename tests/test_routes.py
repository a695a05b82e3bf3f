"""Routes of a given video: against the papers' formulas, and exact reconstructions."""

import pytest
import torch
from routes_for_tests import DIFFUSION, FLOW, SHAPE, edited, given, latents, predict

from xattn_helpers.edits.inversion import (
    AVERAGED,
    ROUTES,
    check_draws,
    default_method,
    drawn_sources,
    find_route,
    inverted_sources,
    mean_of_step,
)


@pytest.mark.parametrize("method", ["flowedit", "ddpm"])
@pytest.mark.parametrize("noise", [DIFFUSION, FLOW])
@pytest.mark.parametrize("first", [0, 2])
@pytest.mark.parametrize("draws", [1, 3])
def test_without_an_edit_the_given_latents_come_back(method, noise, first, draws):
    route = find_route(method, given(noise, first=first), predict, seed=1, draws=draws)
    back = edited(route)
    assert back.shape == SHAPE and (back - route.ladder.latents).abs().max() < 1e-4


@pytest.mark.parametrize("noise", [DIFFUSION, FLOW])
def test_rows_are_draws_of_their_own_and_share_what_the_edit_changes(noise):
    video = given(noise)
    sources = drawn_sources(video, seed=7, draws=3)
    assert [len(source) for source in sources] == [3] * (len(video.levels) - 1) + [1]
    draws = ((sources[0] - video.levels[0].alpha * video.latents) / video.levels[0].sigma).flatten(1)
    assert torch.corrcoef(draws).triu(1).abs().max() < 0.25 and (draws.std(1) - 1).abs().max() < 0.15
    for method in AVERAGED:
        route = find_route(method, video, predict, seed=7, draws=3)
        moved_on = route.step(0, route.sources[0] + 0.1, latents(1).expand(3, *SHAPE[1:]), route.sources[0])
        shared = moved_on - route.sources[1]
        torch.testing.assert_close(shared, shared[:1].expand_as(shared), atol=1e-5, rtol=1e-5)


def test_plain_inversion_comes_back_elsewhere_unless_predictions_do_not_depend_on_the_input():
    for noise in (DIFFUSION, FLOW):
        drifted = edited(find_route("plain", given(noise), predict, seed=1))
        assert 0.01 < (drifted - latents(0)).abs().max() < 10
        constant = ROUTES["plain"](given(noise), inverted_sources(given(noise), lambda inputs, level: latents(3)))
        back = edited(constant, own=lambda inputs, level: latents(3))
        torch.testing.assert_close(back, latents(0), atol=1e-3, rtol=1e-3)


@pytest.mark.parametrize("draws", [1, 3])
def test_flowedit_is_the_papers(draws):
    """z <- z + (s' - s) (v(z + x_s - x0, target) - v(x_s, source)), from z = x0 (Kulikov et al. 2024, algorithm 1).

    With several draws of x_s, the mean over them: n_avg of the authors' code.
    """

    def target(inputs, level):
        return predict(inputs, level) + inputs.sin()

    route = find_route("flowedit", given(FLOW), predict, seed=1, draws=draws)
    z, x0 = latents(0), latents(0)
    for index, (level, after) in enumerate(zip(route.ladder.levels[:-1], route.ladder.levels[1:], strict=True)):
        differences = []
        for noisy in route.sources[index].split(1):
            differences.append(target(z + noisy - x0, level) - predict(noisy, level))
        z = z + (after.sigma - level.sigma) * sum(differences) / draws
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


@pytest.mark.parametrize("method", sorted(set(ROUTES) - set(AVERAGED)))
def test_methods_with_one_noise_refuse_several_draws(method):
    with pytest.raises(ValueError, match=f"draws: 2 given; '{method}' has one noise.*'flowedit' and 'ddpm'"):
        check_draws(method, 2)
    check_draws(method, 1)


def test_the_kind_of_model_decides_the_default():
    assert (default_method(DIFFUSION), default_method(FLOW)) == ("ddpm", "flowedit")
