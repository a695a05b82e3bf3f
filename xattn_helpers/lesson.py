"""What lessons share: catching what a layer gets, and comparing what was made by hand with what a helper made."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

ROUNDINGS = 32.0  # how many times the rounding of one number a result of one call of a network may be off


def close(first: Tensor, second: Tensor, calls: int = 1, dtype: torch.dtype | None = None) -> float:
    """The largest difference of two results that are the same but for rounding; shapes must agree.

    The error is the root mean square of the difference over that of `second`. It may be 32 roundings of the coarser of
    the two precisions, or of `dtype`, the precision of a model whose results were converted afterwards, for each of
    the `calls` of a network that they went through. Raises AssertionError, with both numbers, if it is larger.
    """
    names = [first.dtype, second.dtype] if dtype is None else [dtype]
    bound = ROUNDINGS * calls * max(torch.finfo(name).eps for name in names)
    first, second = first.detach().cpu().double(), second.detach().cpu().double()
    assert first.shape == second.shape, f"shapes {tuple(first.shape)} and {tuple(second.shape)} differ"
    apart = first - second
    size = second.square().mean().sqrt().clamp(min=torch.finfo(torch.float32).tiny)
    error = float(apart.square().mean().sqrt() / size)
    assert error <= bound, f"the relative error is {error:.1e}; rounding alone gives at most {bound:.1e}"
    return float(apart.abs().max())


@contextmanager
def inputs_of(module: nn.Module) -> Iterator[list]:
    """A list that holds, inside the block and after it, what the last call of a module in the block was given.

    First what was given by place, then what was given by name, both in their order.
    """
    caught: list = []

    def catch(_: nn.Module, places: tuple, names: dict[str, Any]) -> None:
        caught[:] = [*places, *names.values()]

    handle = module.register_forward_pre_hook(catch, with_kwargs=True)
    try:
        yield caught
    finally:
        handle.remove()
