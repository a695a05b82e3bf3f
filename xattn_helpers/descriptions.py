"""Annotations and values in words, for what is said of wrong arguments."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import numpy as np
from pydantic.fields import FieldInfo
from torch import Tensor

LONGEST = 80  # characters of a value
WORDS = {str: "a text", bool: "True or False", int: "an integer", float: "a finite number", NoneType: "None"}
BOUNDS = {"gt": "above", "ge": "from", "lt": "below", "le": "to"}  # pydantic's names, in the order of a sentence


def describe(hint: Any) -> str:
    """What an annotation allows: "an integer from 1 to 1000 or None"."""
    origin, parts = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return _annotated(parts[0], parts[1:])
    if origin in (Union, UnionType, Literal):
        return _alternatives(_choices(hint))
    if origin is tuple and parts[-1] is ...:
        return f"a tuple of which each is {describe(parts[0])}"
    if origin is tuple:
        return f"({', '.join(map(describe, parts))})"
    if origin is Callable or hint is Callable:
        return "a function"
    if inspect.isclass(origin) and issubclass(origin, Mapping):
        return f"a dictionary from {describe(parts[0])} to {describe(parts[1])}"
    if inspect.isclass(origin) and issubclass(origin, Sequence):
        return f"a list of which each is {describe(parts[0])}"
    if hasattr(hint, "dim_str"):  # of jaxtyping
        return f"{_article(_name(hint.array_type))} of {hint.__name__.split('[')[0].lower()} ({_axes(hint.dim_str)})"
    return WORDS.get(hint) or _article(_name(hint))


def kind(value: Any) -> str:
    """The type of a value in words: "a float", "the class Swap", "an array of float64 (3, 4)"."""
    if value is None:
        return "None"
    if inspect.isclass(value):
        return f"the class {value.__name__}"
    if isinstance(value, (np.ndarray, Tensor)):
        return f"{_article(_name(type(value)))} of {str(value.dtype).removeprefix('torch.')} {tuple(value.shape)}"
    return _article(type(value).__name__)


def shown(value: Any) -> str:
    """A value, or its beginning and its length, or what it is where it has many numbers."""
    if isinstance(value, (np.ndarray, Tensor)) and value.ndim or inspect.isclass(value):
        return kind(value)
    text = repr(value)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}… ({len(text)} characters)"


def _annotated(hint: Any, metadata: tuple) -> str:
    """An annotation with bounds, or with its own words."""
    bounds = {}
    for entry in metadata:
        if isinstance(entry, FieldInfo):
            if entry.description:
                return entry.description
            for bound in entry.metadata:
                bounds |= {name: getattr(bound, name) for name in BOUNDS if hasattr(bound, name)}
    said = "".join(f" {word} {bounds[name]:g}" for name, word in BOUNDS.items() if name in bounds)
    return describe(hint).replace("a finite number", "a number") + said if said else describe(hint)


def _choices(hint: Any) -> list[str]:
    """Each alternative of an annotation in words."""
    if get_origin(hint) is Literal:
        return [repr(part) for part in get_args(hint)]
    if get_origin(hint) not in (Union, UnionType):
        return [describe(hint)]
    choices = []
    for part in get_args(hint):
        choices += _choices(part)
    return choices


def _alternatives(choices: Sequence[str]) -> str:
    """Alternatives; a list of what was just said is "a list of these"."""
    texts = []
    for choice in dict.fromkeys(choices):
        entry = choice.removeprefix("a list of which each is ")
        texts.append("a list of these" if entry != choice and entry in (*texts, " or ".join(texts)) else choice)
    return " or ".join([", ".join(texts[:-1]), texts[-1]] if len(texts) > 1 else texts)


def _name(hint: Any) -> str:
    name = getattr(hint, "__name__", str(hint))
    return {"ndarray": "array", "Tensor": "tensor"}.get(name, name)


def _axes(dimensions: str) -> str:
    return ", ".join(dimensions.replace("*", "…").split())


def _article(noun: str) -> str:
    return f"{'an' if noun[:1].lower() in 'aeiou' else 'a'} {noun}"
