"""The models that a smoke run of the training program makes, and those that the repository ships."""

import json

import pytest
import torch
from diffusers import (
    AutoencoderKL,
    DPMSolverMultistepScheduler,
    FlowMatchEulerDiscreteScheduler,
    UNet2DConditionModel,
    UNet3DConditionModel,
    WanTransformer3DModel,
)
from safetensors.torch import load_file
from transformers import CLIPTextModel, CLIPTokenizer

from xattn_helpers.pocket import WEIGHTS
from xattn_helpers.pocket.detector import PocketDetector
from xattn_helpers.pocket.text import build_tokenizer
from xattn_helpers.pocket.training import stages
from xattn_helpers.pocket.training.config import TrainConfig
from xattn_helpers.pocket.training.fit import Training
from xattn_helpers.pocket.training.stages import STAGES
from xattn_helpers.pocket.training.trainer import Trainer
from xattn_helpers.pocket.world.vocabulary import MEDIA, OBJECTS, known_words

KINDS = {
    "vae": AutoencoderKL,
    "detector": PocketDetector,
    "text_encoder": CLIPTextModel,
    "tokenizer": CLIPTokenizer,
    "scheduler": DPMSolverMultistepScheduler,
    "unet_t2i": UNet2DConditionModel,
    "unet": UNet3DConditionModel,
    "transformer": WanTransformer3DModel,
    "scheduler_dit": FlowMatchEulerDiscreteScheduler,
}
RESUMED = {"t2i": "unet_t2i", "t2v": "unet", "dit": "transformer"}  # stages that go on, and where from
MIB = 2**20


@pytest.fixture(scope="module")
def smoke(tmp_path_factory):
    """A finished smoke run of all stages."""
    config = TrainConfig(smoke=True, work=tmp_path_factory.mktemp("work"))
    Trainer(config).run()
    return config


def check_stored(folder, loaded):
    """A folder holds every weight of the loaded network, finite and in half precision."""
    stored = {}
    for file in folder.glob("*.safetensors"):
        stored |= load_file(file)
    assert {name for name, _ in loaded.named_parameters()} <= set(stored)
    assert all(tensor.dtype == torch.float16 and torch.isfinite(tensor).all() for tensor in stored.values())


# The smoke run


@pytest.mark.parametrize("folder", KINDS)
def test_a_run_writes_folders_that_the_libraries_load(smoke, folder):
    part = KINDS[folder].from_pretrained(smoke.out / folder, local_files_only=True)
    if isinstance(part, torch.nn.Module):
        check_stored(smoke.out / folder, part)


def test_the_parts_fit_together(smoke):
    parts = {folder: kind.from_pretrained(smoke.out / folder) for folder, kind in KINDS.items()}
    ids = parts["tokenizer"](["a burger floats on the water"], padding="max_length", return_tensors="pt").input_ids
    with torch.no_grad():
        text = parts["text_encoder"].float()(ids).last_hidden_state
        noise = parts["unet"].float()(torch.randn(1, 4, 2, 16, 16), 999, text).sample
        velocity = parts["transformer"].float()(torch.randn(1, 4, 2, 16, 16), torch.tensor([900.0]), text).sample
        image = parts["unet_t2i"].float()(torch.randn(1, 4, 16, 16), 999, text).sample
        pixels = parts["vae"].float().decode(image / parts["vae"].config.scaling_factor).sample
        by_pixel, by_frame = parts["detector"].float()(pixels.clamp(0, 1))
    assert noise.shape == velocity.shape == (1, 4, 2, 16, 16)
    assert pixels.shape == (1, 3, 128, 128)
    assert by_pixel.shape == (1, len(OBJECTS) + 1, 128, 128) and by_frame.shape == (1, len(MEDIA))


def test_the_latents_are_scaled_to_a_standard_deviation_of_one(smoke):
    latents = torch.load(next(smoke.work.glob("latents-*.pt")), weights_only=True)["latents"]
    assert latents.float().std().item() == pytest.approx(1, abs=0.3)  # measured on other clips


def test_the_video_model_starts_from_the_image_model(smoke):
    """Two steps of warm-up hardly move a weight; another start would be far away."""
    image = UNet2DConditionModel.from_pretrained(smoke.out / "unet_t2i").state_dict()
    video = UNet3DConditionModel.from_pretrained(smoke.out / "unet").state_dict()
    assert max((video[name].float() - tensor.float()).abs().max() for name, tensor in image.items()) < 1e-3


def test_what_the_training_took_is_noted(smoke):
    notes = json.loads((smoke.out / "training.json").read_text())
    assert set(notes) == {"vae", "detector", "t2i", "t2v", "dit"}
    for note in notes.values():
        assert note["plan"]["steps"] == 2 and note["seconds"] > 0 and note["parameters"] > 1e5


def test_a_stage_makes_what_it_says(smoke):
    made = {folder for stage in STAGES for folder in stage.makes}
    assert made == {path.name for path in smoke.out.iterdir() if path.is_dir()}


def test_a_finished_run_is_not_repeated(smoke, monkeypatch):
    before = (smoke.out / "vae" / "diffusion_pytorch_model.safetensors").read_bytes()
    monkeypatch.setattr(Training, "_update", None)  # no step is made
    Trainer(TrainConfig(smoke=True, work=smoke.work.parent, stages=["vae", "text"])).run()
    assert (smoke.out / "vae" / "diffusion_pytorch_model.safetensors").read_bytes() == before


def test_going_on_starts_from_the_finished_weights(smoke, monkeypatch):
    started = {}
    monkeypatch.setattr(Trainer, "fit", lambda self, name, network, *_, **__: started.setdefault(name, network))
    monkeypatch.setattr(Trainer, "save", lambda *_: None)
    Trainer(TrainConfig(smoke=True, work=smoke.work.parent, stages=list(RESUMED), go_on=list(RESUMED))).run()
    for name, folder in RESUMED.items():
        stored = KINDS[folder].from_pretrained(smoke.out / folder).state_dict()
        assert all(torch.equal(value, stored[key]) for key, value in started[name].state_dict().items())


def test_the_plan_of_each_network_is_in_the_configuration(smoke, monkeypatch):
    plans = {}

    def fit(trainer, name, network, loss, plan, folder=""):
        plans[name] = plan
        return network

    monkeypatch.setattr(Trainer, "fit", fit)
    monkeypatch.setattr(Trainer, "save", lambda *_: None)
    monkeypatch.setattr(stages, "_latent_scale", lambda *_: 1.0)  # of a network that nothing has trained
    config = TrainConfig(smoke=True, work=smoke.work.parent)
    for number, name in enumerate(("vae", "detector", "t2i", "t2v", "dit")):
        setattr(config, f"{name}_steps", 10 + number)
        setattr(config, f"{name}_batch", 20 + number)
    Trainer(config).run()
    assert [(plan.steps, plan.batch) for plan in plans.values()] == [(10, 20), (11, 21), (12, 22), (13, 23), (14, 24)]
    assert [plan.learning_rate for plan in plans.values()] == [1e-3, 2e-3, 6e-4, 4e-4, 1e-3]


# What is in the repository

SHIPPED = [folder for folder in KINDS if (WEIGHTS / folder).is_dir()]
shipped = pytest.mark.skipif("unet" not in SHIPPED, reason="the pocket models are not trained yet: make train")


@shipped
def test_the_weights_fit_into_the_repository():
    weights = {path: path.stat().st_size for path in WEIGHTS.rglob("*.safetensors")}
    everything = sum(path.stat().st_size for path in WEIGHTS.rglob("*") if path.is_file())
    assert sum(weights.values()) < 66 * MIB and max(weights.values()) < 16 * MIB
    assert everything - sum(weights.values()) < 0.25 * MIB  # configurations, the tokenizer and training curves


@shipped
@pytest.mark.parametrize("folder", [folder for folder in SHIPPED if issubclass(KINDS[folder], torch.nn.Module)])
def test_the_shipped_weights_are_finite_and_in_half_precision(folder):
    check_stored(WEIGHTS / folder, KINDS[folder].from_pretrained(WEIGHTS / folder, local_files_only=True))


@shipped
def test_the_shipped_tokenizer_is_the_one_that_would_be_built():
    """Or the next training would start from other word embeddings than the last one."""
    ids = CLIPTokenizer.from_pretrained(WEIGHTS / "tokenizer", local_files_only=True).get_vocab()
    built = build_tokenizer().get_vocab()
    for word in known_words():
        assert ids[f"{word}</w>"] == built[f"{word}</w>"], word


@shipped
def test_the_shipped_detector_knows_today_s_objects_and_scenes():
    config = PocketDetector.load_config(WEIGHTS / "detector", local_files_only=True)
    assert tuple(config["objects"]) == tuple(OBJECTS) and tuple(config["scenes"]) == tuple(MEDIA)
