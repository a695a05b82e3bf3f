"""Loading checkpoints in the layouts of the published ones, and what is said of broken ones."""

import shutil
from dataclasses import replace

import pytest
import torch
from models_for_tests import LAYOUTS, SITES, write_checkpoint

from xattn_helpers import capture, generate, load
from xattn_helpers.backbones import checkpoints


def part_of(model, name):
    return {"unet": model.network, "vae": model.codec.vae, "text_encoder": model.text.encoder}[name]


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
        loaded, wanted = part_of(model, name).state_dict(), part.state_dict()
        assert loaded.keys() == wanted.keys()
        assert all(torch.equal(loaded[key], wanted[key]) for key in wanted), name
        assert not part_of(model, name).training


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_makes_a_clip_and_is_recorded(saved, layout):
    model = load(saved(layout)[0], "cpu")
    frames = 2 if LAYOUTS[layout].get("frames") else 1
    assert model.is_video == (frames == 2)
    assert (model.defaults.frames, model.defaults.height, model.defaults.width) == (16 if frames == 2 else 1, 16, 16)
    with capture(model) as attention:
        clip = generate(model, "a hamburger in the sea!", seed=1, steps=2, frames=frames, progress=False)
    assert clip.video.shape == (frames, 16, 16, 3) and clip.video.std() > 0
    assert attention.maps("hamburger", cells=1).shape == (frames, 8, 8)
    assert len(model.sites) == SITES


def test_the_rows_of_a_loaded_network_are_aligned(saved):
    network, seen = load(saved("modelscope")[0], "cpu").network, []
    network.transformer_in.proj_in.register_forward_hook(lambda _, rows, out: seen.append(rows[0].is_contiguous()))
    network(torch.zeros(1, 4, 2, 8, 8), 10, torch.zeros(1, 4, network.config.cross_attention_dim))
    assert seen == [True]


@pytest.mark.parametrize("layout", ["modelscope", "stable-diffusion"])
@pytest.mark.parametrize("dtype", [torch.float16, torch.float32, "float16", "bfloat16"])
def test_half_precision_files_alone_are_enough(saved, tmp_path, layout, dtype):
    folder = shutil.copytree(saved(layout)[0], tmp_path / "copy")
    for file in folder.rglob(f"*model.{LAYOUTS[layout]['suffix']}"):
        file.unlink()
    model = load(folder, "cpu", dtype)
    wanted = getattr(torch, dtype) if isinstance(dtype, str) else dtype
    assert model.dtype == model.codec.vae.dtype == model.text.encoder.dtype == wanted
    weights = saved(layout)[1]["unet"].conv_in.weight.half().to(wanted)
    assert torch.equal(model.network.conv_in.weight, weights)


@pytest.mark.parametrize("dtype", ["float8", "half-precision", 16, torch.int8])
def test_a_precision_that_is_none_is_an_error_with_those_that_are(saved, dtype):
    with pytest.raises(ValueError, match=f"dtype={dtype!r}: possible are 'float32', 'float16', 'bfloat16'"):
        load(saved("modelscope")[0], "cpu", dtype)


def test_what_a_model_predicts_is_kept_whatever_its_solver_was(saved):
    layouts = ("stable-diffusion", "stable-diffusion-2.1")
    noises = {layout: load(saved(layout)[0], "cpu").noise for layout in layouts}
    assert {type(noise.scheduler).__name__ for noise in noises.values()} == {"DPMSolverMultistepScheduler"}
    assert [noises[layout].prediction for layout in layouts] == ["epsilon", "v_prediction"]
    assert all(noise.scheduler.config.beta_schedule == "scaled_linear" for noise in noises.values())
    assert not any(noise.is_flow for noise in noises.values())


def test_a_flow_scheduler_is_not_replaced_by_one_for_diffusion(copy):
    file = copy / "scheduler" / "scheduler_config.json"
    file.write_text('{"_class_name": "FlowMatchEulerDiscreteScheduler", "shift": 3.0}')
    noise = load(copy, "cpu").noise
    assert noise.is_flow and noise.prediction == "flow_prediction" and noise.scheduler.config.shift == 3.0


def test_upcast_attention_and_padding_of_stable_diffusion_2_are_kept(saved):
    model = load(saved("stable-diffusion-2.1")[0], "cpu")
    assert model.network.mid_block.attentions[0].transformer_blocks[0].attn2.upcast_attention
    assert model.text.tokenizer.pad_token == "!"


def test_loading_is_silent_and_leaves_the_progress_bars_as_they_were(saved, capfd):
    from diffusers.utils import logging

    before = logging.is_progress_bar_enabled()
    load(saved("modelscope")[0], "cpu")
    assert logging.is_progress_bar_enabled() == before
    assert capfd.readouterr() == ("", "")


def test_a_tokenizer_that_does_not_tell_its_length_takes_the_encoders(copy):
    config = copy / "tokenizer" / "tokenizer_config.json"
    config.write_text(config.read_text().replace('"model_max_length": 77, ', ""))
    assert load(copy, "cpu").encode(["a burger"]).states.shape == (1, 77, 32)


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
    name = "network" if part == "unet" else part
    with pytest.raises(OSError, match=f"^{name} of .*{copy.name}.* could not be loaded: the files may be damaged"):
        load(copy, "cpu")


@pytest.mark.parametrize("file", ["vocab.json", "merges.txt"])
def test_a_tokenizer_without_its_words_is_an_error(copy, file):
    (copy / "tokenizer" / file).unlink()
    with pytest.raises(FileNotFoundError, match="tokenizer needs tokenizer.json, or vocab.json and merges.txt"):
        load(copy, "cpu")


def test_a_hub_that_cannot_be_reached_is_an_error_that_says_what_to_do(monkeypatch, capsys):
    here = replace(checkpoints.CHECKPOINTS["modelscope"], source="nobody/no-such-text-to-video")
    monkeypatch.setitem(checkpoints.CHECKPOINTS, "modelscope", here)
    monkeypatch.setattr(checkpoints, "TOLD", set())
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    wanted = "network of 'nobody/no-such-text-to-video'.*HF_HUB_OFFLINE is set.*HF_HOME.*pocket"
    with pytest.raises(OSError, match=wanted):
        load("modelscope", "cpu")
    assert "CC-BY-NC-4.0" in (said := capsys.readouterr().out) and "3.5 GB" in said
    with pytest.raises(OSError, match="'nobody/nothing' could not be loaded from the model hub"):
        load("nobody/nothing", "cpu")


def test_missing_pocket_weights_are_not_looked_for_on_the_hub(monkeypatch, tmp_path):
    nowhere = checkpoints.Checkpoint(str(tmp_path / "nowhere"), 16, 128, 128)
    monkeypatch.setitem(checkpoints.CHECKPOINTS, "pocket", nowhere)
    with pytest.raises(FileNotFoundError, match="make train"):
        load("pocket", "cpu")


def test_every_published_checkpoint_says_its_licence_and_size():
    published = [known for name, known in checkpoints.CHECKPOINTS.items() if not name.startswith("pocket")]
    assert len(published) == 6 and all(known.licence and known.download.endswith("GB") for known in published)
