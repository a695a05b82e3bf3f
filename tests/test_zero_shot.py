"""Targets made of an unguided run's maps, on a tiny model."""

import pytest
import torch
from models_for_tests import PROMPT, tiny

from xattn_helpers import Guidance, capture, generate, zero_shot
from xattn_helpers.maps import centre_of_mass, soft_threshold
from xattn_helpers.targets import track, transform
from xattn_helpers.zero_shot import Moved, all_unguided, unguided


@pytest.fixture(autouse=True)
def nothing_kept():
    zero_shot._KEPT.clear()


@pytest.fixture
def runs(monkeypatch) -> list:
    """The prompts of every run that is made."""
    made = []
    monkeypatch.setattr(zero_shot, "generate", lambda *args, **rest: made.append(args[1]) or generate(*args, **rest))
    return made


def test_not_resized_and_not_moved_it_is_the_shape_of_the_unguided_maps():
    with capture(tiny(), resolution=16) as attention:
        clip = generate(tiny(), PROMPT, seed=3, progress=False)
    free = unguided(tiny(), PROMPT, seed=3)
    assert (free.clip.video == clip.video).all()
    shape = soft_threshold(attention.maps("burger", resolution=16))
    torch.testing.assert_close(free.moved("burger").mask(3, 16, 16), shape, atol=1e-5, rtol=0)


def test_the_unguided_run_happens_once_for_each_prompt_seed_and_steps(runs):
    first = unguided(tiny(), PROMPT, seed=3)
    assert unguided(tiny(), PROMPT, seed=3, steps=tiny().defaults.steps) is first and runs == [[PROMPT]]
    unguided(tiny(), PROMPT, seed=4), unguided(tiny(), PROMPT, seed=3, steps=2)
    assert len(runs) == 3


def test_runs_that_are_missing_are_made_together(runs):
    other = "a ball rolls on the grass"
    first = unguided(tiny(), PROMPT)
    both = all_unguided(tiny(), [other, PROMPT, other], [0, 0, 0])
    assert runs == [[PROMPT], [other]] and both[1] is first and both[0] is both[2]
    alone = soft_threshold(unguided(tiny(2), other).maps("ball")[16])
    assert alone.shape == (2, 16, 16) and both[0].maps("ball")[8].shape == (3, 8, 8)


def test_no_more_runs_are_kept_than_fit(monkeypatch, runs):
    monkeypatch.setattr(zero_shot, "MOST", 2)
    for seed in (0, 1, 2, 0):
        unguided(tiny(), PROMPT, seed, steps=1)
    assert len(runs) == 4 and len(zero_shot._KEPT[tiny().unet]) == 2


def test_moved_maps_are_the_transform_of_the_shape_at_any_resolution():
    maps = {side: torch.rand(2, side, side, generator=torch.Generator().manual_seed(0)) for side in (8, 16)}
    target = Moved(maps, 0.5, (0.25, 0.0))
    for side in (8, 16):
        torch.testing.assert_close(target.mask(2, side, side), transform(soft_threshold(maps[side]), 0.5, (0.25, 0.0)))
    assert target.mask(2, 4, 4).shape == (2, 4, 4) and target.mask(2, 32, 24).shape == (2, 32, 24)
    torch.testing.assert_close(target.mask(2, 4, 4).mean(), target.mask(2, 8, 8).mean())


def test_along_a_path_every_frame_is_at_its_place():
    free, path = unguided(tiny(), PROMPT), track([(0.4, 0.5), (0.6, 0.5)])
    blob = torch.zeros(3, 16, 16, 20)
    blob[:, 2:4, 2:4, 2] = 1  # "burger" is the third token
    free = zero_shot.Unguided(free.clip, {16: blob}, free.tokenizer)
    centres = centre_of_mass(free.along("burger", path).mask(3, 16, 16))
    torch.testing.assert_close(centres, torch.tensor([[0.4, 0.5], [0.5, 0.5], [0.6, 0.5]]), atol=0.01, rtol=0)


def test_it_guides():
    target = unguided(tiny(), PROMPT).moved("burger", scale=0.5)
    guided = generate(tiny(), PROMPT, guidance=Guidance("burger", target, energy="shape"), progress=False)
    assert (guided.latents - unguided(tiny(), PROMPT).clip.latents).abs().max() > 1e-3


def test_wrong_words_scales_and_frames_are_errors():
    free = unguided(tiny(), PROMPT)
    with pytest.raises(ValueError, match="'shark' is not in the prompt"):
        free.moved("shark")
    with pytest.raises(ValueError, match="scale"):
        free.moved("burger", scale=0.0).mask(3, 16, 16)
    with pytest.raises(ValueError, match="unguided run of 3 frames given; needed are 5"):
        free.moved("burger").mask(5, 16, 16)
