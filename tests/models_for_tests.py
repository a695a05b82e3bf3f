"""Tiny random models in the layouts of real ones; they are shared between tests, which must leave them as they are."""

import json
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderKL, DPMSolverMultistepScheduler, UNet2DConditionModel, UNet3DConditionModel
from diffusers.models.transformers.transformer_temporal import TransformerTemporalModel
from safetensors.torch import save_file
from tokenizers.pre_tokenizers import ByteLevel
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from xattn_helpers import capture, generate
from xattn_helpers.attention.recording import Recording
from xattn_helpers.backbones.backbone import find_backbone
from xattn_helpers.backbones.catalogue import Checkpoint
from xattn_helpers.backbones.model import Model
from xattn_helpers.backbones.noise import Noise
from xattn_helpers.edits.edit import Run
from xattn_helpers.edits.targets import track
from xattn_helpers.pocket.text import WIDTH, build_text_encoder, build_tokenizer

torch.set_num_threads(1)  # with networks this small, threads wait for each other ten times as long as they work

PROMPT, PATH = "a burger floats on the water", track([(0.25, 0.25), (0.75, 0.75)], size=0.5)
SCHEDULE = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear", "num_train_timesteps": 1000}
SITES = 7  # of the tiny UNets: 2 down, 1 mid, 4 up
MERGES = """b u|bu r|bur g|burg er</w>|e r</w>|h a|ha m|w o|wo l|wol f</w>|t h|th e</w>|o n</w>|s h|a r|sh ar|shar k</w>
i c|ic e</w>|c r|cr e|cre a|crea m</w>|' s</w>""".replace("\n", "|").split("|")


def build_vae() -> AutoencoderKL:
    return AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * 2, up_block_types=("UpDecoderBlock2D",) * 2,
        block_out_channels=(8, 8), layers_per_block=1, latent_channels=4, norm_num_groups=4, sample_size=32,
    )  # fmt: skip


def build_unet(frames: bool, **changes) -> torch.nn.Module:
    """Three levels like the pocket UNets', attention at 16, 8 and 4 for latents of 16; sharp enough to be seen."""
    kind, dimension = (UNet3DConditionModel, "3D") if frames else (UNet2DConditionModel, "2D")
    down, up, heads = f"CrossAttnDownBlock{dimension}", f"CrossAttnUpBlock{dimension}", {"attention_head_dim": 16}
    options = {
        "sample_size": 16, "block_out_channels": (32, 32, 32), "layers_per_block": 1, "norm_num_groups": 8,
        "down_block_types": (down, down, f"DownBlock{dimension}"), "up_block_types": (f"UpBlock{dimension}", up, up),
        "cross_attention_dim": WIDTH,
    }  # fmt: skip
    unet = kind(**(options | (heads if frames else {"attention_head_dim": 2}) | changes))
    with torch.no_grad():
        for name, parameter in unet.named_parameters():
            if "attn2.to_q" in name or "attn2.to_k" in name:
                parameter *= 4
    return unet.eval().requires_grad_(False)


@cache
def tiny(frames: int = 3) -> Model:
    """A random model for videos, or with frames=1 for images, with the pocket tokenizer."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        vae, unet = build_vae().eval().requires_grad_(False), build_unet(frames > 1)
        if frames > 1:  # its first layer has eight heads whatever one asks for: a third of all that it computes
            unet.transformer_in = TransformerTemporalModel(2, 16, 32).eval().requires_grad_(False)
    tokenizer = build_tokenizer()
    defaults = Checkpoint("tests", frames, 32, 32, steps=3, cfg_scale=4.0)
    scheduler = DPMSolverMultistepScheduler(**SCHEDULE, steps_offset=1)
    return Model.of(unet, vae, build_text_encoder(tokenizer), tokenizer, scheduler, defaults)


def in_one_step(model: Model) -> Model:
    """The same model, whose clips take one denoising step by default: where many are made."""
    return replace(model, defaults=replace(model.defaults, steps=1))


def smallest() -> Model:
    """An image model of its own, of one level with text and one without, for images of 16 x 16 pixels."""
    levels = {"down_block_types": ("CrossAttnDownBlock2D", "DownBlock2D"), "block_out_channels": (32, 32)}
    levels["up_block_types"] = ("UpBlock2D", "CrossAttnUpBlock2D")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        backbone = find_backbone(build_unet(False, sample_size=8, **levels))
    return replace(tiny(1), backbone=backbone, defaults=replace(tiny(1).defaults, height=16, width=16))


def noise(model: Model, batch: int = 1, height: int = 16, width: int = 16, seed: int = 0) -> torch.Tensor:
    """Latents (batch, 4, frames, height, width)."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randn((batch, 4, model.defaults.frames, height, width), generator=generator)


def with_solver(model: Model, scheduler: type, **settings) -> Model:
    """The same model with another scheduler on the same schedule of noise."""
    return replace(model, noise=Noise(scheduler(**SCHEDULE, **settings)))


def run_of(model: Model, prompts: str | Sequence[str] = PROMPT, steps: int = 4, sources: Sequence[str] = ()) -> Run:
    """The facts of a run as `generate` makes them, of clips of the model's own size."""
    prompts = (prompts,) if isinstance(prompts, str) else tuple(prompts)
    batch = list(prompts)
    for source in sources:
        batch += [source] * len(prompts)
    defaults = model.defaults
    size = model.codec.latent_size(defaults.frames, defaults.height, defaults.width)
    seeds = tuple(range(len(prompts)))
    return Run(model, prompts, tuple(sources), seeds, steps, size, model.encode(batch), defaults.cfg_scale)


def run(model: Model, prompt: str | Sequence[str] = PROMPT, **options: Any) -> Any:
    """`generate` without a word, of the same seed."""
    return generate(model, prompt, **({"seed": 0, "progress": False} | options))


def recorded(**choice: Any) -> Recording:
    """What `capture` records of a run of the tiny video model."""
    with capture(tiny(), **choice) as attention:
        run(tiny())
    return attention


def recorded_clip(**choice: Any) -> tuple[Any, Recording]:
    """A clip of the tiny video model, and what `capture` recorded of it."""
    with capture(tiny(), **choice) as attention:
        clip = run(tiny())
    return clip, attention


# Checkpoints on disk, in the layouts of the published ones


def write_clip_tokenizer(folder: Path, pad: str = "<|endoftext|>", length: int = 77) -> CLIPTokenizer:
    """CLIP's own file layout with few merges: "burger" is one token, "hamburger", "sharks" and "truck" are several."""
    folder.mkdir(parents=True, exist_ok=True)
    letters = sorted(ByteLevel.alphabet())
    tokens = [*letters, *(letter + "</w>" for letter in letters), *(merge.replace(" ", "") for merge in MERGES)]
    tokens += ["<|startoftext|>", "<|endoftext|>"]
    (folder / "vocab.json").write_text(json.dumps({token: index for index, token in enumerate(tokens)}))
    (folder / "merges.txt").write_text("#version: 0.2\n" + "\n".join(MERGES) + "\n")
    marks = {"bos_token": "<|startoftext|>", "eos_token": "<|endoftext|>", "unk_token": "<|endoftext|>"}
    marks["pad_token"] = pad
    (folder / "special_tokens_map.json").write_text(json.dumps(marks))
    settings = {"tokenizer_class": "CLIPTokenizer", "model_max_length": length, "do_lower_case": True} | marks
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))
    return CLIPTokenizer.from_pretrained(folder)


LAYOUTS = {
    "modelscope": {"frames": True, "suffix": "bin", "variants": True, "scheduler": "DDIMScheduler"},
    "zeroscope": {"frames": True, "suffix": "bin", "half": True, "scheduler": "DDIMScheduler"},
    "stable-diffusion": {"suffix": "safetensors", "variants": True, "scheduler": "PNDMScheduler"},
    "stable-diffusion-2.1": {
        "suffix": "safetensors", "scheduler": "PNDMScheduler", "prediction": "v_prediction", "pad": "!",
        "unet": {"upcast_attention": True, "use_linear_projection": True, "attention_head_dim": (1, 2, 2)},
    },
    "new": {"suffix": "safetensors", "scheduler": "DDIMScheduler", "prefix": "", "old_vae": False},
}  # fmt: skip


def write_checkpoint(folder: Path, layout: str) -> dict:
    """A random checkpoint as its publishers laid it out; returns what was saved, as networks in memory."""
    spec = LAYOUTS[layout]
    tokenizer = write_clip_tokenizer(folder / "tokenizer", spec.get("pad", "<|endoftext|>"))
    torch.manual_seed(1)
    text = CLIPTextModel(
        CLIPTextConfig(
            vocab_size=len(tokenizer), hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=2,
            bos_token_id=tokenizer.bos_token_id, eos_token_id=tokenizer.eos_token_id,
        )
    ).eval()  # fmt: skip
    options = {"sample_size": 8, "cross_attention_dim": 32} | spec.get("unet", {})
    parts = {"unet": build_unet(spec.get("frames", False), **options), "vae": build_vae().eval(), "text_encoder": text}
    if spec.get("half"):
        parts = {name: part.half().float() for name, part in parts.items()}
    for name, part in parts.items():
        part.save_config(folder / name) if name != "text_encoder" else part.config.save_pretrained(folder / name)
        _write_weights(folder / name, name, _old_names(part.state_dict(), name, spec), spec)
    scheduler = {"_class_name": spec["scheduler"], "_diffusers_version": "0.8.0", "clip_sample": False} | SCHEDULE
    scheduler |= {"skip_prk_steps": True, "set_alpha_to_one": False, "trained_betas": None, "steps_offset": 1}
    scheduler |= {"prediction_type": spec["prediction"]} if "prediction" in spec else {}
    _write_json(folder / "scheduler" / "scheduler_config.json", scheduler)
    _write_json(folder / "model_index.json", {"_class_name": "StableDiffusionPipeline"})
    _write_json(folder / "safety_checker" / "config.json", {})  # published beside the rest; nobody here reads it
    return parts


def _old_names(state: dict, part: str, spec: dict) -> dict:
    """The names that the published files have: prefixed text encoders, attention of the VAE before diffusers 0.17."""
    if part == "text_encoder":
        state = {spec.get("prefix", "text_model.") + name: tensor for name, tensor in state.items()}
        positions = torch.arange(77)[None]
        return state | ({"text_model.embeddings.position_ids": positions} if spec.get("prefix", "text_model.") else {})
    if part == "vae" and spec.get("old_vae", True):
        for new, old in (("to_q", "query"), ("to_k", "key"), ("to_v", "value"), ("to_out.0", "proj_attn")):
            state = {name.replace(f"attentions.0.{new}", f"attentions.0.{old}"): t for name, t in state.items()}
    return state


def _write_weights(folder: Path, part: str, state: dict, spec: dict) -> None:
    stem = "diffusion_pytorch_model" if part != "text_encoder" else "model"
    stem = "pytorch_model" if part == "text_encoder" and spec["suffix"] == "bin" else stem
    halves = {name: tensor.half() if tensor.is_floating_point() else tensor for name, tensor in state.items()}
    files = {f"{stem}.{spec['suffix']}": halves if spec.get("half") else state}
    if spec.get("variants"):
        files[f"{stem}.fp16.{spec['suffix']}"] = halves
    for name, tensors in files.items():
        if name.endswith(".bin"):
            torch.save(tensors, folder / name)
        else:
            tensors = {key: tensor.contiguous() for key, tensor in tensors.items()}
            save_file(tensors, folder / name, metadata={"format": "pt"})


def _write_json(file: Path, content: dict) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(content))
