"""Checks by hand: how far apart two results may be, in each precision, and what a layer is given."""

import pytest
import torch
from torch import nn

from xattn_helpers import lesson

PRECISIONS = (torch.float16, torch.bfloat16, torch.float32, torch.float64)


def numbers():
    return torch.randn(4, 1000, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("dtype", PRECISIONS)
def test_what_was_rounded_once_is_close(dtype):
    exact = numbers()
    largest = float((exact.to(dtype).double() - exact).abs().max())
    assert lesson.close(exact.to(dtype), exact) == largest


@pytest.mark.parametrize("dtype", PRECISIONS[:3])
@pytest.mark.parametrize("calls", [1, 10])
def test_the_bound_is_so_many_roundings_a_call(dtype, calls):
    """A difference that is the same share of each number has this share as its error."""
    exact, share = numbers(), 32 * calls * torch.finfo(dtype).eps
    lesson.close(exact * (1 + 0.99 * share), exact, calls, dtype)
    with pytest.raises(AssertionError, match="the relative error is .*; rounding alone gives at most"):
        lesson.close(exact * (1 + 1.01 * share), exact, calls, dtype)


def test_the_coarser_precision_counts():
    exact = numbers()
    wrong = exact * (1 + 10 * torch.finfo(torch.float16).eps)
    lesson.close(wrong.half(), exact.float())
    with pytest.raises(AssertionError):
        lesson.close(wrong.float(), exact.float())


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_is_not_finite_is_close_to_nothing(value):
    broken = numbers()
    broken[0, 0] = value
    with pytest.raises(AssertionError):
        lesson.close(broken, numbers())
    with pytest.raises(AssertionError):
        lesson.close(numbers(), broken)


def test_shapes_must_agree():
    with pytest.raises(AssertionError, match=r"shapes \(4, 1000\) and \(1000,\) differ"):
        lesson.close(numbers(), numbers()[0])


def test_zeros_are_close_to_zeros_only():
    assert lesson.close(torch.zeros(3), torch.zeros(3)) == 0
    with pytest.raises(AssertionError):
        lesson.close(torch.ones(3), torch.zeros(3))


class Sum(nn.Module):
    """Of what it is given by place, and twice what it is given by name."""

    def forward(self, first, second, *, third):
        return first + second + 2 * third


def test_what_a_module_is_given_is_caught_in_order():
    module, numbers = Sum(), [torch.tensor(float(number)) for number in range(3)]
    with lesson.inputs_of(module) as inputs:
        assert inputs == []
        assert module(numbers[0], numbers[1], third=numbers[2]) == 5
        assert all(caught is given for caught, given in zip(inputs, numbers, strict=True))
        module(numbers[2], third=numbers[0], second=numbers[1])
    assert inputs == [numbers[2], numbers[0], numbers[1]], "of several calls the last, what has a name as it was given"


def test_nothing_is_caught_after_the_block_even_if_it_failed():
    module, one = Sum(), torch.ones(())
    with pytest.raises(KeyError), lesson.inputs_of(module) as inputs:
        raise KeyError("on purpose")
    module(one, one, third=one)
    assert inputs == [] and not module._forward_pre_hooks
