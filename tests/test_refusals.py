"""What this package cannot run is refused before anything runs, with what it is."""

import json
import shutil

import pytest
import torch
from diffusers import (
    AllegroTransformer3DModel,
    AutoencoderKL,
    LatteTransformer3DModel,
    SanaVideoTransformer3DModel,
    UNet2DConditionModel,
    UNet2DModel,
    UNetMotionModel,
    WanVACETransformer3DModel,
)
from models_for_tests import build_unet, build_vae, tiny, write_checkpoint
from transformers import CLIPTextConfig, CLIPTextModel
from transformers_for_tests import build_ltx, build_wan

from xattn_helpers import load
from xattn_helpers.backbones.backbone import find_backbone
from xattn_helpers.backbones.model import Model

SMALL = {"num_layers": 1, "num_attention_heads": 1, "attention_head_dim": 8}
LEVELS = {"block_out_channels": (8, 8), "norm_num_groups": 8}
OTHERS = {
    "LatteTransformer3DModel": lambda: LatteTransformer3DModel(
        **SMALL, in_channels=4, patch_size=2, sample_size=8, cross_attention_dim=8, caption_channels=8
    ),
    "AllegroTransformer3DModel": lambda: AllegroTransformer3DModel(**SMALL, cross_attention_dim=8, caption_channels=8),
    "SanaVideoTransformer3DModel": lambda: SanaVideoTransformer3DModel(
        **SMALL, num_cross_attention_heads=1, cross_attention_head_dim=8, cross_attention_dim=8, caption_channels=8
    ),
    "UNetMotionModel": lambda: UNetMotionModel(
        **LEVELS, down_block_types=("DownBlockMotion", "CrossAttnDownBlockMotion"), cross_attention_dim=8,
        up_block_types=("CrossAttnUpBlockMotion", "UpBlockMotion"), num_attention_heads=2, motion_num_attention_heads=2,
    ),
    "UNet2DModel": lambda: UNet2DModel(
        **LEVELS, down_block_types=("DownBlock2D", "DownBlock2D"), up_block_types=("UpBlock2D", "UpBlock2D")
    ),
    "WanVACETransformer3DModel": lambda: WanVACETransformer3DModel(
        **SMALL, text_dim=8, freq_dim=8, ffn_dim=8, vace_layers=[0], vace_in_channels=4
    ),
    "Linear": lambda: torch.nn.Linear(2, 2),
}  # fmt: skip


@pytest.mark.parametrize("name", OTHERS)
def test_a_network_of_another_class_is_refused_by_name(name):
    answer = f"^{name} is a network that this package cannot run; possible are LTXVideo.*UNet2DCond.*UNet3D.*Wan"
    with pytest.raises(ValueError, match=answer):
        find_backbone(OTHERS[name]())


XL = {"addition_embed_type": "text_time", "addition_time_embed_dim": 8, "projection_class_embeddings_input_dim": 80}
SETTINGS = {
    "Stable Diffusion XL or one like it": XL,
    "takes 9 channels and predicts 4: it needs more than latents .as inpainting": {"in_channels": 9},
    "takes 5 channels and predicts 4: it needs more than latents .as inpainting, depth": {"in_channels": 5},
    "class_embed_type='timestep': this is a network that needs a class label": {"class_embed_type": "timestep"},
    "num_class_embeds=7: this is a network that needs a class label": {"num_class_embeds": 7},
    "this is a distilled network": {"time_cond_proj_dim": 8},
    "this is a network with an image encoder": {
        "encoder_hid_dim_type": "image_proj", "encoder_hid_dim": 8,
    },
}  # fmt: skip


@pytest.mark.parametrize("answer", SETTINGS)
def test_a_network_that_needs_more_than_a_text_is_refused_with_what_it_is(answer):
    with pytest.raises(ValueError, match=answer):
        find_backbone(build_unet(False, **SETTINGS[answer]))


def test_networks_that_need_an_image_are_refused():
    with pytest.raises(ValueError, match="Wan.*with image_dim: this is image-to-video, which needs an image"):
        find_backbone(build_wan(image_dim=8, added_kv_proj_dim=24))
    with pytest.raises(ValueError, match="Wan.* takes 8 channels and predicts 4: .* image-to-video"):
        find_backbone(build_wan(in_channels=8))
    with pytest.raises(ValueError, match=r"LTX.* patches of \(1, 2, 2\): possible are patches of 1"):
        find_backbone(build_ltx(patch_size=2))


# Parts that do not fit


def model_of(network=None, vae=None, text_encoder=None):
    parts = tiny(1)
    return Model.of(
        network or parts.network, vae or parts.codec.vae, text_encoder or parts.text.encoder, parts.text.tokenizer,
        parts.noise.scheduler, parts.defaults,
    )  # fmt: skip


def test_parts_that_do_not_fit_are_refused_with_their_sizes():
    with pytest.raises(ValueError, match="takes latents of 8 channels, and the autoencoder makes 4"):
        model_of(build_unet(False, in_channels=8, out_channels=8))
    with pytest.raises(ValueError, match="takes embeddings of width 128, and the text encoder makes 32"):
        model_of(text_encoder=CLIPTextModel(CLIPTextConfig(hidden_size=32, num_hidden_layers=1)))
    with pytest.raises(ValueError, match="takes latents of 4 channels, and the autoencoder makes 16"):
        model_of(vae=AutoencoderKL(latent_channels=16))
    assert model_of().network is tiny(1).network


# By load


@pytest.fixture
def folder(tmp_path):
    write_checkpoint(tmp_path / "sd", "stable-diffusion")
    return tmp_path / "sd"


def put(folder, part, network):
    shutil.rmtree(folder / part)
    network.save_pretrained(folder / part)


@pytest.mark.parametrize("answer", SETTINGS)
def test_load_refuses_what_generate_could_not_run(folder, answer):
    put(folder, "unet", build_unet(False, sample_size=8, cross_attention_dim=32, **SETTINGS[answer]))
    with pytest.raises(ValueError, match=f"^name='.*sd' cannot be run: UNet2DConditionModel .*{answer}"):
        load(folder, "cpu")


def test_load_refuses_networks_of_other_classes_and_parts_that_do_not_fit(folder):
    put(folder, "unet", OTHERS["UNetMotionModel"]())
    with pytest.raises(ValueError, match="cannot be run: its network is UNetMotionModel; possible are LTX"):
        load(folder, "cpu")
    put(folder, "unet", build_unet(False, sample_size=8, cross_attention_dim=48))
    with pytest.raises(ValueError, match="cannot be run: .* embeddings of width 48, and the text encoder makes 32"):
        load(folder, "cpu")


@pytest.mark.parametrize(
    ("file", "change", "answer"),
    [
        ("vae/config.json", {"_class_name": "AutoencoderTiny"}, "its autoencoder is AutoencoderTiny"),
        ("text_encoder/config.json", {"model_type": "bert"}, "its text encoder is bert; possible are clip"),
    ],
)
def test_load_refuses_autoencoders_and_text_encoders_of_other_classes(folder, file, change, answer):
    config = json.loads((folder / file).read_text())
    (folder / file).write_text(json.dumps(config | change))
    with pytest.raises(ValueError, match=f"cannot be run: {answer}"):
        load(folder, "cpu")


def test_load_says_what_a_folder_with_a_transformer_is(folder):
    shutil.move(folder / "unet", folder / "transformer")
    config = folder / "transformer" / "config.json"
    config.write_text(json.dumps({"_class_name": "LatteTransformer3DModel"}))
    with pytest.raises(ValueError, match="its network is LatteTransformer3DModel; possible are LTX"):
        load(folder, "cpu")


def test_the_class_of_a_published_network_is_taken_as_it_was_saved(folder):
    config = folder / "unet" / "config.json"
    settings = json.loads(config.read_text())
    settings.pop("_class_name")
    config.write_text(json.dumps(settings))
    assert type(load(folder, "cpu").network) is UNet2DConditionModel
    put(folder, "vae", build_vae())
    assert load(folder, "cpu").codec.channels == 4
