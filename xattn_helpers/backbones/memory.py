"""How much memory a device still has."""

import torch

CAN_TELL = hasattr(torch.cuda, "get_per_process_memory_fraction")  # torch knows a limit that it was given; from 2.7


def free_share(device: torch.device) -> float:
    """The share of a GPU's memory that this process can still fill, in [0, 1]; 1.0 for a CPU, which can swap.

    What torch holds and does not use is free. A limit set by `torch.cuda.set_per_process_memory_fraction` counts as
    the GPU's memory.
    """
    if device.type != "cuda":
        return 1.0
    unclaimed, total = torch.cuda.mem_get_info(device)
    usable = total * (torch.cuda.get_per_process_memory_fraction(device) if CAN_TELL else 1.0)
    held, used = torch.cuda.memory_reserved(device), torch.cuda.memory_allocated(device)
    free = min(unclaimed, usable - held) + held - used
    return max(0.0, min(1.0, free / usable))
