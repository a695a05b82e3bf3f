"""The interface of a model: what it is made of, what it predicts, what it says of itself."""

import math
from dataclasses import replace

import pytest
import torch
from models_for_tests import PROMPT, build_unet, noise, tiny

from xattn_helpers import generate, load
from xattn_helpers.backbones import catalogue
from xattn_helpers.backbones.backbone import CALL, Call
from xattn_helpers.backbones.catalogue import Checkpoint
from xattn_helpers.backbones.checkpoints import guess_defaults
from xattn_helpers.backbones.codec import Codec
from xattn_helpers.backbones.text import Condition, Text


@pytest.mark.parametrize("frames", [1, 3])
def test_classifier_free_guidance_is_the_formula(frames):
    model = tiny(frames)
    text, negative, latents = model.encode([PROMPT]), model.encode([""]), noise(model)
    pair = model.predict(latents, 500, text, negative, cfg_scale=3.0)
    with_text, without = (model.predict(latents, 500, states) for states in (text, negative))
    assert torch.allclose(pair, without + 3 * (with_text - without), atol=1e-5) and pair.shape == latents.shape
    assert not torch.allclose(with_text, without, atol=1e-3)


def test_bare_embeddings_are_a_condition_without_a_mask():
    model, text = tiny(), tiny().encode([PROMPT])
    wanted = model.predict(noise(model), 500, text, text, 2.0)
    assert torch.equal(model.predict(noise(model), torch.tensor(500), text.states, text.states, 2.0), wanted)


def test_a_failed_call_leaves_no_facts_behind():
    model = tiny()
    text = model.encode(PROMPT)
    with pytest.raises(RuntimeError):
        model.predict(noise(model)[:, :3], 500, text, text)
    assert CALL.get() is None


def test_a_call_that_is_given_is_completed_and_not_changed():
    model, call, seen = tiny(), Call(index=2, prompts=(PROMPT,)), []
    inner = model.backbone.predict

    class Spying(type(model.backbone)):
        def predict(self, latents, timestep, text):
            seen.append(CALL.get())
            return inner(latents, timestep, text)

    spied = replace(model, backbone=Spying(model.network))
    text = model.encode([PROMPT])
    spied.predict(noise(model), 500, text, text, 2.0, call)
    spied.predict(noise(model), 500, text, call=call)
    facts = [(c.index, c.prompts, c.timestep, c.halves, c.size, c.clips) for c in seen]
    assert facts == [
        (2, (PROMPT,), 500.0, ("unconditional", "conditional"), (3, 16, 16), 1),
        (2, (PROMPT,), 500.0, ("conditional",), (3, 16, 16), 1),
    ]
    assert math.isnan(call.timestep) and call.size == (1, 1, 1)


# Text


def test_one_prompt_and_a_list_of_it_are_the_same():
    assert torch.equal(tiny().encode(PROMPT).states, tiny().encode([PROMPT]).states)
    assert len(tiny().encode([PROMPT, "the shark"])) == 2


def test_embeddings_are_those_of_the_text_encoder():
    model = tiny()
    ids = model.text.tokenizer([PROMPT], padding="max_length", return_tensors="pt").input_ids
    assert torch.equal(model.encode(PROMPT).states, model.text.encoder(ids).last_hidden_state)


def test_a_prompt_that_is_too_long_is_an_error_with_its_length():
    with pytest.raises(ValueError, match="has 32 tokens with start and end; the model takes 20"):
        tiny().encode([" ".join(["burger"] * 30)])


def test_a_prompt_that_a_model_does_not_understand_is_its_own_error():
    def refuse(prompt):
        raise ValueError(f"{prompt} is beyond me")

    model = tiny()
    picky = replace(model, text=Text(model.text.tokenizer, model.text.encoder, refuse))
    with pytest.raises(ValueError, match="a zebra is beyond me"):
        generate(picky, "a zebra", progress=False)


def test_conditions_join_with_both_masks_or_none():
    states, mask = torch.rand(1, 4, 8), torch.tensor([[True, True, False, False]])
    joined = Condition(states, mask).join(Condition(states + 1, ~mask))
    assert torch.equal(joined.states, torch.cat([states, states + 1])) and joined.mask.tolist() == [
        [True, True, False, False], [False, False, True, True],
    ]  # fmt: skip
    assert torch.equal(joined[1:].states, states + 1) and joined[1:].mask.tolist() == [[False, False, True, True]]
    assert Condition(states).join(Condition(states)).mask is None
    with pytest.raises(ValueError, match="text: one has a mask and the other has none"):
        Condition(states, mask).join(Condition(states))


# Pixels


def test_decoding_is_the_autoencoders_own():
    model, latents = tiny(), noise(tiny(), batch=2)
    video = model.decode(latents)
    assert video.shape == (2, 3, 32, 32, 3) and video.dtype == torch.uint8
    vae = model.codec.vae
    frame = vae.decode(latents[1, :, 2][None] / vae.config.scaling_factor).sample[0]
    by_hand = ((frame / 2 + 0.5).clamp(0, 1) * 255).permute(1, 2, 0)
    assert (video[1, 2] - by_hand).abs().max() <= 0.6


def test_encoding_is_the_autoencoders_own_and_turned_the_right_way():
    model = tiny()
    video = torch.randint(0, 256, (2, 3, 32, 16, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    latents = model.codec.encode(video)
    assert latents.shape == (2, 4, 3, 16, 8)
    vae, pixels = model.codec.vae, video[1, 2].permute(2, 0, 1)[None].float() / 127.5 - 1
    by_hand = vae.encode(pixels).latent_dist.mode() * vae.config.scaling_factor
    assert torch.allclose(latents[1, :, 2], by_hand[0], atol=1e-5)


def test_latents_have_a_cell_for_so_many_pixels_and_a_frame_for_each_frame():
    codec = Codec(tiny().codec.vae)
    assert codec.latent_size(8, 32, 16) == (8, 16, 8)
    assert codec.encode(torch.zeros((1, 8, 32, 16, 3), dtype=torch.uint8)).shape[-3:] == (8, 16, 8)


# What it says of itself


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("unet", "model.network"), ("transformer", "model.network"), ("vae", "model.codec.vae"),
        ("tokenizer", "model.text.tokenizer"), ("text_encoder", "model.text.encoder"),
        ("scheduler", "model.noise.scheduler"),
    ],
)  # fmt: skip
def test_names_of_parts_elsewhere_say_where_they_are_here(old, new):
    with pytest.raises(AttributeError, match=f"no attribute '{old}'; it is {new}$"):
        getattr(tiny(), old)
    with pytest.raises(AttributeError, match="no attribute 'colour'$"):
        tiny().colour  # noqa: B018
    assert eval(new, {"model": tiny()}) is not None


def test_setting_a_network_by_its_old_name_says_what_to_write():
    for name in ("unet", "transformer"):
        with pytest.raises(AttributeError, match=f"no attribute '{name}'; write model.network = …"):
            setattr(tiny(), name, tiny().network)


def test_another_network_must_fit_the_other_parts():
    model = replace(tiny(1))
    with pytest.raises(ValueError, match="takes embeddings of width 64, and the text encoder makes 128"):
        model.network = build_unet(False, cross_attention_dim=64)
    assert model.network is tiny(1).network
    model.network = network = build_unet(False)
    assert model.network is network and tiny(1).network is not network


def test_a_model_says_what_it_is_in_one_line():
    assert repr(tiny()) == "Model(UNet3DConditionModel, 0.9 M weights, makes 3 x 32 x 32, cpu, float32)"
    assert (tiny().is_video, tiny(1).is_video) == (True, False)
    assert tiny().groups == ("down", "mid", "up") and tiny().cells() == [1, 2, 4]
    assert (tiny().device.type, tiny().dtype) == ("cpu", torch.float32)


def test_models_make_short_clips_in_few_steps_where_the_environment_asks_for_it(monkeypatch, capsys):
    made, shorter = Checkpoint("x", frames=16, steps=14), Checkpoint("x", frames=1, steps=1)  # of 512 x 512 pixels
    monkeypatch.setattr(catalogue, "TOLD", [])
    for unset in ("", "0"):
        monkeypatch.setenv(catalogue.QUICK, unset)
        assert catalogue.shortened(made) == made and load("pocket-t2i", "cpu").defaults.steps == 14
    assert capsys.readouterr().out == ""
    monkeypatch.setenv(catalogue.QUICK, "1")
    assert catalogue.shortened(made) == replace(made, frames=5, steps=2, height=64, width=64)
    assert catalogue.shortened(shorter) == shorter, "images keep their size"
    transformer = replace(made, network="transformer")
    assert catalogue.shortened(transformer) == replace(transformer, frames=5, steps=2)
    quick = load("pocket-t2i", "cpu")
    said = capsys.readouterr().out
    assert said.count("XATTN_QUICK is set") == said.count("\n") == 1, "once, and not for each model"
    assert "at most 5 frames, made in 2 steps, and videos of a U-Net at most 64 x 64 pixels" in said
    seen = []
    generate(quick, "a burger floats on the water", seed=0, height=64, width=64, watch=seen.append)
    assert len(seen) == quick.defaults.steps == 2 and quick.defaults.frames == 1


def test_sizes_of_unknown_checkpoints_are_guessed_from_their_parts():
    parts = {"vae": tiny().codec.vae, "network": tiny().network}
    unknown = Checkpoint("x", frames=0)
    guessed = guess_defaults(unknown, parts, is_video=True)
    assert (guessed.height, guessed.width, guessed.frames) == (32, 32, 16)
    parts["network"] = type("Network", (), {"config": type("Config", (), {"sample_size": [40, 72]})})()
    guessed = guess_defaults(unknown, parts, is_video=False)
    assert (guessed.height, guessed.width, guessed.frames) == (80, 144, 1)
