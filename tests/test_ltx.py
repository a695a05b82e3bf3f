"""LTX-Video in diffusers' layout: text, autoencoder, schedule and sizes as diffusers' own pipeline has them."""

import pytest
import torch
from video_checkpoints_for_tests import PROMPT, each_edit, ltx_pipeline, write

from xattn_helpers import capture, generate, load
from xattn_helpers.backbones.video_codecs import DECODE_NOISE, DECODE_TIMESTEP
from xattn_helpers.sampling import initial_latents

SIZE = {"frames": 9, "height": 64, "width": 96}


@pytest.fixture(scope="module", params=[False, True], ids=["plain decoder", "decoder with a timestep"])
def pipeline(request):
    pipeline = ltx_pipeline(conditioned=request.param)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


@pytest.fixture(scope="module")
def model(pipeline, tmp_path_factory):
    return load(write(tmp_path_factory.mktemp("checkpoints") / "ltx", pipeline), "cpu")


def run(model, prompt=PROMPT, **options):
    return generate(model, prompt, **({"seed": 0, "steps": 3, "progress": False} | SIZE | options))


def published(pipeline, model, prompt, seed, **options):
    """What diffusers' pipeline makes of the same noise: pixels from 0 to 1, or packed latents."""
    latents = initial_latents(model, [seed], *SIZE.values()).flatten(2).transpose(1, 2)
    size = {"num_frames": SIZE["frames"], "height": SIZE["height"], "width": SIZE["width"]}
    decoder = {"decode_timestep": DECODE_TIMESTEP, "decode_noise_scale": DECODE_NOISE}
    generator = torch.Generator().manual_seed(0)
    options |= {"latents": latents, "num_inference_steps": 3, "generator": generator}
    return pipeline(prompt, **options, **size, **decoder).frames


def test_it_is_loaded_as_it_was_published(pipeline, model):
    own = model.defaults
    assert (own.frames, own.height, own.width, own.steps, own.cfg_scale) == (161, 512, 704, 50, 3.0)
    assert model.text.length == 128 and model.codec.pixels_per_cell == 32 and model.codec.frames_per_latent == 8
    assert torch.equal(model.codec.vae.latents_std, pipeline.vae.latents_std)


@pytest.mark.parametrize("prompt", [PROMPT, ""])
def test_a_prompt_is_embedded_and_masked_as_in_the_pipeline(pipeline, model, prompt):
    states, mask, *_ = pipeline.encode_prompt(prompt, do_classifier_free_guidance=False)
    text = model.encode(prompt)
    torch.testing.assert_close(text.states, states, atol=1e-4, rtol=1e-4)
    assert torch.equal(text.mask, mask) and text.mask.sum() == model.text.count(prompt) and len(text.mask[0]) == 128


@pytest.mark.parametrize("negative", ["", "a shark, the water"])
def test_generate_equals_the_pipeline(pipeline, model, negative):
    options = {"negative_prompt": negative, "guidance_scale": 3.0}
    packed = published(pipeline, model, PROMPT, 3, output_type="latent", **options)
    pixels = published(pipeline, model, PROMPT, 3, output_type="pt", **options)[0].permute(0, 2, 3, 1)
    clip = run(model, seed=3, cfg_scale=3.0, negative_prompt=negative)
    torch.testing.assert_close(clip.latents.flatten(1).T, packed[0], atol=1e-4, rtol=1e-4)
    assert clip.video.shape == (9, 64, 96, 3) and clip.video.std() > 1
    assert abs(clip.video / 255 - pixels.numpy()).max() < 0.51 / 255 + 1e-4


def test_the_schedule_depends_on_the_size(model):
    small, large = model.noise.solver(4, 1024), model.noise.solver(4, 4096)
    assert small.level(1).sigma < large.level(1).sigma < 1 == large.level(0).sigma
    assert small.level(3).sigma == pytest.approx(0.1) == large.level(3).sigma  # the published schedule ends there
    with pytest.raises(ValueError, match="places: none given; this schedule depends on the size"):
        model.noise.solver(4)


def test_videos_and_latents_are_each_others(pipeline, model):
    video = torch.randint(256, (1, 9, 64, 96, 3), generator=torch.Generator().manual_seed(0)).byte()
    latents = model.codec.encode(video)
    own = pipeline.vae.encode(video.permute(0, 4, 1, 2, 3).float() / 127.5 - 1).latent_dist.mode()
    vae = pipeline.vae
    wanted = pipeline._normalize_latents(own, vae.latents_mean, vae.latents_std, vae.config.scaling_factor)
    assert latents.shape == (1, 4, 2, 2, 3)
    torch.testing.assert_close(latents, wanted)


@pytest.mark.parametrize(
    ("options", "answer"),
    [
        ({"frames": 16}, "frames=16: a latent frame.* 8 frames, so possible are 1, 9, 17, …; the nearest are 9 and 17"),
        ({"height": 48}, "height=48: this model makes multiples of 32 pixels, by default 512"),
    ],
)
def test_what_it_cannot_make_is_an_error_with_what_it_can(model, options, answer):
    with pytest.raises(ValueError, match=answer):
        run(model, **options)


def test_attention_is_recorded_and_changes_nothing(model):
    plain = run(model)
    with capture(model) as attention:
        recorded = run(model)
    assert torch.equal(recorded.latents, plain.latents) and attention.maps("burger").shape == (2, 2, 3)
    shares = attention.probabilities(model.sites[0])[0, :, 0].mean((0, 1, 2))
    assert shares[: model.text.count(PROMPT)].sum() == pytest.approx(1, abs=1e-5)  # padding is masked


@each_edit
def test_edits_change_the_clip(model, edit):
    plain, edited = run(model), run(model, edits=edit)
    assert edited.latents.isfinite().all() and (plain.latents - edited.latents).abs().max() > 1e-3
