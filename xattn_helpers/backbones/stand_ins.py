"""Checkpoints with random weights, in the layouts and sizes of the published ones: for trying, where no network is.

    folder = write("modelscope", Path("scratch"))   # what load("modelscope") would download, but random
    model = load(folder)

Names of files and of weights, formats, precisions and the form of the tokenizer are those of the published files; only
what is in them was never trained. `small` ones have as many levels and groups in a fraction of the size, for a CPU.
"""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import diffusers
import torch
from safetensors.torch import save_file
from transformers import CLIPTextConfig, CLIPTextModel

from .published import default_dtype
from .stand_in_tokens import write_tokenizer

SMALL_VOCABULARY, VOCABULARY = 1_500, 49_408  # tokens of the text encoder, CLIP's own number
TEXT_LENGTH = 77
LEVELS = (320, 640, 1280, 1280)
SMALL = {"block_out_channels": (16, 16, 32, 32), "layers_per_block": 1, "norm_num_groups": 4}
VAE_LEVELS, SMALL_VAE_LEVELS = (128, 256, 512, 512), (8, 8, 8, 8)
SCHEDULER = {
    "beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear", "clip_sample": False,
    "set_alpha_to_one": False, "skip_prk_steps": True, "steps_offset": 1, "trained_betas": None,
    "num_train_timesteps": 1000, "_diffusers_version": "0.8.0",
}  # fmt: skip


@dataclass(frozen=True)
class Layout:
    """How a published checkpoint is laid out."""

    text_width: int
    text_layers: int
    network: dict[str, Any]  # what differs from the defaults of its class
    dimensions: str = "2D"
    suffix: str = "safetensors"
    halves: str = "fp16."  # the variant in half precision; "" where the plain files are already in half precision
    scheduler: str = "PNDMScheduler"
    prediction: str = "epsilon"
    pad: str = "<|endoftext|>"
    small: dict[str, Any] = field(default_factory=lambda: {"attention_head_dim": 2})


VIDEO = {
    "text_width": 1024, "text_layers": 23, "dimensions": "3D", "suffix": "bin", "scheduler": "DDIMScheduler",
    "network": {"attention_head_dim": 64, "sample_size": 32}, "small": {"attention_head_dim": 8},
}  # fmt: skip
LAYOUTS = {
    "modelscope": Layout(**VIDEO),
    "zeroscope": Layout(**VIDEO, halves=""),
    "stable-diffusion": Layout(768, 12, {"attention_head_dim": 8, "sample_size": 64}),
    "stable-diffusion-2.1": Layout(
        1024, 23,
        {
            "attention_head_dim": (5, 10, 20, 20), "sample_size": 96, "use_linear_projection": True,
            "upcast_attention": True,
        },
        prediction="v_prediction", pad="!", small={"attention_head_dim": (1, 2, 2, 2)},
    ),
}  # fmt: skip


def write(name: str, folder: Path, small: bool = False, device: str = "cpu") -> Path:
    """Write the stand-in of a published checkpoint into a folder of its name, once, and return that.

    Large ones have the files in half precision only, which is what a GPU loads. Raises ValueError for another name.
    """
    if name not in LAYOUTS:
        raise ValueError(f"name={name!r}: possible are {', '.join(map(repr, LAYOUTS))}")
    layout, target = LAYOUTS[name], folder / name
    finished = target / "model_index.json"  # written last
    if finished.exists():
        return target
    vocabulary = SMALL_VOCABULARY if small else VOCABULARY
    write_tokenizer(target / "tokenizer", vocabulary, layout.pad, TEXT_LENGTH)
    torch.manual_seed(0)
    with torch.device(device), default_dtype(torch.float32 if small else torch.float16):
        for part, build in PARTS.items():
            network = build(layout, small)
            (target / part).mkdir(parents=True, exist_ok=True)
            save = network.config.save_pretrained if part == "text_encoder" else network.save_config
            save(target / part)
            _write_weights(target / part, part, _old_names(network.state_dict(), part), layout, small)
    scheduler = SCHEDULER | {"_class_name": layout.scheduler, "prediction_type": layout.prediction}
    _write_json(target / "scheduler" / "scheduler_config.json", scheduler)
    _write_json(finished, {"_class_name": "DiffusionPipeline"})
    return target


def _network(layout: Layout, small: bool) -> Any:
    kind, shape = getattr(diffusers, f"UNet{layout.dimensions}ConditionModel"), layout.dimensions
    across, options = f"CrossAttn{{}}Block{shape}", {"block_out_channels": LEVELS, "norm_num_groups": 32}
    options |= {
        "down_block_types": (across.format("Down"),) * 3 + (f"DownBlock{shape}",),
        "up_block_types": (f"UpBlock{shape}",) + (across.format("Up"),) * 3,
        "cross_attention_dim": _width(layout, small),
    }
    return kind(**(options | layout.network | (SMALL | layout.small if small else {})))


def _autoencoder(layout: Layout, small: bool) -> Any:
    levels = SMALL_VAE_LEVELS if small else VAE_LEVELS
    return diffusers.AutoencoderKL(
        block_out_channels=levels, layers_per_block=1 if small else 2, latent_channels=4, sample_size=512,
        down_block_types=("DownEncoderBlock2D",) * 4, up_block_types=("UpDecoderBlock2D",) * 4,
        norm_num_groups=4 if small else 32, scaling_factor=0.18215,
    )  # fmt: skip


def _text_encoder(layout: Layout, small: bool) -> Any:
    width, size = _width(layout, small), SMALL_VOCABULARY if small else VOCABULARY
    return CLIPTextModel(
        CLIPTextConfig(
            vocab_size=size, hidden_size=width, intermediate_size=4 * width, max_position_embeddings=TEXT_LENGTH,
            num_hidden_layers=2 if small else layout.text_layers, num_attention_heads=2 if small else width // 64,
            bos_token_id=size - 2, eos_token_id=size - 1,
        )
    )  # fmt: skip


PARTS = {"unet": _network, "vae": _autoencoder, "text_encoder": _text_encoder}


def _width(layout: Layout, small: bool) -> int:
    return 32 if small else layout.text_width


def _old_names(state: dict, part: str) -> dict:
    """The names that the published files have: prefixed text encoders, attention of the VAE before diffusers 0.17."""
    if part == "text_encoder":
        named = {"text_model.embeddings.position_ids": torch.arange(TEXT_LENGTH)[None]}
        for name, tensor in state.items():
            named[f"text_model.{name.removeprefix('text_model.')}"] = tensor
        return named
    if part == "vae":
        for new, old in (("to_q", "query"), ("to_k", "key"), ("to_v", "value"), ("to_out.0", "proj_attn")):
            place, before = f"attentions.0.{new}", f"attentions.0.{old}"
            state = {name.replace(place, before): tensor for name, tensor in state.items()}
    return state


def _write_weights(folder: Path, part: str, state: dict, layout: Layout, small: bool) -> None:
    """In half precision, and small ones in single precision beside it where the publishers have both."""
    stem = "diffusion_pytorch_model"
    if part == "text_encoder":
        stem = "pytorch_model" if layout.suffix == "bin" else "model"
    state = {name: tensor.cpu().contiguous() for name, tensor in state.items()}
    halves = {name: tensor.half() if tensor.is_floating_point() else tensor for name, tensor in state.items()}
    files = {f"{stem}.{layout.halves}{layout.suffix}": halves}
    if small and layout.halves:
        files[f"{stem}.{layout.suffix}"] = state
    for name, tensors in files.items():
        if layout.suffix == "bin":
            torch.save(tensors, folder / name)
        else:
            save_file(tensors, folder / name, {"format": "pt"})


def _write_json(file: Path, content: dict) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(content))
