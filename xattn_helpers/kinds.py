"""Kinds of arguments that several rooms take: annotations for functions that are `checked`."""

import inspect
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
from pydantic import AfterValidator, BeforeValidator, Field
from torch import Tensor

MOST_STEPS = 1000
LARGEST_SIDE = 2**14  # pixels
LONGEST_VIDEO = 10_000  # frames
LONGEST_TEXT = 5_000  # characters


def listed(values: Any) -> Any:
    """An array or tensor that has axes, or a range, as a list of numbers; the rest as it is."""
    if isinstance(values, range):
        return list(values)
    return values.tolist() if isinstance(values, (np.ndarray, Tensor)) and values.ndim else values


def as_array(values: Any) -> np.ndarray:
    """A numpy array of anything, also of tensors on a GPU and lists of them; of objects where rows differ in length."""
    if isinstance(values, Tensor):
        values = values.detach().cpu()
        values = values.float() if values.dtype == torch.bfloat16 else values  # which numpy does not know
    if isinstance(values, (list, tuple)):
        values = [as_array(value) if isinstance(value, Tensor) else value for value in values]
    if isinstance(values, (str, bytes)):
        return np.asarray(values, object)
    try:
        return np.asarray(values)
    except ValueError:
        return np.asarray(values, object)


def numpy_listed(values: Any) -> Any:
    """An array that has axes as a list; the rest as it is, tensors included."""
    return values.tolist() if isinstance(values, np.ndarray) and values.ndim else values


def takes(count: int) -> AfterValidator:
    """For functions: they can be called with so many arguments, and are no classes."""

    def check(function: Callable) -> Callable:
        if inspect.isclass(function):
            raise ValueError("a class is not what is meant")
        try:
            inspect.signature(function).bind(*range(count))
        except TypeError:
            raise ValueError(f"it must take {count} arguments") from None
        except ValueError:  # some functions that are written in C do not tell
            pass
        return function

    return AfterValidator(check)


def _printable(text: str) -> str:
    if len(text) > LONGEST_TEXT:
        raise ValueError(f"at most {LONGEST_TEXT} characters")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError("half of a pair of UTF-16 is no character") from None
    return text


def _usable(name: str | Path) -> str | Path:
    if not str(name):
        raise ValueError("it is empty")
    if "\0" in str(name) or len(str(name)) > 1000:
        raise ValueError("of at most 1000 characters, none of which is the character 0")
    try:
        return Path(name).expanduser() if str(name).startswith("~") else name
    except RuntimeError as error:
        raise ValueError(str(error)) from None


Prompt = Annotated[str, AfterValidator(_printable)]
Prompts = Prompt | Sequence[Prompt]
Words = str | Sequence[str]
PathLike = Annotated[str | Path, AfterValidator(_usable), Field(description="a name or a path")]

Digits = Annotated[int, Field(ge=0, le=17)]
Count = Annotated[int, Field(ge=1)]
Steps = Annotated[int, Field(ge=1, le=MOST_STEPS)]
Draws = Annotated[int, Field(ge=1, le=100)]  # of noise
Frames = Annotated[int, Field(ge=1, le=LONGEST_VIDEO)]
Side = Annotated[int, Field(ge=1, le=LARGEST_SIDE)]
Seed = Annotated[int, Field(ge=-(2**63), lt=2**64, description="an integer of at most 64 bits")]
Seeds = Annotated[Seed | Sequence[Seed], BeforeValidator(listed)]
Integers = Annotated[int | Sequence[int], BeforeValidator(listed)]
Cells = Annotated[Count | Sequence[Count], BeforeValidator(listed)]

Share = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0)]
