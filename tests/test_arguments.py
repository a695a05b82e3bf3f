"""How arguments are checked, and the sentences that refuse them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal

import numpy as np
import pytest
import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor

from xattn_helpers.arguments import UNCHECKED, WrongArgument, checked
from xattn_helpers.descriptions import describe, kind, shown
from xattn_helpers.kinds import Cells, PathLike, Prompts, Seeds, takes
from xattn_helpers.memory import check_memory


@dataclass(frozen=True)
class Pair:
    first: int
    second: int


@checked
def paint(
    text: Prompts, steps: Annotated[int, Field(ge=1, le=9)] | None = None, share: float = 0.5,
    law: Literal["a", "b"] = "a", pair: Pair | None = None, maps: Float[Tensor, "frames h w"] | None = None,
    cells: Cells | None = None, anything: Annotated[int, UNCHECKED] = 0, **rest: bool,
) -> Any:  # fmt: skip
    return {"steps": steps, "share": share, "cells": cells, "pair": pair, "anything": anything} | rest


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"text": None}, "paint(text=None): text is None; it must be a text or a list of these"),
        ({"text": ["a", 5]}, "paint(text=['a', 5]): text[1] is an int; text must be a text or a list of these"),
        ({"steps": 2.0}, "paint(steps=2.0): steps is a float; it must be an integer from 1 to 9 or None"),
        ({"steps": 0}, "paint(steps=0): steps must be an integer from 1 to 9 or None"),
        ({"steps": True}, "paint(steps=True): steps is a bool; it must be an integer from 1 to 9 or None"),
        ({"share": np.float32("nan")}, "paint(share=np.float32(nan)): share must be a finite number"),
        ({"law": "c"}, "paint(law='c'): law must be 'a' or 'b'"),
        ({"pair": {"first": 1, "second": 2}}, "pair is a dict; it must be a Pair or None"),
        ({"pair": Pair}, "paint(pair=the class Pair): pair is the class Pair; it must be a Pair or None"),
        ({"maps": torch.ones(2, 2)}, "maps is a tensor of float32 (2, 2); it must be a tensor of float (frames, h, w)"),
        ({"cells": (1, 0)}, "paint(cells=(1, 0)): cells[1] is 0; cells must be an integer from 1 or a list of"),
        ({"hard": 1}, "paint(hard=1): hard is an int; it must be True or False"),
    ],
)
def test_a_sentence_says_what_was_given_and_what_is_possible(options, sentence):
    with pytest.raises(WrongArgument) as refused:
        paint(**({"text": "a"} | options))
    assert sentence in str(refused.value) and refused.value.__cause__ is None
    assert isinstance(refused.value, ValueError) and isinstance(refused.value, TypeError)


@pytest.mark.parametrize("two", [2, np.int64(2), np.uint8(2), np.array(2), torch.tensor(2), torch.tensor(2).short()])
def test_numbers_of_numpy_and_torch_become_pythons(two):
    given = paint("a", steps=two, share=two, cells=[two, two], anything=two)
    assert given["steps"] == 2 and type(given["steps"]) is int and type(given["share"]) is float
    assert given["cells"] == [2, 2] and given["anything"] is two, "what is not checked is what was given"


def test_what_is_right_arrives_as_it_is():
    pair, maps = Pair(1, 2), torch.ones(2, 3, 4)
    assert paint("a", 3, maps=maps, pair=pair, hard=True)["pair"] is pair
    assert paint("a", cells=np.array([1, 2]))["cells"] == [1, 2] == paint("a", cells=range(1, 3))["cells"]


def test_arguments_that_are_missing_unknown_or_too_many_name_those_that_there_are():
    for call in (lambda: paint(), lambda: paint("a", 1, 2, "a", None, None, None, 0, 9)):
        with pytest.raises(WrongArgument, match=r"^paint\(\): .*; its arguments must be among text, steps, share"):
            call()

    @checked
    def plain(steps: int) -> int:
        return steps

    with pytest.raises(WrongArgument, match="no argument 'stepz'; its arguments must be among steps; did you mean"):
        plain(stepz=3)
    assert plain.__name__ == "plain"


def test_a_class_is_made_of_checked_arguments():
    @checked
    @dataclass(frozen=True)
    class Box:
        side: Annotated[float, Field(gt=0)]
        names: tuple[str, ...] = ()

    assert Box(np.float64(2)) == Box(2.0) and type(Box(np.float64(2)).side) is float
    for make in (lambda: Box(0), lambda: replace(Box(1), side=-1)):
        with pytest.raises(WrongArgument, match="Box.side=.*: side must be a number above 0"):
            make()


def test_an_error_of_the_function_itself_is_left_alone():
    @checked
    def divide(number: int) -> float:
        return 1 / number

    with pytest.raises(ZeroDivisionError):
        divide(0)


def test_functions_take_so_many_arguments():
    @checked
    def call(function: Annotated[Callable, takes(2)]) -> Any:
        return function(1, 2)

    assert call(max) == 2 and call(lambda first, second=0, third=0: third) == 0
    for wrong in (lambda first: first, int, 5):
        with pytest.raises(WrongArgument, match="function must be|function is an int; it must be a function"):
            call(wrong)


def test_names_of_files_that_no_system_takes():
    @checked
    def read(path: PathLike) -> Any:
        return path

    assert read("a/b") == "a/b"
    for wrong in ("", "a\0b", "x" * 2000, "~nobody-has-this-name/x", 5):
        with pytest.raises(WrongArgument, match="path .*must be a name or a path"):
            read(wrong)


def test_words_for_annotations_and_values():
    assert describe(Mapping[str, float]) == "a dictionary from a text to a finite number"
    assert describe(Sequence[int] | None) == "a list of which each is an integer or None"
    assert describe(tuple[float, int]) == "(a finite number, an integer)"
    assert describe(tuple[int, ...]) == "a tuple of which each is an integer"
    assert describe(Seeds) == "an integer of at most 64 bits or a list of these"
    assert (kind(int), kind(None), kind([])) == ("the class int", "None", "a list")
    assert shown(np.ones((2, 3))) == "an array of float64 (2, 3)" and shown(torch.tensor(1)) == "tensor(1)"
    assert shown("x" * 100) == "'" + "x" * 79 + "… (102 characters)"


def test_what_no_memory_holds_is_refused(monkeypatch):
    monkeypatch.setattr("xattn_helpers.memory.memory", lambda: 2**31)
    check_memory("frames=3", 2**31)
    with pytest.raises(ValueError, match="^frames=9: this needs 4 GiB at least, and the machine has 2 GiB; "):
        check_memory("frames=9", 2**32)
