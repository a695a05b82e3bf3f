"""The models of a measurement: loaded once, and named by their weights."""

import hashlib
import json
from collections.abc import Iterable
from functools import cache

import torch
from torch import nn

from ..backbones.catalogue import CHECKPOINTS, has_weights
from ..backbones.model import Model, load
from ..pocket.detector import PocketDetector, load_detector


@cache
def model(name: str, device: str, precision: str = "float32") -> Model:
    """A model on "cpu" or "cuda", loaded once."""
    return load(name, device, getattr(torch, precision))


def present(names: Iterable[str]) -> list[str]:
    """Those of some known models whose weights are there."""
    return [name for name in names if has_weights(CHECKPOINTS[name])]


def missing(names: Iterable[str]) -> list[str]:
    """Of each of the others, why it cannot be measured."""
    reasons = []
    for name in names:
        if not has_weights(CHECKPOINTS[name]):
            reasons.append(f"{name} has no weights yet (`{CHECKPOINTS[name].training}` trains them)")
    return reasons


@cache
def weights_of(name: str, device: str, precision: str = "float32") -> str:
    """12 hexadecimal digits that tell the weights of a model's parts and its noise schedule."""
    loaded = model(name, device, precision)
    parts = [part for part in (loaded.network, loaded.codec.vae, loaded.text.encoder) if part is not None]
    return digest_of(*parts, config=dict(loaded.noise.scheduler.config))


@cache
def detector(device: str) -> PocketDetector:
    """The pocket detector, loaded once."""
    return load_detector(device)


@cache
def weights_of_detector() -> str:
    """12 hexadecimal digits that tell the weights of the pocket detector."""
    return digest_of(detector("cpu"))


def digest_of(*networks: nn.Module, config: dict | None = None) -> str:
    """A digest of the tensors of some networks, by name, and of a configuration without the version of its library."""
    total = hashlib.sha256()
    for network in networks:
        for name, tensor in sorted(network.state_dict().items()):
            total.update(name.encode())
            total.update(tensor.detach().cpu().contiguous().view(-1).view(torch.uint8).numpy().tobytes())
    settings = {name: value for name, value in (config or {}).items() if not name.startswith("_")}
    total.update(json.dumps(settings, sort_keys=True, default=str).encode())
    return total.hexdigest()[:12]
