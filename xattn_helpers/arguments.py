"""Arguments at the public edge: checked once, by what their annotations say, and refused in one kind of sentence.

    @checked
    def generate(model: Model, prompt: Texts, steps: Annotated[int, Field(ge=1, le=1000)] | None = None): ...

    generate(steps=2.0): steps is a float; it must be an integer from 1 to 1000 or None

pydantic does the checking, strictly: nothing is converted but numpy's numbers, and tensors and arrays without axes,
which become Python's own. Numbers are finite unless the annotation allows more. `Field(description=…)` says in words
what an annotation cannot.
"""

import difflib
import functools
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, is_dataclass
from types import UnionType
from typing import Annotated, Any, TypeVar, Union, get_type_hints

import numpy as np
from pydantic import ConfigDict, GetCoreSchemaHandler, TypeAdapter, ValidationError
from pydantic_core import CoreSchema, core_schema
from torch import Tensor

from .descriptions import describe, kind, shown

UNCHECKED = "checked where it is used, as pixels and maps are, whose numbers have to be looked at"
CONFIG = ConfigDict(strict=True, allow_inf_nan=False, arbitrary_types_allowed=True)
# pydantic's names: ends of those of errors that are about the type, and of those about the length of a tuple.
OF_TYPE = ("_type", "_of", "_str", "from_float")
OF_LENGTH = ("missing", "too_long", "too_short")
OUR = "Value error, "  # before what a validator of this package says

Checkable = TypeVar("Checkable", bound=Callable)


class WrongArgument(ValueError, TypeError):
    """An argument of a type, or with a value, that a function does not take: what was given, and what it takes.

    It is both errors, so that nobody needs to know whether "0" for a number is of the wrong type or the wrong value.
    """


@dataclass(frozen=True)
class Instance:
    """For pydantic: an instance of a class, which is never made of a dictionary of its fields."""

    kind: type

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.is_instance_schema(self.kind)


class Annotation:
    """What an argument may be, ready to check values."""

    def __init__(self, hint: Any):
        self.hint = hint
        self.adapter = TypeAdapter(_instances(hint), config=CONFIG)

    def checked(self, value: Any, function: str, argument: str) -> Any:
        """The value as Python's own; raises WrongArgument."""
        try:
            return self.adapter.validate_python(plain(value))
        except ValidationError as error:
            raise WrongArgument(_sentence(function, argument, value, error, describe(self.hint))) from None


def checked(target: Checkable) -> Checkable:
    """A function whose arguments are checked at each call, or a class that is made of checked arguments.

    What the function gets are the checked values. Raises WrongArgument.
    """
    subject: Any = target
    if not isinstance(subject, type):
        return _checked(subject, target.__name__)
    subject.__init__ = _checked(subject.__init__, target.__name__)
    return target


def _checked(function: Any, name: str) -> Any:
    signature = inspect.signature(function)

    @functools.cache  # built at the first call: most functions are never called, and an import shall be quick
    def annotated() -> dict[str, Annotation]:
        return _annotations(function)

    @functools.wraps(function)
    def call(*arguments: Any, **options: Any) -> Any:
        try:
            bound = signature.bind(*arguments, **options)
        except TypeError as error:
            raise WrongArgument(_misfit(name, error, options, signature)) from None
        for argument, annotation in annotated().items():
            if argument in bound.arguments:
                how = signature.parameters[argument].kind
                bound.arguments[argument] = _entries(annotation, name, argument, bound.arguments[argument], how)
        return function(*bound.args, **bound.kwargs)

    return call


def _annotations(function: Any) -> dict[str, Annotation]:
    """What checks each annotated argument."""
    annotated = {}
    for argument, hint in get_type_hints(function, include_extras=True).items():
        if argument != "return" and hint is not Any and UNCHECKED not in getattr(hint, "__metadata__", ()):
            annotated[argument] = Annotation(hint)
    return annotated


def _instances(hint: Any) -> Any:
    """The annotation with instances of dataclasses in the place of dataclasses."""
    if isinstance(hint, type) and is_dataclass(hint):
        return Annotated[Any, Instance(hint)]
    if isinstance(hint, UnionType):
        return Union[tuple(map(_instances, hint.__args__))]  # noqa: UP007
    return hint


def _entries(annotation: Annotation, name: str, argument: str, value: Any, how: Any) -> Any:
    """The checked value; of *arguments and **options each by itself."""
    if how is inspect.Parameter.VAR_POSITIONAL:
        return tuple(annotation.checked(entry, name, f"{argument}[{index}]") for index, entry in enumerate(value))
    if how is inspect.Parameter.VAR_KEYWORD:
        return {key: annotation.checked(entry, name, key) for key, entry in value.items()}
    return annotation.checked(value, name, argument)


def plain(value: Any) -> Any:
    """A number of numpy, or of an array or tensor without axes, as Python's; in lists and tuples, too."""
    if isinstance(value, (np.generic, np.ndarray, Tensor)) and value.ndim == 0:
        return value if getattr(value, "is_meta", False) else value.item()
    if type(value) in (list, tuple):
        entries = map(plain, value)
        return list(entries) if isinstance(value, list) else tuple(entries)
    return value


def _sentence(name: str, argument: str, value: Any, error: ValidationError, possible: str) -> str:
    """What was given, what is wrong with it, and what is possible."""
    errors = error.errors(include_url=False)
    deepest = max(errors, key=lambda entry: len(_path(entry)))
    path, wrong = _path(deepest), deepest["input"]
    place = argument + "".join(f"[{index}]" for index in path)
    is_type = all(entry["type"].endswith(OF_TYPE) for entry in errors)
    complaint = f"{place} is {kind(wrong) if is_type else shown(wrong)}; {argument if path else 'it'}"
    complaint = complaint if is_type or path else argument
    reasons = "".join(f" ({entry['msg'].removeprefix(OUR)})" for entry in errors if entry["type"] == "value_error")
    return f"{name}({argument}={shown(value)}): {complaint} must be {possible}{reasons}"


def _path(error: Any) -> list[int]:
    """The indices on the way into lists; the rest of a location are pydantic's names of alternatives."""
    if error["type"] in OF_LENGTH:
        return []
    return [step for step in error["loc"] if isinstance(step, int)]


def _misfit(name: str, error: TypeError, options: Mapping[str, Any], signature: inspect.Signature) -> str:
    """What to say of arguments that are too many, missing or unknown."""
    known = [parameter for parameter in signature.parameters if parameter != "self"]
    unknown = [option for option in options if option not in known]
    near = difflib.get_close_matches(unknown[0], known, n=1) if unknown else []
    hint = f"; did you mean {near[0]}?" if near else ""
    complaint = f"there is no argument {unknown[0]!r}" if unknown else error
    return f"{name}(): {complaint}; its arguments must be among {', '.join(known)}{hint}"
