"""Devices that torch can use on this machine, the precisions on them, and what to say of others."""

from typing import Annotated, Any

import torch
from pydantic import AfterValidator, Field

PRECISIONS = {"cuda": torch.float16, "cpu": torch.float32}  # by the kind of device, where none is asked for


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


def precision_of(dtype: torch.dtype | str | None, device: torch.device, usual_half: str) -> torch.dtype:
    """The precision that is asked for, or the usual one of a kind of device; `usual_half` is the model's own on a GPU.

    Raises ValueError for a name that is no precision.
    """
    if dtype is None:
        dtype = PRECISIONS.get(device.type, torch.float32)
        is_half_enough = usual_half != "bfloat16" or device.type != "cuda"
        if dtype != torch.float16 or is_half_enough or not torch.cuda.is_bf16_supported(including_emulation=False):
            return dtype
        return torch.bfloat16
    precision = getattr(torch, dtype, None) if isinstance(dtype, str) else dtype
    if precision not in (torch.float16, torch.bfloat16, torch.float32, torch.float64):
        raise ValueError(f"dtype={dtype!r}: possible are 'float32', 'float16', 'bfloat16', and torch's own")
    return precision


def working_precision(network: Any) -> torch.dtype:
    """What `network.dtype` says, in less time: the precision of weights, but for parts kept in single precision.

    Diffusers searches every layer for a hook that casts weights, in each call. The layer of the first weight has one,
    too, or was left out, and so is in the precision in which the others compute.
    """
    left_out = getattr(network, "_keep_in_fp32_modules", None) or ()
    for name, weight in network.named_parameters():
        if weight.is_floating_point() and not any(part in name for part in left_out):
            layer = network.get_submodule(name.rpartition(".")[0])
            return network.dtype if hasattr(layer, "_diffusers_hook") else weight.dtype
    return network.dtype
