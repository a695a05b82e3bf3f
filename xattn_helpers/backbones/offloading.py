"""Parts of a model that are on the GPU only while they work, by accelerate's hooks.

A text encoder can be four times as large as the network, and reads one prompt a run; an autoencoder decodes once.
"""

from collections.abc import Sequence
from typing import Any, Literal

import torch
from accelerate.hooks import CpuOffload, add_hook_to_module
from accelerate.utils.memory import clear_device_cache
from torch import nn

Offload = Literal["auto"] | bool
SHARE = 0.5  # of a GPU's memory: above it, weights leave too little for what a run computes


class Alone(CpuOffload):
    """Before a part works, the others leave the device; it stays there until another works."""

    def __init__(self, device: torch.device, resting: Sequence[nn.Module]):
        super().__init__(execution_device=device)
        self.resting = resting

    def pre_forward(self, module: nn.Module, *inputs: Any, **options: Any) -> tuple[Any, Any]:
        """Make room, and move the part and its inputs."""
        moved = False
        for part in self.resting:
            if _device(part) != torch.device("cpu"):
                part.to("cpu")
                moved = True
        if moved:
            clear_device_cache()
        return super().pre_forward(module, *inputs, **options)


def place(parts: Sequence[nn.Module], device: torch.device, offload: Offload = "auto") -> None:
    """Put the parts of a model on a device, or let each come there when it works.

    "auto" lets them come if their weights take more than half of the memory of a GPU. Raises ValueError for another
    value, and for True without a GPU.
    """
    if offload != "auto" and not isinstance(offload, bool):
        raise ValueError(f"offload={offload!r}: possible are 'auto', True, False")
    if offload is True and device.type == "cpu":
        raise ValueError("offload=True needs a GPU, and the model is on the CPU; possible are 'auto' and False")
    if offload is True or offload == "auto" and device.type == "cuda" and _fills(parts, device):
        take_turns(parts, device)
        return
    for part in parts:
        part.to(device)


def take_turns(parts: Sequence[nn.Module], device: torch.device) -> None:
    """Let each part come to the device when it works, and the others leave it."""
    if device.type == "cuda" and device.index is None:
        device = torch.device("cuda", torch.cuda.current_device())  # as tensors name it
    for part in parts:
        resting = [neighbour for neighbour in parts if neighbour is not part]
        add_hook_to_module(part, Alone(device, resting), append=True)


def working_device(network: nn.Module) -> torch.device:
    """Where a part works, wherever it is now."""
    hook = getattr(network, "_hf_hook", None)
    return getattr(hook, "execution_device", None) or _device(network)


def takes_turns(part: nn.Module) -> bool:
    """Whether a part leaves its device when others work."""
    return getattr(part, "_hf_hook", None) is not None


def _device(part: nn.Module) -> torch.device:
    return next(part.parameters()).device


def _fills(parts: Sequence[nn.Module], device: torch.device) -> bool:
    total = torch.cuda.get_device_properties(device).total_memory
    return weight(parts) > SHARE * total


def weight(parts: Sequence[nn.Module]) -> int:
    """Bytes of the weights of parts."""
    return sum(tensor.numel() * tensor.element_size() for part in parts for tensor in part.parameters())
