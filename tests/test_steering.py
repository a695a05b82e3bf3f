"""One step of guidance on a tiny model: energies, gradients and updates."""

import pytest
import torch
from models_for_tests import PATH, PROMPT, noise, tiny
from steering_for_tests import TIMESTEP, begun, image_noise, level

from xattn_helpers import capture
from xattn_helpers.backbones.noise import Level
from xattn_helpers.edits.energies import box_energy
from xattn_helpers.edits.targets import track

TWO = (PROMPT, "a big burger floats on the water")
WATER = track([(0.5, 0.8)], size=0.4)


# Gradients


def test_the_gradient_is_that_of_the_energy_of_recorded_maps():
    steering, model, latents = begun(cells=(1, 2)), tiny(), noise(tiny())
    energy, gradient = steering.gradient(latents, TIMESTEP)
    moving = latents.clone().requires_grad_(True)
    with torch.enable_grad(), capture(model, cells=(1, 2), heads=True, gradients=True, prompt=PROMPT) as attention:
        model.predict(moving, TIMESTEP, model.encode(PROMPT))
    energies = []
    for site in attention.sites():
        maps = attention.probabilities(site)[0, ..., 2].transpose(0, 1)  # of "burger": (heads, frames, height, width)
        energies.append(box_energy(maps, PATH.mask(3, *attention.size(site), "disc")).mean(0))
    assert len(energies) == 6
    by_hand = torch.stack(energies).mean(0)
    torch.testing.assert_close(energy[0], by_hand.detach())
    torch.testing.assert_close(gradient, torch.autograd.grad(by_hand.sum(), moving)[0])


def test_every_frame_has_a_gradient():
    """In the paper's released code the first half of the frames has none: it takes the second half of a batch."""
    _, gradient = begun().gradient(noise(tiny()), TIMESTEP)
    assert (gradient[0].abs().amax((0, 2, 3)) > 0).all()


def test_a_small_step_lowers_the_energy():
    steering, latents = begun(model=tiny(1)), image_noise()
    energy, gradient = steering.gradient(latents, TIMESTEP)
    after, _ = steering.gradient(latents - 0.05 * gradient / gradient.abs().max(), TIMESTEP)
    assert after.sum() < energy.sum()


def test_nothing_runs_after_the_last_needed_site():
    steering, network, ran = begun(model=tiny(1), cells=2), tiny(1).network, []
    handles = [
        network.mid_block.register_forward_hook(lambda *_: ran.append("mid")),
        network.up_blocks[2].register_forward_hook(lambda *_: ran.append("late")),
        network.conv_out.register_forward_hook(lambda *_: ran.append("late")),
    ]
    try:
        steering.gradient(image_noise(), TIMESTEP)
    finally:
        for handle in handles:
            handle.remove()
    assert ran == ["mid"]


def test_prompts_of_a_batch_are_guided_each_by_itself():
    batch, latents = begun(TWO, model=tiny(1)), image_noise().repeat(2, 1, 1, 1, 1)
    alone = begun(TWO[1:], model=tiny(1))
    torch.testing.assert_close(
        batch.gradient(latents, TIMESTEP)[1][1], alone.gradient(latents[1:], TIMESTEP)[1][0], atol=1e-6, rtol=1e-3
    )


def test_two_objects_add_their_energies():
    steerings = [
        begun(word=["burger", "water"], target=[PATH, WATER], model=tiny(1)),
        begun(model=tiny(1)),
        begun(word="water", target=WATER, model=tiny(1)),
    ]
    sum_of_two, burger, water = (steering.gradient(image_noise(), TIMESTEP)[0] for steering in steerings)
    torch.testing.assert_close(sum_of_two, burger + water)


def test_each_prompt_of_a_batch_may_have_words_and_targets_of_its_own():
    prompts, image = [PROMPT, "a boat floats on the water"], tiny(1)
    batch = begun(prompts, word=[["burger"], ["boat", "water"]], target=[[PATH], [PATH, WATER]], model=image)
    apart = [begun(model=image), begun(prompts[1:], word=["boat", "water"], target=[PATH, WATER], model=image)]
    latents = image_noise().repeat(2, 1, 1, 1, 1)
    energy, gradient = batch.gradient(latents, TIMESTEP)
    for index, steering in enumerate(apart):
        energy_alone, gradient_alone = steering.gradient(latents[:1], TIMESTEP)
        torch.testing.assert_close(energy[index], energy_alone[0], atol=1e-5, rtol=1e-4)
        torch.testing.assert_close(gradient[index], gradient_alone[0], atol=1e-6, rtol=1e-3)


def test_sources_have_no_energy_and_no_gradient():
    steering = begun("a boat floats on the water", word="boat", model=tiny(1), sources=[PROMPT])
    latents = image_noise().repeat(2, 1, 1, 1, 1)
    energy, gradient = steering.gradient(latents, TIMESTEP)
    assert energy.shape == (1, 1) and gradient.shape == (1, 4, 1, 16, 16)
    moved = steering.update(latents, level(), 0)
    assert torch.equal(moved[1], latents[1]) and not torch.equal(moved[0], latents[0])


# Updates


@pytest.mark.parametrize("law", ["1 - abar", "(1 - abar) / abar", "sqrt(1 - abar)"])
def test_the_update_is_equation_four(law):
    steering, latents = begun(strength=7.0, law=law, model=tiny(1)), image_noise()
    abar = float(tiny().noise.scheduler.alphas_cumprod[int(TIMESTEP)])
    size = {"1 - abar": 1 - abar, "(1 - abar) / abar": (1 - abar) / abar, "sqrt(1 - abar)": (1 - abar) ** 0.5}[law]
    energy, gradient = steering.gradient(latents, TIMESTEP)
    moved = steering.update(latents, level(), 1)
    torch.testing.assert_close(moved, latents - 7.0 * size * gradient)
    (update,) = steering.updates[0]
    assert update.step == 1 and update.energy == pytest.approx(energy[0].tolist())
    assert update.change == pytest.approx(float((moved - latents).abs().max()), rel=1e-4)


@pytest.mark.parametrize(("frames", "height", "width"), [(1, 16, 16), (3, 16, 16), (1, 24, 16)])
def test_at_full_noise_equal_steps_have_the_asked_length_whatever_the_size(frames, height, width):
    steering = begun(law="equal", strength=0.055, model=tiny(frames))
    latents = noise(tiny(frames), height=height, width=width)
    change = steering.update(latents, Level(TIMESTEP, alpha=0.0, sigma=1.0), 0) - latents
    assert float(change.square().mean().sqrt()) == pytest.approx(0.055, rel=1e-3)


def test_equal_steps_shrink_with_the_noise():
    steering, latents = begun(law="equal", strength=0.1, model=tiny(1)), image_noise()
    lengths = []
    for timestep in (900.0, 100.0):
        change = steering.update(latents, level(timestep), 0) - latents
        lengths.append(float(change.square().mean().sqrt()))
    assert lengths == pytest.approx([0.1 * level(900.0).sigma, 0.1 * level(100.0).sigma], rel=1e-3)


def test_equal_steps_along_no_gradient_are_none():
    steering = begun(law="equal", energy=lambda maps, targets: 0 * maps.sum((-2, -1)), model=tiny(1))
    latents = image_noise()
    assert torch.equal(steering.update(latents, level(), 0), latents)


def test_a_solver_that_scales_is_guided_where_the_network_looks():
    steering, latents = begun(strength=7.0, law="1 - abar", model=tiny(1)), image_noise()
    scaled = Level(TIMESTEP, level().alpha, level().sigma, scale=0.25)
    moved = steering.update(4 * latents, scaled, 0)
    wanted = begun(strength=7.0, law="1 - abar", model=tiny(1)).update(latents, level(), 0)
    torch.testing.assert_close(0.25 * moved, wanted)


def test_repeats_update_again_until_the_energy_is_low_enough():
    latents = image_noise()
    repeated = begun(repeats=3, model=tiny(1))
    repeated.update(latents, level(), 0)
    energies = [update.energy[0] for update in repeated.updates[0]]
    assert len(energies) == 3 and energies == sorted(energies, reverse=True) and energies[0] > energies[2]
    until = begun(repeats=3, stop_below=(energies[0] + energies[1]) / 2, model=tiny(1))
    until.update(latents, level(), 0)
    assert [update.energy[0] for update in until.updates[0]] == pytest.approx(energies[:1])
    enough = begun(stop_below=10.0, model=tiny(1))
    assert torch.equal(enough.update(latents, level(), 0), latents) and enough.updates == [[]]


def test_the_largest_change_counts_up_or_down():
    changes = []
    for sign in (1, -1):
        steering = begun(energy=lambda maps, targets, sign=sign: sign * maps.square().sum((-2, -1)), model=tiny(1))
        steering.update(image_noise(), level(), 0)
        changes.append(steering.updates[0][0].change)
    assert changes[0] == pytest.approx(changes[1], rel=1e-4)


def test_no_clip_of_a_batch_may_go_beyond_the_limit():
    knobs = {"law": "1 - abar", "strength": 10.0, "model": tiny(1)}
    latents, free = torch.cat([image_noise(), image_noise(seed=1)]), begun(TWO, **knobs)
    free.update(latents, level(), 0)
    small, large = sorted(updates[0].change for updates in free.updates)
    begun(TWO, limit=1.01 * large, **knobs).update(latents, level(), 0)
    with pytest.raises(ValueError, match="moves a latent by"):
        begun(TWO, limit=(small + large) / 2, **knobs).update(latents, level(), 0)


def test_steps_outside_the_schedule_are_left_alone():
    steering, latents = begun(schedule="first half", model=tiny(1)), image_noise()
    moved = [not torch.equal(steering.update(latents, level(), index), latents) for index in range(4)]
    assert moved == [True, True, False, False]


@pytest.mark.parametrize("half_way", [False, True])
def test_a_prompt_is_updated_alike_alone_and_in_a_batch(half_way):
    latents, knobs = torch.cat([image_noise(), image_noise(seed=1)]), {}
    batch = begun(TWO, model=tiny(1))
    if half_way:  # between the energies of the two: then a prompt has enough, and the second has not
        energies = batch.gradient(latents, TIMESTEP)[0]
        knobs = {"stop_below": float(energies.mean())}
        batch = begun(TWO, model=tiny(1), **knobs)
    moved = batch.update(latents, level(), 0)
    assert sorted(len(updates) for updates in batch.updates) == ([0, 1] if half_way else [1, 1])
    for index, prompt in enumerate(TWO):
        alone = begun(prompt, model=tiny(1), **knobs)
        wanted = alone.update(latents[index : index + 1], level(), 0)[0]
        torch.testing.assert_close(moved[index], wanted, atol=1e-4, rtol=1e-3)
        assert len(alone.updates[0]) == len(batch.updates[index])
