"""Targets made of an unguided run's maps, on a tiny model."""

import copy
import gc
import weakref
from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from diffusers import EulerDiscreteScheduler
from models_for_tests import PROMPT, tiny

from xattn_helpers import Bias, Clip, Guidance, capture, generate
from xattn_helpers.attention.maps import centre_of_mass, soft_threshold
from xattn_helpers.backbones.noise import Noise
from xattn_helpers.edits import zero_shot
from xattn_helpers.edits.targets import track, transform
from xattn_helpers.edits.zero_shot import MovedMaps, Unguided, all_unguided, unguided


@pytest.fixture(autouse=True)
def nothing_kept():
    zero_shot._RUNS.by_network.clear()


@pytest.fixture
def runs(monkeypatch) -> list:
    """The prompts of every run that is made."""
    made = []

    def counted(model, prompts, *rest, **options):
        made.append(prompts)
        return generate(model, prompts, *rest, **options)

    monkeypatch.setattr(zero_shot, "generate", counted)
    return made


def test_not_resized_and_not_moved_it_is_the_shape_of_the_unguided_maps():
    with capture(tiny(), cells=1) as attention:
        clip = generate(tiny(), PROMPT, seed=3, steps=2, progress=False)
    free = unguided(tiny(), PROMPT, seed=3, steps=2)
    assert (free.clip.video == clip.video).all()
    shape = soft_threshold(attention.maps("burger", cells=1))
    torch.testing.assert_close(free.moved("burger").mask(3, 16, 16), shape, atol=1e-5, rtol=0)


def test_the_unguided_run_happens_once_for_each_prompt_seed_and_steps(runs):
    image = tiny(1)
    first = unguided(image, PROMPT, seed=3)
    assert unguided(image, PROMPT, seed=3, steps=image.defaults.steps) is first and runs == [[PROMPT]]
    unguided(image, PROMPT, seed=4), unguided(image, PROMPT, seed=3, steps=2)
    assert len(runs) == 3


def test_a_model_with_other_defaults_or_another_solver_has_runs_of_its_own(runs):
    image = tiny(1)
    free = unguided(image, PROMPT, steps=1)
    wide = replace(image, defaults=replace(image.defaults, width=64))
    assert unguided(wide, PROMPT, steps=1).clip.video.shape == (1, 32, 64, 3)
    plain = replace(image, defaults=replace(image.defaults, cfg_scale=1.0))
    euler = replace(image, noise=Noise(EulerDiscreteScheduler.from_config(image.noise.scheduler.config)))
    for model in (plain, euler):
        assert (unguided(model, PROMPT, steps=1).clip.latents - free.clip.latents).abs().max() > 1e-3
    assert len(runs) == 4 and unguided(replace(image), PROMPT, steps=1) is free


def test_runs_that_are_missing_are_made_in_a_batch(runs):
    ball, image = "a ball rolls on the grass", tiny(1)
    first = unguided(image, PROMPT, steps=1)
    frees = all_unguided(image, [ball, PROMPT, ball], [0, 0, 0], steps=1)
    assert runs == [[PROMPT], [ball]] and frees[1] is first and frees[0] is frees[2]
    assert frees[0].clip.prompt == ball and frees[0].maps("ball")[8].shape == (1, 8, 8)


def test_each_of_a_batch_has_its_own_maps():
    prompts, image = [PROMPT, "a ball rolls on the grass"], tiny(1)
    batch = all_unguided(image, prompts, [0, 1], steps=1)
    zero_shot._RUNS.by_network.clear()
    for free, prompt, seed, word in zip(batch, prompts, [0, 1], ["burger", "ball"], strict=True):
        alone = unguided(image, prompt, seed, steps=1).maps(word)
        for height, maps in free.maps(word).items():
            torch.testing.assert_close(maps, alone[height], atol=1e-4, rtol=0)


def test_no_more_runs_are_kept_than_fit(monkeypatch, runs):
    monkeypatch.setattr(zero_shot._RUNS, "limit", 2)
    for seed in (0, 1, 2, 2, 0):
        unguided(tiny(1), PROMPT, seed, steps=1)
    assert len(runs) == 4 and len(zero_shot._RUNS.of(tiny(1).network)) == 2


def test_runs_are_given_up_with_their_model():
    model = copy.deepcopy(tiny(1))
    unguided(model, PROMPT, steps=1)
    network = weakref.ref(model.network)
    del model
    gc.collect()
    assert network() is None and not zero_shot._RUNS.by_network


def test_moved_maps_are_the_transform_of_the_shape_at_any_size():
    maps = {side: torch.rand(2, side, side, generator=torch.Generator().manual_seed(0)) for side in (8, 16)}
    target = MovedMaps(maps, 0.5, (0.25, 0.0))
    wanted = {side: transform(soft_threshold(maps[side]), 0.5, (0.25, 0.0)) for side in maps}
    for side in (8, 16):
        torch.testing.assert_close(target.mask(2, side, side), wanted[side])
    torch.testing.assert_close(target.mask(2, 4, 4), F.adaptive_avg_pool2d(wanted[8], (4, 4)))
    torch.testing.assert_close(target.mask(2, 12, 8), F.adaptive_avg_pool2d(wanted[16], (12, 8)))
    large = F.interpolate(wanted[16][:, None], (32, 24), mode="bilinear")[:, 0]
    torch.testing.assert_close(target.mask(2, 32, 24), large)


def test_along_a_path_every_frame_is_at_its_place():
    path, blob = track([(0.4, 0.5), (0.6, 0.5)]), torch.zeros(3, 16, 16, 20)
    blob[:, 2:4, 2:4, 2] = 1  # "burger" is the third token
    clip = Clip(np.zeros((3, 32, 32, 3), np.uint8), torch.zeros(4, 3, 16, 16), PROMPT, 0)
    free = Unguided(clip, {8: torch.rand(3, 8, 8, 20), 16: blob}, tiny().text)
    centres = centre_of_mass(free.follow("burger", path).mask(3, 16, 16))
    torch.testing.assert_close(centres, torch.tensor([[0.4, 0.5], [0.5, 0.5], [0.6, 0.5]]), atol=0.01, rtol=0)
    twice = free.follow("burger", path, scale=2.0).mask(3, 16, 16)
    assert float(twice.sum()) == pytest.approx(3 * 16, rel=0.1)


def blobs(*rectangles) -> Unguided:
    """A run in which "burger" is in rows and columns from a to b of 16, in each frame."""
    maps = torch.zeros(len(rectangles), 16, 16, 20)
    for frame, (top, bottom, left, right) in enumerate(rectangles):
        maps[frame, top:bottom, left:right, 2] = 1  # the third token
    clip = Clip(np.zeros((len(maps), 32, 32, 3), np.uint8), torch.zeros(4, len(maps), 16, 16), PROMPT, 0)
    return Unguided(clip, {8: torch.rand(len(maps), 8, 8, 20), 16: maps}, tiny().text)


def test_as_a_track_maps_are_a_square_as_large_about_their_centre_in_each_frame():
    path = blobs((0, 8, 4, 6), (4, 8, 8, 12), (0, 16, 0, 16)).as_track("burger")
    assert path.centres(3)[:2] == pytest.approx(np.array([[5 / 16, 0.25], [10 / 16, 6 / 16]]), abs=0.01)
    assert path.lengths(3)[:2] == pytest.approx(0.25, abs=0.01)
    larger = blobs((0, 8, 4, 6)).as_track("burger", 1.5)
    assert larger.lengths(1) == pytest.approx(1.5 * 0.25, abs=0.01)


@pytest.mark.parametrize("rectangle", [(0, 0, 0, 0), (0, 16, 0, 16)])
def test_a_track_of_maps_that_say_nothing_is_one_all_the_same(rectangle):
    sides = blobs(rectangle).as_track("burger", 100.0).lengths(1)
    assert (0 < sides).all() and (sides <= 1).all()
    with pytest.raises(ValueError, match="ball"):
        blobs(rectangle).as_track("ball")


@pytest.mark.parametrize("edit", [Guidance, Bias])
def test_it_guides_and_biases(edit):
    free = unguided(tiny(1), PROMPT, steps=2)
    target = free.moved("burger", scale=0.5)
    clip = generate(tiny(1), PROMPT, steps=2, edits=edit("burger", target), progress=False)
    assert (clip.latents - free.clip.latents).abs().max() > 1e-3


def test_wrong_words_scales_and_frames_are_errors():
    free = unguided(tiny(), PROMPT, steps=1)
    with pytest.raises(ValueError, match="'shark' is not in the prompt"):
        free.moved("shark")
    with pytest.raises(ValueError, match="scale"):
        free.moved("burger", scale=0.0).mask(3, 16, 16)
    with pytest.raises(ValueError, match="unguided run of 3 frames given; needed are 5"):
        free.moved("burger").mask(5, 16, 16)
