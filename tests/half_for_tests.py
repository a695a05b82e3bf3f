"""Half precision that a CPU computes as fast as single precision, for what runs long in it."""

from functools import wraps

import torch

HALVES = (torch.float16, torch.bfloat16)
SLOW = ("linear", "conv2d", "conv3d")  # which most CPUs compute twenty times as slowly in half precision


def by_singles(function):
    """A product that is computed in single precision and rounded to halves: the kernels do the same, slowly.

    What is no half, or mixes precisions, reaches torch as it is: its errors of mixed precisions are still raised.
    """

    @wraps(function)
    def computed(input, weight, bias=None, *rest, **options):  # noqa: A002 - torch's own name
        kinds = {tensor.dtype for tensor in (input, weight, bias) if tensor is not None}
        if len(kinds) > 1 or input.dtype not in HALVES or input.device.type != "cpu":
            return function(input, weight, bias, *rest, **options)
        singles = (tensor if tensor is None else tensor.float() for tensor in (input, weight, bias))
        return function(*singles, *rest, **options).to(input.dtype)

    return computed
