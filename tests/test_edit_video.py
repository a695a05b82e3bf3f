"""`edit_video` on tiny random models of both families: exact where nothing is edited, the background kept, edits."""

import numpy as np
import pytest
import torch
from given_for_tests import MODELS, OPTIONS, TARGET, difference, edit, given, object_in_the_left_half, small
from models_for_tests import PROMPT
from transformers_for_tests import tiny_transformer

from xattn_helpers import (
    Bias,
    Guidance,
    KeepBackground,
    Reweight,
    Swap,
    capture,
    edit_video,
    generate,
    observe,
    track,
)  # fmt: skip


@pytest.fixture(params=MODELS)
def model(request):
    return MODELS[request.param]()


@pytest.mark.parametrize("method", ["flowedit", "ddpm"])
def test_with_its_own_prompt_a_video_comes_back(model, method):
    assert difference(edit(model, target=PROMPT, method=method)) < 1e-4


def test_plain_inversion_does_not_come_back(model):
    assert 1e-2 < difference(edit(model, target=PROMPT, method="plain"))


def test_the_source_is_the_given_video_and_the_default_is_that_of_the_model(model):
    clip = edit(model, seed=2)
    latents = model.codec.encode(torch.from_numpy(given(model))[None])[0]
    assert (clip.source.video == given(model)).all() and clip.source.prompt == PROMPT
    torch.testing.assert_close(clip.source.latents, latents)
    assert (clip.prompt, clip.seed, clip.video.shape) == (TARGET, 2, given(model).shape)
    method = "flowedit" if model.noise.is_flow else "ddpm"
    assert (edit(model, seed=2, method=method).video == clip.video).all() and difference(clip) > 1e-2
    assert difference(edit(model, seed=3)) != difference(clip)


def test_outside_the_mask_the_latents_are_those_of_the_video(model, monkeypatch):
    """The left half is the object's."""
    _, _, _, width = edit(model).latents.shape
    object_in_the_left_half(monkeypatch)
    clip = edit(model)
    changed = (clip.latents - clip.source.latents).abs().amax((0, 1, 2))
    assert changed[width // 2 :].max() == 0 and changed[: width // 2].min() > 1e-4
    free = edit(model, keep_background=False)
    assert (free.latents - free.source.latents).abs().amax((0, 1, 2)).min() > 1e-4


def test_a_swap_takes_the_maps_of_the_given_video():
    model = small()
    with capture(model) as attention:
        swapped = edit(model, edits=Swap("burger", "ball", source=PROMPT), keep_background=False)
    maps = attention.maps("ball", batch=0), attention.maps("burger", batch=1)
    torch.testing.assert_close(*maps)
    assert attention.prompts == (TARGET, PROMPT)  # nothing else that the network saw is recorded
    assert (swapped.latents - edit(model, keep_background=False).latents).abs().max() > 1e-3


@pytest.mark.parametrize("kind", ["unet", "wan"])
def test_its_own_maps_are_a_target(kind):
    model = MODELS[kind]()
    seen = observe(model, given(model), PROMPT)
    target = seen.moved("burger", scale=1.5, shift=(0.2, 0.0))
    for own in (Guidance("burger", target, schedule="always"), Bias("burger", target, until=1.0)):
        clip = edit(model, target=PROMPT, edits=own, keep_background=False)
        assert difference(clip) > 1e-3
        assert bool(clip.updates) == isinstance(own, Guidance)


def test_a_neutral_edit_changes_nothing():
    clip = edit(small(), target=PROMPT, edits=Reweight("burger", 1.0))
    assert difference(clip) < 1e-4
    assert difference(edit(small(), target=PROMPT, edits=Reweight("burger", 0.0))) > 1e-3


def test_blended_is_sampling_from_one_draw_of_noise():
    """Where everything may change, it is what `generate` makes with the deterministic step; here, by hand."""
    model = tiny_transformer("wan")
    clip = edit(model, method="blended", keep_background=False, skip=0.0, cfg_scale=1.0, seed=3)
    text, latents = model.encode(TARGET), torch.randn(clip.latents.shape, generator=torch.Generator().manual_seed(3))
    solver, x = model.noise.solver(4), latents[None]  # at the first level, there is nothing but noise
    for call, timestep in enumerate(solver.timesteps):
        with torch.no_grad():
            x = solver.step(model.predict(x, timestep, text), x, call, [])
    torch.testing.assert_close(clip.latents, x[0], atol=1e-4, rtol=1e-4)


def test_steps_that_are_left_out_keep_more():
    changes = [difference(edit(small(), skip=skip, steps=8, keep_background=False)) for skip in (0.0, 0.5, 0.99)]
    assert changes == sorted(changes, reverse=True) and changes[-1] > 0


def test_without_classifier_free_guidance_the_network_is_called_once_a_step(monkeypatch):
    model, halves = tiny_transformer("wan"), []
    predict = type(model).predict_half

    def counted(self, latents, timestep, text, half, call=None):
        halves.append((half, len(latents)))
        return predict(self, latents, timestep, text, half, call)

    monkeypatch.setattr(type(model), "predict_half", counted)
    edit(model, cfg_scale=1.0)
    looks = len(halves) - 3  # 4 steps, of which the first is left out
    assert halves[looks:] == [("conditional", 2)] * 3
    halves.clear()
    edit(model, cfg_scale=3.0)
    assert halves[looks:] == [("conditional", 2), ("unconditional", 1)] * 3
    halves.clear()
    edit(model, cfg_scale=3.0, source_cfg_scale=2.0)
    assert halves[looks:] == [("conditional", 2), ("unconditional", 2)] * 3


def test_another_size_can_be_asked_for():
    model = small()
    video = np.zeros((2, 16, 24, 3), np.uint8)
    clip = edit_video(model, video, PROMPT, TARGET, frames=2, height=16, width=24, **OPTIONS)
    assert clip.video.shape == (2, 16, 24, 3)


# Errors


def test_a_prompt_that_does_not_describe_the_video_is_refused(monkeypatch):
    model = small()
    clip = generate(model, PROMPT, steps=2, progress=False)
    monkeypatch.setattr("xattn_helpers.edits.observed.WORST", 0.0)
    with pytest.raises(ValueError, match="source_prompt='a burger floats on the water' given, which does not describe"):
        edit_video(model, clip.video, PROMPT, TARGET, steps=2)
    edit_video(model, clip.video, PROMPT, TARGET, steps=2, check_prompt=False, progress=False)


def test_an_edit_beside_another_prompt_is_refused():
    with pytest.raises(ValueError, match="source='a cat runs on the grass' given in Swap.*must be source_prompt"):
        edit(small(), edits=Swap("cat", "ball", source="a cat runs on the grass"))


def test_a_word_that_is_not_there_and_a_negative_prompt_that_is_too_long_are_refused():
    with pytest.raises(ValueError, match="'shark' is not in the prompt"):
        edit(small(), keep_background=KeepBackground("shark"))
    with pytest.raises(ValueError, match="'shark' is not in the prompt"):
        edit(small(), edits=Bias("shark", track([(0.5, 0.5)])))
