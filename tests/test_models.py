"""The interface of a model, and loading checkpoints in the layouts of the published ones."""

import shutil
from dataclasses import replace

import pytest
import torch
from models_for_tests import LAYERS, LAYOUTS, PROMPT, noise, tiny, write_checkpoint

from xattn_helpers import capture, generate, load
from xattn_helpers import checkpoints as places


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """folder(layout), parts(layout): each checkpoint is written once."""
    root = tmp_path_factory.mktemp("checkpoints")
    parts = {layout: write_checkpoint(root / layout, layout) for layout in LAYOUTS}
    return lambda layout: (root / layout, parts[layout])


@pytest.fixture
def copy(saved, tmp_path):
    """A checkpoint folder that a test may break."""
    return shutil.copytree(saved("modelscope")[0], tmp_path / "copy")


# Published layouts


@pytest.mark.parametrize("layout", LAYOUTS)
def test_weights_are_those_of_the_files(saved, layout):
    folder, parts = saved(layout)
    model = load(folder, "cpu")
    for name, part in parts.items():
        loaded, wanted = getattr(model, name).state_dict(), part.state_dict()
        assert loaded.keys() == wanted.keys()
        assert all(torch.equal(loaded[key], wanted[key]) for key in wanted), name


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_makes_a_clip_and_is_recorded(saved, layout):
    model = load(saved(layout)[0], "cpu")
    frames = 2 if LAYOUTS[layout].get("frames") else 1
    assert model.is_video == (frames == 2)
    assert (model.defaults.frames, model.defaults.height, model.defaults.width) == (16 if frames == 2 else 1, 16, 16)
    with capture(model) as attention:
        clip = generate(model, "a hamburger in the sea!", seed=1, steps=2, frames=frames, progress=False)
    assert clip.video.shape == (frames, 16, 16, 3) and clip.video.std() > 0
    assert attention.maps("hamburger", resolution=8).shape == (frames, 8, 8)
    assert len(model.cross_attention_layers) == LAYERS


@pytest.mark.parametrize("layout", ["modelscope", "stable-diffusion"])
@pytest.mark.parametrize("dtype", [torch.float16, torch.float32])
def test_half_precision_files_alone_are_enough(saved, tmp_path, layout, dtype):
    folder = shutil.copytree(saved(layout)[0], tmp_path / "copy")
    for file in folder.rglob(f"*model.{LAYOUTS[layout]['suffix']}"):
        file.unlink()
    model = load(folder, "cpu", dtype)
    assert model.dtype == model.vae.dtype == model.text_encoder.dtype == dtype
    wanted = saved(layout)[1]["unet"].conv_in.weight
    assert torch.equal(model.unet.conv_in.weight.float(), wanted.half().float())


def test_half_precision_makes_and_records_a_clip(saved):
    model = load(saved("modelscope")[0], "cpu", torch.float16)
    with capture(model) as attention:
        clip = generate(model, "a burger", steps=2, frames=2, progress=False)
    assert clip.latents.dtype == torch.float16 and clip.latents.isfinite().all()
    total = sum(attention.maps(position, resolution=4) for position in range(77))
    assert total.dtype == torch.float32 and torch.allclose(total, torch.ones_like(total), atol=5e-3)


def test_what_a_model_predicts_is_kept_whatever_its_solver_was(saved):
    kinds = {layout: load(saved(layout)[0], "cpu").scheduler for layout in ("stable-diffusion", "stable-diffusion-2.1")}
    assert {type(kind).__name__ for kind in kinds.values()} == {"DPMSolverMultistepScheduler"}
    assert kinds["stable-diffusion"].config.prediction_type == "epsilon"
    assert kinds["stable-diffusion-2.1"].config.prediction_type == "v_prediction"
    assert all(kind.config.beta_schedule == "scaled_linear" for kind in kinds.values())


def test_upcast_attention_and_padding_of_stable_diffusion_2_are_kept(saved):
    model = load(saved("stable-diffusion-2.1")[0], "cpu")
    assert model.unet.mid_block.attentions[0].transformer_blocks[0].attn2.upcast_attention
    assert model.tokenizer.pad_token == "!"


def test_loading_is_silent_and_leaves_the_progress_bars_as_they_were(saved, capfd):
    from diffusers.utils import logging

    before = logging.is_progress_bar_enabled()
    load(saved("modelscope")[0], "cpu")
    assert logging.is_progress_bar_enabled() == before
    assert capfd.readouterr() == ("", "")


def test_a_tokenizer_that_does_not_tell_its_length_takes_the_encoders(copy):
    config = copy / "tokenizer" / "tokenizer_config.json"
    config.write_text(config.read_text().replace('"model_max_length": 77, ', ""))
    assert load(copy, "cpu").encode_prompt(["a burger"]).shape == (1, 77, 32)


# Names and folders that are not there, or broken


def test_an_unknown_name_is_an_error_that_suggests_the_nearest():
    with pytest.raises(ValueError, match="name='modelscop' is neither.*zeroscope.*did you mean 'modelscope'"):
        load("modelscop")
    with pytest.raises(ValueError, match="did you mean 'stable-diffusion'"):
        load("Stable Diffusion")
    with pytest.raises(ValueError, match="nor an existing folder"):
        load("./no/such/folder")


@pytest.mark.parametrize("part", ["unet", "vae", "text_encoder", "tokenizer", "scheduler"])
def test_a_missing_part_is_named(copy, part):
    shutil.rmtree(copy / part)
    with pytest.raises(FileNotFoundError, match=rf"{copy.name}: {part} missing.*subfolders unet, vae"):
        load(copy, "cpu")


@pytest.mark.parametrize("part", ["unet", "vae", "text_encoder"])
@pytest.mark.parametrize("damage", ["no file", "cut off", "a weight less"])
def test_damaged_weights_are_an_error_that_names_the_part(copy, part, damage):
    for file in (copy / part).glob("*.bin"):
        if damage == "no file":
            file.unlink()
        elif damage == "cut off":
            file.write_bytes(file.read_bytes()[:1000])
        else:
            state = torch.load(file)
            state.pop(next(name for name in state if name.endswith("weight")))
            torch.save(state, file)
    with pytest.raises(OSError, match=f"^{part} of .*{copy.name}.* could not be loaded: the files may be damaged"):
        load(copy, "cpu")


@pytest.mark.parametrize("file", ["vocab.json", "merges.txt"])
def test_a_tokenizer_without_its_words_is_an_error(copy, file):
    (copy / "tokenizer" / file).unlink()
    with pytest.raises(FileNotFoundError, match="tokenizer needs tokenizer.json, or vocab.json and merges.txt"):
        load(copy, "cpu")


def test_a_hub_that_cannot_be_reached_is_an_error_that_says_what_to_do(monkeypatch, capsys):
    here = replace(places.CHECKPOINTS["modelscope"], source="nobody/no-such-text-to-video")
    monkeypatch.setitem(places.CHECKPOINTS, "modelscope", here)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(OSError, match="unet of 'nobody/no-such-text-to-video'.*HF_HUB_OFFLINE is set.*HF_HOME.*pocket"):
        load("modelscope", "cpu")
    assert "CC-BY-NC-4.0" in (said := capsys.readouterr().out) and "3.5 GB" in said
    with pytest.raises(OSError, match="'nobody/nothing' could not be loaded from the model hub"):
        load("nobody/nothing", "cpu")


def test_missing_pocket_weights_are_not_looked_for_on_the_hub(monkeypatch, tmp_path):
    monkeypatch.setitem(places.CHECKPOINTS, "pocket", places.Checkpoint(str(tmp_path / "nowhere"), 16, 128, 128))
    with pytest.raises(FileNotFoundError, match="make train"):
        load("pocket", "cpu")


def test_every_published_checkpoint_says_its_licence_and_size():
    published = [one for name, one in places.CHECKPOINTS.items() if not name.startswith("pocket")]
    assert len(published) == 4 and all(one.licence and one.download.endswith("GB") for one in published)


# The interface


@pytest.mark.parametrize("frames", [1, 3])
def test_guidance_is_the_formula(frames):
    model = tiny(frames)
    text, negative, latents = model.encode_prompt([PROMPT]), model.encode_prompt([""]), noise(model)
    both = model.predict_noise(latents, 500, text, negative, guidance_scale=3.0)
    one, other = (model.predict_noise(latents, 500, side) for side in (text, negative))
    assert torch.allclose(both, other + 3 * (one - other), atol=1e-5) and both.shape == latents.shape
    assert not model.guided


def test_a_failed_call_does_not_leave_the_model_guided():
    model = tiny()
    text = model.encode_prompt(PROMPT)
    with pytest.raises(RuntimeError):
        model.predict_noise(noise(model)[:, :3], 500, text, text)
    assert not model.guided


def test_one_prompt_and_a_list_of_it_are_the_same():
    assert torch.equal(tiny().encode_prompt(PROMPT), tiny().encode_prompt([PROMPT]))


def test_a_prompt_that_is_too_long_is_an_error_with_its_length():
    with pytest.raises(ValueError, match="has 32 tokens with start and end; the model takes 20"):
        tiny().encode_prompt([" ".join(["burger"] * 30)])


def test_a_prompt_that_a_model_does_not_understand_is_its_own_error():
    def refuse(prompt):
        raise ValueError(f"{prompt} is beyond me")

    with pytest.raises(ValueError, match="a zebra is beyond me"):
        replace(tiny(), check_prompt=refuse).encode_prompt(["a zebra"])


def test_prompts_are_told_only_inside_a_run():
    model = tiny()
    with pytest.raises(KeyError), model.running(["outer"]):
        with model.running(["inner", "other"]):
            assert model.prompts == ("inner", "other")
        assert model.prompts == ("outer",)
        raise KeyError
    assert model.prompts == ()


def test_decoding_in_parts_changes_nothing():
    model, latents = tiny(), noise(tiny(), batch=2)
    video = model.decode(latents)
    assert video.shape == (2, 3, 32, 32, 3) and video.dtype == torch.uint8
    assert (video.int() - model.decode(latents, at_once=1).int()).abs().max() <= 1
    frame = model.vae.decode(latents[1, :, 2][None] / model.vae.config.scaling_factor).sample[0]
    by_hand = ((frame / 2 + 0.5).clamp(0, 1) * 255).permute(1, 2, 0)
    assert (video[1, 2] - by_hand).abs().max() <= 0.6


def test_a_model_knows_its_layers_in_the_order_in_which_they_run():
    layers = tiny().cross_attention_layers
    assert [layer.place for layer in layers] == ["down"] * 2 + ["mid"] + ["up"] * 4
    assert not [layer for layer in layers if "temp" in layer.name or "transformer_in" in layer.name]


def test_published_size_guesses(saved):
    parts = {"vae": tiny().vae, "unet": tiny().unet}
    unknown = places.Checkpoint("x", frames=0)
    assert (places.guess_defaults(unknown, parts).height, places.guess_defaults(unknown, parts).frames) == (32, 16)
    parts["unet"] = type("Unet", (), {"config": type("Config", (), {"sample_size": [40, 72]})})()
    guessed = places.guess_defaults(unknown, parts)
    assert (guessed.height, guessed.width, guessed.frames) == (80, 144, 1)
