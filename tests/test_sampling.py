"""The denoising loop against diffusers' own pipelines, its seeds and batches, and what it refuses."""

from contextlib import contextmanager

import numpy as np
import pytest
import torch
from diffusers import StableDiffusionPipeline, TextToVideoSDPipeline
from models_for_tests import PROMPT, noise, tiny

from xattn_helpers import generate
from xattn_helpers.sampling import check_size, denoise, initial_latents


def run(model, prompt=PROMPT, **options):
    return generate(model, prompt, **({"seed": 0, "progress": False} | options))


def same(clip, other):
    return np.array_equal(clip.video, other.video) and torch.equal(clip.latents, other.latents)


# Against diffusers


@pytest.mark.parametrize("scale", [1.0, 5.0])
@pytest.mark.parametrize("prediction", ["epsilon", "v_prediction"])
def test_a_video_is_that_of_the_video_pipeline(scale, prediction):
    model = tiny()
    scheduler = type(model.scheduler).from_config(model.scheduler.config, prediction_type=prediction)
    pipe = TextToVideoSDPipeline(model.vae, model.text_encoder, model.tokenizer, model.unet, scheduler)
    pipe.set_progress_bar_config(disable=True)
    options = {"num_frames": 3, "height": 16, "width": 32, "num_inference_steps": 4, "guidance_scale": scale}
    options |= {"latents": initial_latents(model, [7], 3, 16, 32), "negative_prompt": "the moon"}
    latents = pipe(PROMPT, output_type="latent", **options).frames
    frames = pipe(PROMPT, output_type="np", **options).frames[0]
    mine = {"seed": 7, "steps": 4, "height": 16, "guidance_scale": scale, "negative_prompt": "the moon"}
    before, model.scheduler = model.scheduler, scheduler
    try:
        clip = run(model, **mine)
    finally:
        model.scheduler = before
    assert torch.allclose(clip.latents, latents[0], atol=1e-4)
    assert np.abs(clip.video / 255 - frames).max() < 0.5 / 255 + 1e-4


@pytest.mark.parametrize("scale", [1.0, 5.0])
def test_an_image_is_that_of_the_image_pipeline(scale):
    model = tiny(1)
    parts = (model.vae, model.text_encoder, model.tokenizer, model.unet, model.scheduler)
    pipe = StableDiffusionPipeline(*parts, safety_checker=None, feature_extractor=None, requires_safety_checker=False)
    pipe.set_progress_bar_config(disable=True)
    options = {"height": 32, "width": 16, "num_inference_steps": 4, "guidance_scale": scale}
    options |= {"latents": initial_latents(model, [7], 1, 32, 16)[:, :, 0]}
    latents = pipe(PROMPT, output_type="latent", **options).images
    image = pipe(PROMPT, output_type="np", **options).images[0]
    clip = run(model, seed=7, steps=4, width=16, guidance_scale=scale)
    assert torch.allclose(clip.latents[:, 0], latents[0], atol=1e-4)
    assert clip.video.shape == (1, 32, 16, 3) and np.abs(clip.video[0] / 255 - image).max() < 0.5 / 255 + 1e-4


# Seeds and batches


@pytest.mark.parametrize("frames", [1, 3])
def test_a_batch_is_as_its_parts_one_by_one(frames):
    prompts, seeds = [PROMPT, "the shark"], [5, 6]
    batch = run(tiny(frames), prompts, seed=seeds)
    for clip, prompt, seed in zip(batch, prompts, seeds, strict=True):
        alone = run(tiny(frames), prompt, seed=seed)
        assert (clip.prompt, clip.seed) == (prompt, seed)
        assert torch.allclose(clip.latents, alone.latents, atol=1e-4)
        assert np.abs(clip.video.astype(int) - alone.video).max() <= 1


def test_the_same_seed_is_the_same_clip_and_another_is_not():
    clip = run(tiny(), seed=3)
    torch.manual_seed(1)  # the global state is neither read nor written
    before = torch.get_rng_state()
    assert same(clip, run(tiny(), seed=3)) and not same(clip, run(tiny(), seed=4))
    assert torch.equal(torch.get_rng_state(), before)
    assert same(clip, run(tiny(), seed=np.int64(3)))


def test_one_seed_serves_all_prompts_of_a_list():
    clips = run(tiny(), [PROMPT, PROMPT], seed=2, steps=1)
    assert [clip.seed for clip in clips] == [2, 2]
    assert torch.allclose(clips[0].latents, clips[1].latents, atol=1e-5)


def test_a_list_of_one_gives_a_list():
    assert isinstance(clips := run(tiny(), [PROMPT], steps=1), list) and len(clips) == 1


def test_defaults_are_the_models_own():
    clip = run(tiny())
    assert clip.video.shape == (3, 32, 32, 3) and clip.video.dtype == np.uint8
    assert same(clip, run(tiny(), steps=3, guidance_scale=4.0, frames=3, height=32, width=32))


# The loop


def test_steps_are_told_as_they_happen_and_guidance_comes_before_each():
    model, seen = tiny(), []

    class Guidance:
        def update(self, latents, index, timestep, scheduler):
            seen.append((index, int(timestep), float(scheduler.alphas_cumprod[int(timestep)])))
            return latents if index else torch.zeros_like(latents)

    text = model.encode_prompt([PROMPT])
    steps = list(denoise(model, noise(model), text, None, 3, 1.0, [Guidance().update]))
    assert [(step.index, step.timestep) for step in steps] == [entry[:2] for entry in seen]
    assert [step.index for step in steps] == [0, 1, 2] and steps[0].timestep > steps[2].timestep
    assert torch.allclose(steps[0].noise, model.predict_noise(torch.zeros(1, 4, 3, 16, 16), steps[0].timestep, text))
    assert all(step.latents.shape == (1, 4, 3, 16, 16) for step in steps)


def test_the_models_own_solver_is_left_alone():
    model = tiny()
    run(model)
    assert model.scheduler.model_outputs == [None, None] and same(run(model), run(model))


def test_a_control_and_a_guidance_are_told_what_runs():
    model, seen = tiny(), []

    class Control:
        def beside(self, prompts):
            return ["the source" for _ in prompts]

        @contextmanager
        def attached(self, model, prompts, steps):
            seen.append((prompts, steps))
            yield
            seen.append("the end")

        def update(self, latents, index, timestep, scheduler):
            seen.append((index, len(latents)))
            return latents

    class Guidance:
        def begin(self, model, prompts, text, steps):
            seen.append((model.prompts, len(text)))

        def update(self, latents, index, timestep, scheduler):
            return latents

    clip = run(model, steps=1, control=Control(), guidance=Guidance())
    assert seen == [([PROMPT], 1), ((PROMPT, "the source"), 2), (0, 2), "the end"]
    assert clip.prompt == PROMPT and clip.source.prompt == "the source"
    torch.testing.assert_close(clip.latents, run(model, steps=1).latents, atol=1e-3, rtol=0)


# What it refuses


@pytest.mark.parametrize(
    ("options", "answer"),
    [
        ({"height": 20}, "height=20: this model makes multiples of 8 pixels, by default 32"),
        ({"width": 0}, "width=0: this model makes multiples of 8 pixels, by default 32"),
        ({"height": -8}, "height=-8"),
        ({"steps": 0}, "steps=0: possible are 1 to 1000, by default 3"),
        ({"steps": 1001}, "steps=1001"),
        ({"frames": 0}, "frames=0: possible are 1 and more, by default 3"),
        ({"frames": -1}, "frames=-1"),
        ({"seed": [1, 2]}, "seed: 2 seeds given for 1 prompts"),
        ({"prompt": []}, "prompt: the list is empty"),
    ],
)
def test_what_the_model_cannot_make_is_an_error_with_what_it_can(options, answer):
    with pytest.raises(ValueError, match=answer):
        run(tiny(), **options)


def test_an_image_model_makes_one_frame():
    with pytest.raises(ValueError, match="frames=2: this is an image model, it makes 1"):
        run(tiny(1), frames=2)


def test_each_side_is_told_its_own_default():
    model = tiny()
    wide = type(model)(**(vars(model) | {"defaults": model.defaults.__class__("wide", 3, 16, 48)}))
    with pytest.raises(ValueError, match="width=9: .* by default 48"):
        check_size(wide, 3, 3, 16, 9)
    check_size(wide, 1000, 1, 8, 8)
