"""The pocket models of a measurement: loaded once, and named by their weights."""

import hashlib
from functools import cache

import torch

from xattn_helpers import load
from xattn_helpers.models import CHECKPOINTS, POCKET, Model


@cache
def model(name: str) -> Model:
    """A pocket model in single precision, on a GPU where there is one."""
    return load(name, dtype=torch.float32)


def key(name: str) -> str:
    """A short name of the weights that one model and the detector have, for rows that depend on them."""
    digest = hashlib.sha256()
    checkpoint = CHECKPOINTS[name]
    for folder in (checkpoint.unet, "vae", "text_encoder", "detector"):
        for file in sorted((POCKET / folder).glob("*.safetensors")):
            digest.update(file.read_bytes())
    digest.update((POCKET / checkpoint.scheduler / "scheduler_config.json").read_bytes())
    return digest.hexdigest()[:12]
