"""The denoising loop against diffusers' own pipelines, its seeds and batches, and what it tells edits."""

from contextlib import contextmanager
from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch
from diffusers import DPMSolverMultistepScheduler, StableDiffusionPipeline, TextToVideoSDPipeline
from models_for_tests import PROMPT, noise, tiny, with_solver

from xattn_helpers import generate
from xattn_helpers.edits.edit import State
from xattn_helpers.sampling import denoise, initial_latents


def run(model, prompt=PROMPT, **options):
    return generate(model, prompt, **({"seed": 0, "progress": False} | options))


def same(clip, other):
    return np.array_equal(clip.video, other.video) and torch.equal(clip.latents, other.latents)


def parts_of(model):
    return (
        model.codec.vae, model.text.encoder, model.text.tokenizer, model.network, model.noise.scheduler
    )  # fmt: skip


# Against diffusers


@pytest.mark.parametrize("scale", [1.0, 5.0])
@pytest.mark.parametrize("prediction", ["epsilon", "v_prediction"])
def test_a_video_is_that_of_the_video_pipeline(scale, prediction):
    model = with_solver(tiny(), DPMSolverMultistepScheduler, prediction_type=prediction)
    pipe = TextToVideoSDPipeline(*parts_of(model))
    pipe.set_progress_bar_config(disable=True)
    options = {"num_frames": 3, "height": 16, "width": 32, "num_inference_steps": 4, "guidance_scale": scale}
    options |= {"latents": initial_latents(model, [7], 3, 16, 32), "negative_prompt": "the moon"}
    latents = pipe(PROMPT, output_type="latent", **options).frames
    frames = pipe(PROMPT, output_type="np", **options).frames[0]
    clip = run(model, seed=7, steps=4, height=16, cfg_scale=scale, negative_prompt="the moon")
    assert torch.allclose(clip.latents, latents[0], atol=1e-4)
    assert np.abs(clip.video / 255 - frames).max() < 0.5 / 255 + 1e-4


@pytest.mark.parametrize("scale", [1.0, 5.0])
def test_an_image_is_that_of_the_image_pipeline(scale):
    model = tiny(1)
    more = {"safety_checker": None, "feature_extractor": None, "requires_safety_checker": False}
    pipe = StableDiffusionPipeline(*parts_of(model), **more)
    pipe.set_progress_bar_config(disable=True)
    options = {"height": 32, "width": 16, "num_inference_steps": 4, "guidance_scale": scale}
    options |= {"latents": initial_latents(model, [7], 1, 32, 16)[:, :, 0]}
    latents = pipe(PROMPT, output_type="latent", **options).images
    image = pipe(PROMPT, output_type="np", **options).images[0]
    clip = run(model, seed=7, steps=4, width=16, cfg_scale=scale)
    assert torch.allclose(clip.latents[:, 0], latents[0], atol=1e-4)
    assert clip.video.shape == (1, 32, 16, 3) and np.abs(clip.video[0] / 255 - image).max() < 0.5 / 255 + 1e-4


# Seeds and batches


@pytest.mark.parametrize("frames", [1, 3])
def test_a_batch_is_as_its_parts_alone(frames):
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


def test_a_run_begins_with_the_noise_of_its_seed():
    model = tiny()
    latents = initial_latents(model, [3, 4], 3, 32, 16)
    assert latents.shape == (2, 4, 3, 16, 8) and torch.equal(latents[1:], initial_latents(model, [4], 3, 32, 16))
    by_hand = torch.randn((4, 3, 16, 8), generator=torch.Generator().manual_seed(3))
    assert torch.equal(latents[0], by_hand)


def test_a_seed_serves_all_prompts_of_a_list():
    clips = run(tiny(), [PROMPT, PROMPT], seed=2, steps=1)
    assert [clip.seed for clip in clips] == [2, 2]
    assert torch.allclose(clips[0].latents, clips[1].latents, atol=1e-5)


def test_a_list_of_one_gives_a_list():
    clips = run(tiny(), [PROMPT], steps=1)
    assert isinstance(clips, list) and len(clips) == 1


def test_defaults_are_the_models_own():
    clip = run(tiny())
    assert clip.video.shape == (3, 32, 32, 3) and clip.video.dtype == np.uint8
    assert same(clip, run(tiny(), steps=3, cfg_scale=4.0, frames=3, height=32, width=32))
    assert repr(clip) == f"Clip({PROMPT!r}, seed=0, 3 x 32 x 32); show(clip.video) plays it"
    assert clip.source is None and clip.updates == ()


# The loop


class Note(State):
    """Zeroes the latents before the first step, and notes what it is told."""

    def __init__(self):
        self.levels = []

    def update(self, latents, level, index):
        self.levels.append((index, level))
        return latents if index else torch.zeros_like(latents)


def test_steps_are_told_as_they_happen_and_edits_come_before_each():
    model, note = tiny(), Note()
    text = model.encode([PROMPT])
    steps = list(denoise(model, noise(model), text, None, 3, 1.0, [note]))
    assert [(step.index, step.timestep) for step in steps] == [(index, level.timestep) for index, level in note.levels]
    assert [step.index for step in steps] == [0, 1, 2] and steps[0].timestep > steps[2].timestep
    for _, level in note.levels:
        abar = float(model.noise.scheduler.alphas_cumprod[int(level.timestep)])
        assert (level.alpha**2, level.sigma**2, level.scale) == pytest.approx((abar, 1 - abar, 1))
    zeros = model.predict(torch.zeros(1, 4, 3, 16, 16), steps[0].timestep, text)
    assert torch.allclose(steps[0].prediction, zeros)
    assert all(step.latents.shape == (1, 4, 3, 16, 16) for step in steps)
    assert torch.equal(steps[0].prediction, denoise_first(model, torch.zeros(1, 4, 3, 16, 16), text).prediction)


def denoise_first(model, latents, text):
    return next(denoise(model, latents, text, None, 3, 1.0))


def test_the_models_own_scheduler_is_left_alone():
    model = tiny()
    run(model)
    assert model.noise.scheduler.model_outputs == [None, None] and same(run(model), run(model))


@dataclass(frozen=True)
class Telling:
    """An edit that notes what runs."""

    seen: list
    source: str = ""

    @contextmanager
    def attach(self, run):
        self.seen.append((run.prompts, run.sources, run.batch, run.steps, run.size, len(run.text)))
        note = Note()
        yield note
        self.seen.append([index for index, _ in note.levels])


def test_edits_are_told_what_runs_and_are_detached_in_reverse():
    model, first, second = tiny(), [], []
    clip = run(model, steps=2, edits=[Telling(first), Telling(second, "the source")])
    batch = (PROMPT, "the source")
    assert first == second == [((PROMPT,), ("the source",), batch, 2, (3, 16, 16), 2), [0, 1]]
    assert clip.prompt == PROMPT and clip.source.prompt == "the source" and clip.source.seed == 0
    assert not same(clip, clip.source)


def test_a_source_runs_beside_each_prompt_from_the_same_noise():
    clips = run(tiny(), [PROMPT, "the shark"], seed=[1, 2], steps=2, edits=Quiet("a dog"))
    for clip, seed in zip(clips, (1, 2), strict=True):
        target, source = (run(tiny(), text, seed=seed, steps=2) for text in (clip.prompt, "a dog"))
        torch.testing.assert_close(clip.latents, target.latents, atol=1e-3, rtol=0)
        torch.testing.assert_close(clip.source.latents, source.latents, atol=1e-3, rtol=0)


@dataclass(frozen=True)
class Quiet:
    """An edit that only needs a source."""

    source: str

    @contextmanager
    def attach(self, run):
        assert run.beside(self.source) == slice(2, 4) and run.targets == slice(0, 2)
        yield State()


def test_a_changed_model_is_another_model():
    quick = replace(tiny(), defaults=replace(tiny().defaults, steps=1))
    assert same(run(quick), run(tiny(), steps=1)) and tiny().defaults.steps == 3
