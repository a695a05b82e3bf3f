"""What all checks share: running an answer beside the right one, and beside the usual mistakes."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

Function = Callable[..., Any]
Inputs = tuple[Any, ...]  # of one call
TOLERANCE = 1e-4  # relative and absolute: answers may add up numbers in another order
SHOWN = 4  # values of a result in a sentence
NUMBERS = int, float, np.number  # what a mean may be, written with Python, numpy or torch


@dataclass(frozen=True)
class Verdict:
    """Whether an answer is right, and what to say about it; as the last line of a cell it is that sentence."""

    right: bool
    message: str

    def __repr__(self) -> str:
        return f"{'✓' if self.right else '✗'} {self.message}"

    def __bool__(self) -> bool:
        return self.right


def judge(
    answer: Function, solution: Function, mistakes: Mapping[str, Function], calls: Sequence[Inputs], name: str
) -> Verdict:
    """Compare an answer with the solution on all calls.

    `mistakes` are wrong functions, by the sentence that tells the student what they do. A mistake is named if the
    answer gives what it gives on every call.
    """
    results = []
    for number, inputs in enumerate(calls):
        arguments = copies(inputs)
        try:
            result = answer(*arguments)
        except Exception as error:  # whatever a student's code raises is told, and is no fault of this package
            said = named(answer, mistakes, calls[:number]) if number else ""
            return Verdict(False, said or f"{name} raises {type(error).__name__}: {error}")
        if fault := fault_of(result, solution(*copies(inputs)), name):
            is_number = isinstance(result, (Tensor, *NUMBERS))
            return Verdict(False, is_number and named(answer, mistakes, calls) or fault)
        if not untouched(arguments, inputs):
            return Verdict(False, f"{name} changes what it is given: change a copy, made by .clone()")
        results.append(result)
    for inputs, result in zip(calls, results, strict=True):
        expected = solution(*copies(inputs))
        if not close(result, expected):
            said = named(answer, mistakes, calls)
            return Verdict(False, said or f"{name} gives other values: {difference(result, expected)}")
    return Verdict(True, f"{name} is right.")


def fault_of(result: Any, expected: Tensor, name: str) -> str:
    """What is wrong with a result before its values are looked at, or nothing."""
    if result is None or result is ...:
        return f"{name} returns nothing yet: put your code in place of the dots, and return the result"
    if isinstance(result, NUMBERS) and expected.ndim == 0:
        result = torch.tensor(float(result))
    possible = f"a tensor of shape {tuple(expected.shape)}" if expected.ndim else "a number"
    if not isinstance(result, Tensor):
        return f"{name} returns a {type(result).__name__}; it must be {possible}"
    if result.shape != expected.shape:
        return f"{name} returns a tensor of shape {tuple(result.shape)}; it must be {possible}"
    return "" if result.isfinite().all() else f"{name} returns numbers that are not finite: NaN, or infinity"


def named(answer: Function, mistakes: Mapping[str, Function], calls: Sequence[Inputs]) -> str:
    """The sentence of the mistake that gives what the answer gives on every call, or nothing."""
    for sentence, mistake in mistakes.items():
        if all(equal(answer, mistake, inputs) for inputs in calls):
            return sentence
    return ""


def equal(answer: Function, mistake: Function, inputs: Inputs) -> bool:
    """Whether two functions give the same; not if one of them fails."""
    try:
        first, second = answer(*copies(inputs)), mistake(*copies(inputs))
    except Exception:  # the answer's own error was told before; one that only later calls raise names no mistake
        return False
    return close(first, second)


def close(first: Any, second: Any) -> bool:
    """Whether two results agree in shape, and in values up to rounding; two that are not finite agree, too."""
    first, second = torch.as_tensor(first).double(), torch.as_tensor(second).double()
    if first.shape != second.shape:
        return False
    return bool(torch.allclose(first, second, rtol=TOLERANCE, atol=TOLERANCE, equal_nan=True))


def copies(inputs: Inputs) -> Inputs:
    """Inputs whose tensors may be changed."""
    return tuple(value.clone() if isinstance(value, Tensor) else value for value in inputs)


def untouched(arguments: Inputs, inputs: Inputs) -> bool:
    """Whether a call has left its tensors as they were."""
    for value, before in zip(arguments, inputs, strict=True):
        if isinstance(before, Tensor) and not is_equal(value, before):
            return False
    return True


def is_equal(value: Tensor, before: Tensor) -> bool:
    """Whether two tensors are equal number by number; a NaN equals a NaN."""
    if value.shape != before.shape:
        return False
    return bool(((value == before) | (value.isnan() & before.isnan())).all())


def difference(result: Any, expected: Tensor) -> str:
    """Some values of a result beside those of the solution."""
    places = (torch.as_tensor(result) - expected).abs().flatten().argsort(descending=True)[:SHOWN].sort().values
    values, wanted = (torch.as_tensor(numbers).flatten()[places].tolist() for numbers in (result, expected))
    texts = [f"{value:.3g} where it must be {right:.3g}" for value, right in zip(values, wanted, strict=True)]
    return ", ".join(texts)
