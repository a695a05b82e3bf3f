"""The energy of one site: which tokens, which frames, which heads count; and what a pass for it tells and costs."""

import torch
from models_for_tests import PATH, tiny
from steering_for_tests import TIMESTEP, begun, image_noise, level

from xattn_helpers.attention.processor import listening
from xattn_helpers.edits.energies import box_energy
from xattn_helpers.edits.steps import FRAMES


def random_maps() -> torch.Tensor:
    """(1 clip, 3 frames, 2 heads, 8, 8, 20 tokens)."""
    return torch.rand(1, 3, 2, 8, 8, 20, generator=torch.Generator().manual_seed(0))


def test_the_maps_of_a_words_tokens_are_added_up_and_heads_are_averaged():
    def total(maps, targets):
        return maps.sum((-2, -1))

    maps = random_maps().requires_grad_(True)
    energies = begun(word="on the", energy=total).energy_at(maps)
    by_hand = maps[0, ..., [4, 5]].sum(-1).mean(1).sum((-2, -1))
    torch.testing.assert_close(energies[0], by_hand)


def test_the_released_codes_frame_bug_leaves_the_first_half_without_targets():
    maps = random_maps().requires_grad_(True)
    energies = {name: begun(frame_of=name).energy_at(maps)[0] for name in FRAMES}
    reached = {}
    for name, energy in energies.items():
        (gradient,) = torch.autograd.grad(energy.sum(), maps)
        reached[name] = (gradient[0].abs().amax((1, 2, 3, 4)) > 0).tolist()
    assert reached == {"own": [True, True, True], "released": [False, True, True]}
    of_word = maps[0, ..., 2].transpose(0, 1)  # (heads, frames, height, width)
    by_hand = box_energy(of_word[:, [1, 1, 2]], PATH.mask(3, 8, 8, "disc")).mean(0)
    torch.testing.assert_close(energies["released"], by_hand)


def test_frames_may_be_named_by_a_function():
    maps = random_maps().requires_grad_(True)
    last = begun(frame_of=lambda frame, frames: frames - 1 - frame).energy_at(maps)
    of_word = maps[0, ..., 2].transpose(0, 1).flip(1)
    torch.testing.assert_close(last[0], box_energy(of_word, PATH.mask(3, 8, 8, "disc")).mean(0))


# A pass


def test_whoever_listens_knows_that_guidance_looks_ahead_and_at_which_step():
    calls = []

    class Listener:
        edits = False

        def __call__(self, maps, site, call):
            calls.append(call)

    steering = begun(model=tiny(1))
    with listening(tiny(1).backbone, Listener(), steering.sites[:1]):
        steering.gradient(image_noise(), TIMESTEP)
        steering.update(image_noise(), level(), 1)
    assert [(call.gradient, call.index, call.timestep) for call in calls] == [(True, 0, TIMESTEP), (True, 1, TIMESTEP)]


def test_where_the_energy_is_low_enough_no_further_pass_is_made():
    count = 0

    def counted(maps, targets):
        nonlocal count
        count += 1
        return box_energy(maps, targets)

    steering = begun(energy=counted, stop_below=10.0, repeats=3, model=tiny(1))
    steering.update(image_noise(), level(), 0)
    assert count == len(steering.sites)
