"""How much memory a device still has."""

import torch
from torch import Tensor

CAN_TELL = hasattr(torch.cuda, "get_per_process_memory_fraction")  # torch knows a limit that it was given; from 2.7
# Numbers that a network holds for each latent cell, over its width at full size: networks of real size are
# measured to hold about 35; attention that is looked at or edited takes more.
TENSORS = 60


def free_share(device: torch.device) -> float:
    """The share of a GPU's memory that this process can still fill, in [0, 1]; 1.0 for a CPU, which can swap."""
    if device.type != "cuda":
        return 1.0
    return max(0.0, min(1.0, free_bytes(device) / usable_bytes(device)))


def free_bytes(device: torch.device) -> float:
    """The memory of a GPU that this process can still fill: what torch holds and does not use is free."""
    unclaimed, _ = torch.cuda.mem_get_info(device)
    held, used = torch.cuda.memory_reserved(device), torch.cuda.memory_allocated(device)
    return min(unclaimed, usable_bytes(device) - held) + held - used


def usable_bytes(device: torch.device) -> float:
    """The memory of a GPU, or what a limit set by `torch.cuda.set_per_process_memory_fraction` leaves of it."""
    _, total = torch.cuda.mem_get_info(device)
    return total * (torch.cuda.get_per_process_memory_fraction(device) if CAN_TELL else 1.0)


def fits(latents: Tensor, width: int, dtype: torch.dtype) -> bool:
    """Whether a GPU has room for what a network of some width holds while it runs on these latents."""
    if latents.device.type != "cuda":
        return True
    cells = latents.numel() // latents.shape[1]
    return cells * width * dtype.itemsize * TENSORS <= free_bytes(latents.device)
