"""Wan 2.1 in diffusers' layout: text, autoencoder, solver and sizes as diffusers' own pipeline has them."""

import shutil
from dataclasses import replace

import pytest
import torch
from diffusers import DiffusionPipeline
from models_for_tests import PATH, run_of
from transformers import T5Tokenizer
from video_checkpoints_for_tests import OTHER, PROMPT, each_edit, wan_pipeline, write

from xattn_helpers import Guidance, capture, generate, load
from xattn_helpers.backbones.catalogue import resolve
from xattn_helpers.display.overlays import overlay
from xattn_helpers.edits.steering import Steering
from xattn_helpers.sampling import initial_latents

SIZE = {"frames": 5, "height": 32, "width": 48}


@pytest.fixture(scope="module")
def pipeline():
    pipeline = wan_pipeline()
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


@pytest.fixture(scope="module")
def folder(pipeline, tmp_path_factory):
    return write(tmp_path_factory.mktemp("checkpoints") / "wan", pipeline)


@pytest.fixture(scope="module")
def model(folder):
    return load(folder, "cpu")


def run(model, prompt=PROMPT, **options):
    return generate(model, prompt, **({"seed": 0, "steps": 3, "progress": False} | SIZE | options))


def published(pipeline, model, prompts, seeds, **options):
    """What diffusers' pipeline makes of the same noise: pixels from 0 to 1, or latents."""
    latents = initial_latents(model, seeds, *SIZE.values())
    size = {"num_frames": SIZE["frames"], "height": SIZE["height"], "width": SIZE["width"]}
    return pipeline(prompts, latents=latents, num_inference_steps=3, **size, **options).frames


def test_it_is_loaded_as_it_was_published(pipeline, model):
    own = model.defaults
    assert (own.frames, own.height, own.width, own.steps, own.cfg_scale) == (81, 480, 832, 50, 5.0)
    assert model.is_video and model.text.length == 512 and model.codec.pixels_per_cell == 8
    for loaded, saved in ((model.network, pipeline.transformer), (model.text.encoder, pipeline.text_encoder)):
        wanted = saved.state_dict()
        assert all(torch.equal(weight, wanted[name]) for name, weight in loaded.state_dict().items())
    assert type(model.noise.scheduler).__name__ == "UniPCMultistepScheduler" and model.noise.is_flow


@pytest.mark.parametrize("prompt", [PROMPT, "", "  a  burger\n on &amp;amp; off "])
def test_a_prompt_is_embedded_as_in_the_pipeline(pipeline, model, prompt):
    wanted, _ = pipeline.encode_prompt(prompt, do_classifier_free_guidance=False, max_sequence_length=512)
    text = model.encode(prompt)
    assert text.mask is None and text.states.shape == (1, 512, 16)
    torch.testing.assert_close(text.states, wanted, atol=1e-6, rtol=0)
    assert text.states[0].any(-1).sum() == model.text.count(prompt) < 30


@pytest.mark.parametrize("negative", ["", "a shark, the water"])
def test_generate_equals_the_pipeline(pipeline, model, negative):
    prompts, seeds = [PROMPT, OTHER], [3, 4]
    options = {"negative_prompt": [negative] * 2, "guidance_scale": 4.0}
    latents = published(pipeline, model, prompts, seeds, output_type="latent", **options)
    pixels = published(pipeline, model, prompts, seeds, output_type="pt", **options).permute(0, 1, 3, 4, 2)
    clips = run(model, prompts, seed=seeds, cfg_scale=4.0, negative_prompt=negative)
    for clip, wanted, frames in zip(clips, latents, pixels, strict=True):
        torch.testing.assert_close(clip.latents, wanted, atol=1e-4, rtol=1e-4)
        assert clip.video.shape == (5, 32, 48, 3) and clip.video.std() > 1
        assert abs(clip.video / 255 - frames.numpy()).max() < 0.51 / 255 + 1e-4


def test_without_classifier_free_guidance_it_equals_the_pipeline(pipeline, model):
    wanted = published(pipeline, model, PROMPT, [5], output_type="latent", guidance_scale=1.0)
    torch.testing.assert_close(run(model, seed=5, cfg_scale=1.0).latents, wanted[0], atol=1e-4, rtol=1e-4)


def test_videos_and_latents_are_each_others(pipeline, model):
    video = torch.randint(256, (2, 5, 32, 48, 3), generator=torch.Generator().manual_seed(0)).byte()
    latents = model.codec.encode(video)
    assert latents.shape == (2, 4, 2, 4, 6)
    pixels = video[1:].permute(0, 4, 1, 2, 3).float() / 127.5 - 1
    own = pipeline.vae.encode(pixels).latent_dist.mode()
    config = pipeline.vae.config
    for channel in range(4):
        wanted = (own[0, channel] - config.latents_mean[channel]) / config.latents_std[channel]
        torch.testing.assert_close(latents[1, channel], wanted)
    assert model.codec.decode(latents).shape == video.shape


@pytest.mark.parametrize(
    ("options", "answer"),
    [
        ({"frames": 8}, "frames=8: a latent frame.* 4 frames, so possible are 1, 5, 9, …; the nearest are 5 and 9"),
        ({"height": 40}, "height=40: this model makes multiples of 16 pixels, by default 480"),
        ({"width": 8}, "width=8: this model makes multiples of 16 pixels, by default 832"),
    ],
)
def test_what_it_cannot_make_is_an_error_with_what_it_can(model, options, answer):
    with pytest.raises(ValueError, match=answer):
        run(model, **options)


def test_it_makes_images(model):
    assert run(model, frames=1).video.shape == (1, 32, 48, 3)


# Words


def test_words_are_found_where_they_stand(model):
    text = model.text
    assert not text.has_start and text.labels(PROMPT)[:8] == "a burger float s on the water <end>".split()
    assert text.labels(PROMPT)[8:] == ["<pad>"] * 504 and text.count(PROMPT) == 8
    assert text.find(PROMPT, "burger") == [1] and text.find(PROMPT, "floats") == [2, 3]
    hamburger = text.find("the hamburger, a burger!", "hamburger")
    assert len(hamburger) > 1 and hamburger[0] == 1
    assert text.find("the  hamburger&amp; a\tburger", "burger") == [text.count("the hamburger& a") - 1]


def test_a_prompt_that_is_too_long_is_an_error(model):
    with pytest.raises(ValueError, match="has 601 tokens .*; the model takes 512"):
        model.encode("a " * 600)


# Looking and editing


def test_attention_is_recorded_and_changes_nothing(model):
    plain = run(model)
    with capture(model, half="both", every_step=True) as attention:
        recorded = run(model)
    assert torch.equal(recorded.latents, plain.latents)
    assert attention.maps("burger", step=1).shape == (2, 2, 3)
    assert attention.probabilities(model.sites[0], half="unconditional").shape == (1, 2, 1, 2, 3, 512)


@each_edit
def test_edits_change_the_clip(model, edit):
    plain, edited = run(model), run(model, edits=edit)
    assert edited.latents.isfinite().all() and (plain.latents - edited.latents).abs().max() > 1e-3


def test_half_precision_leaves_latents_and_autoencoder_in_single(folder):
    model = load(folder, "cpu", "bfloat16")
    assert model.network.blocks[0].attn2.to_q.weight.dtype == model.text.encoder.dtype == torch.bfloat16
    assert model.codec.vae.dtype == torch.float32
    clip = run(model, edits=Guidance("burger", PATH))
    assert clip.latents.dtype == torch.float32 and clip.latents.isfinite().all()


def test_a_target_is_where_it_is_asked_to_be_in_the_frames_of_the_video(model):
    about = run_of(replace(model, defaults=replace(model.defaults, frames=9, height=32, width=48)), PROMPT)
    assert about.size == (3, 4, 6)
    steering = Steering(Guidance("burger", PATH), about)
    drawn = steering.facts.placements.drawn(PATH, torch.zeros(3, 2, 4, 6, 1))
    assert torch.equal(drawn, PATH.mask(9, 4, 6, "disc")[[0, 2, 6]])


def test_maps_are_laid_over_all_frames_that_they_are_about(model):
    with capture(model) as attention:
        clip = run(model, frames=9)
    maps = attention.maps("burger").numpy()
    assert maps.shape == (3, 2, 3) and clip.video.shape[0] == 9
    wanted = overlay(clip.video, maps[[0, 1, 1, 1, 1, 2, 2, 2, 2]])
    assert (overlay(clip.video, attention.maps("burger")) == wanted).all()


def test_a_tokenizer_that_needs_another_package_says_which(folder, monkeypatch):
    def missing(*_, **__):
        raise ImportError("T5Tokenizer requires the SentencePiece library")

    monkeypatch.setattr(T5Tokenizer, "from_pretrained", missing)
    with pytest.raises(OSError, match="^tokenizer of .* needs a package.*pip install sentencepiece protobuf.*requires"):
        load(folder, "cpu")


def test_a_checkpoint_of_two_networks_is_refused(folder, tmp_path, monkeypatch):
    copy = shutil.copytree(folder, tmp_path / "copy")
    shutil.copytree(copy / "transformer", copy / "transformer_2")
    with pytest.raises(ValueError, match="cannot be run: it has two networks"):
        load(copy, "cpu")
    index = {"_class_name": "WanPipeline", "transformer": ["diffusers", "WanTransformer3DModel"]}
    monkeypatch.setattr(DiffusionPipeline, "load_config", lambda source: index | {"transformer_2": [None, None]})
    assert resolve("somebody/wan").network == "transformer"
    monkeypatch.setattr(DiffusionPipeline, "load_config", lambda source: index | {"transformer_2": ["diffusers", "W"]})
    with pytest.raises(ValueError, match="it has two networks"):
        resolve("somebody/wan")
