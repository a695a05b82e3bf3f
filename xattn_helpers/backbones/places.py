"""Devices: those that torch can use on this machine, and what to say of others."""

from typing import Annotated

import torch
from pydantic import AfterValidator, Field


def usable(device: str | torch.device) -> str | torch.device:
    """A device that tensors can be made on; raises ValueError for one that this machine does not have."""
    try:
        asked = torch.device(device)
    except RuntimeError:
        raise ValueError("torch knows no such device") from None
    if asked.type == "meta":
        raise ValueError("meta tensors hold no numbers")
    if asked.type == "cuda" and not torch.cuda.is_available():
        raise ValueError("torch finds no CUDA GPU on this machine; leave device out")
    if asked.type == "cuda" and (asked.index or 0) >= torch.cuda.device_count():
        raise ValueError(f"this machine has {torch.cuda.device_count()} GPUs, counted from 0")
    try:
        torch.empty(0, device=asked)
    except (RuntimeError, AssertionError, NotImplementedError):
        raise ValueError("torch cannot use it on this machine; leave device out") from None
    return device


Device = Annotated[
    str | torch.device, AfterValidator(usable), Field(description="'cpu', 'cuda' or another device that is there")
]  # fmt: skip
