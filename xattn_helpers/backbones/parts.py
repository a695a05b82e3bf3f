"""Which class of diffusers or transformers reads a part of a checkpoint."""

from typing import Any

import diffusers
import torch
import transformers

from .backbone import BACKBONES
from .video_codecs import CODECS

USUAL = {
    "network": diffusers.UNet2DConditionModel,
    "vae": diffusers.AutoencoderKL,
    "scheduler": diffusers.DPMSolverMultistepScheduler,
}
TEXTS: dict[str, tuple[Any, Any]] = {  # by the text encoder's model type: its class, and its tokenizer's
    "clip": (transformers.CLIPTextModel, transformers.CLIPTokenizer),
    "clip_text_model": (transformers.CLIPTextModel, transformers.CLIPTokenizer),
    "t5": (transformers.T5EncoderModel, transformers.T5TokenizerFast),
    "umt5": (transformers.UMT5EncoderModel, transformers.T5TokenizerFast),
}
SINGLE = ("AutoencoderKLWan",)  # its publishers run it in single precision, whatever the network's


class UnsupportedModel(ValueError):
    """A checkpoint that is whole, and that this package cannot run."""


def find_kind(source: str, part: str, where: dict) -> Any:
    """The class to load a part with. Raises UnsupportedModel for a part of a class that this package cannot run."""
    if part in ("tokenizer", "text_encoder"):
        saved, _ = transformers.PretrainedConfig.get_config_dict(source, **(where | {"subfolder": "text_encoder"}))
        name = saved.get("model_type", "clip_text_model")
        _check("text encoder", name, tuple(TEXTS))
        return TEXTS[name][part == "tokenizer"]
    usual: Any = USUAL[part]
    config = usual.load_config(source, **where)
    name = config.get("_class_name", usual.__name__)
    if part == "scheduler":  # replaced by one that needs few steps, and one call of the network a step
        is_flow = name.startswith("FlowMatch") or config.get("use_flow_sigmas")
        return getattr(diffusers, name) if is_flow else usual
    _check("autoencoder" if part == "vae" else part, name, tuple(CODECS) if part == "vae" else tuple(sorted(BACKBONES)))
    return getattr(diffusers, name)


def find_precision(kind: Any, dtype: torch.dtype) -> torch.dtype:
    """The precision of a part in a model of a precision."""
    if kind.__name__ in SINGLE and dtype.itemsize < torch.float32.itemsize:
        return torch.float32
    return dtype


def longest_prompt(network: Any, text_encoder: Any, tokenizer: Any) -> int:
    """Tokens of a padded prompt: the least that one of them takes; a tokenizer's file may tell nothing."""
    limits = [tokenizer.model_max_length, getattr(text_encoder.config, "max_position_embeddings", None)]
    limits.append(BACKBONES[type(network).__name__].tokens)
    return min(limit for limit in limits if limit)


def _check(part: str, name: str, possible: tuple[str, ...]) -> None:
    if name not in possible:
        raise UnsupportedModel(f"its {part} is {name}; possible are {', '.join(possible)}")
