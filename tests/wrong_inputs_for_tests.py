"""Tables of wrong arguments, and what a clear answer is.

A line `[names] call` begins a block: the call with `_` for the value, and the names that an answer may give it. The
lines below hold values, `;;` between them: after `-` those that must be answered clearly, after `+` those that must be
accepted. Where the call is `_` alone, the values are whole calls.
"""

import linecache
import re
import traceback
from collections.abc import Iterator
from contextlib import redirect_stderr
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

import numpy as np
from torch import Tensor

ROOT = Path(__file__).parents[1]
TABLES = ROOT / "tests" / "data" / "wrong_inputs"
OURS = (ValueError, TypeError, OSError, RuntimeError, FloatingPointError, SystemExit)
RAISES = re.compile(r"\s*(raise|parser\.error|sys\.exit|require)\b")
GIVEN = re.compile(r"[:=] ?given \S|\S given\b|is an? |has shape")
WAY_OUT = re.compile(
    r"usage|run the model|counted from|known |ask |invalid \w+ value"
    r"|must|possible|needed|give |give one|needs|takes|knows|its words|did you mean|leave |load the model|delete|pass "
    r"|lower |\buse |recorded are|there are|neither|so they cannot|shares no word|missing|has no|make one|makes"
)


@dataclass(frozen=True)
class Case:
    """A value in a call, and whether it is a right one."""

    table: str
    names: tuple[str, ...]
    call: str
    value: str
    is_right: bool

    def __str__(self) -> str:
        call = re.sub(r"\b_\b", lambda match: self.value, self.call)
        return f"{self.table}: {call}"[:150]


def read(table: str) -> Iterator[Case]:
    """The cases of a table."""
    names, call = (), ""
    for line in (TABLES / f"{table}.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            listed, _, call = line[1:].partition("] ")
            names = tuple(listed.split(", "))
        elif line.startswith(("- ", "+ ")):
            for value in line[2:].split(" ;; "):
                yield Case(table, names, call, value.strip(), line.startswith("+"))


def complaint(case: Case, names: dict) -> str:
    """What is wrong with the answer to a case, or ""."""
    space = {**names}
    if case.call != "_":
        space["_"] = eval(case.value, space)
    call = case.value if case.call == "_" else case.call
    said = StringIO()
    try:
        with redirect_stderr(said):
            answer = eval(call, space)
    except (Exception, SystemExit) as error:
        message = f"{error} {said.getvalue()}"
        reason = f"refused: {message}" if case.is_right else _unclear(error, message, case.names, space.get("_", case))
        return f"{reason} <- {type(error).__name__}: {message[:300]}" if reason else ""
    return "" if case.is_right else f"accepted, gives {answer!r:.80}"


def _unclear(error: BaseException, message: str, names: tuple[str, ...], value: object) -> str:
    """Which part of a clear answer an error lacks, or ""."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    file = Path(last.filename)
    is_ours = file.is_relative_to(ROOT / "xattn_helpers") or file.is_relative_to(ROOT / "tools")
    raised = RAISES.match(linecache.getline(last.filename, last.lineno or 0))
    if not isinstance(error, OURS) or not (is_ours and raised or isinstance(error, SystemExit)):
        return "raised by somebody else"
    if not any(name in message for name in names):
        return "does not name the argument"
    says = GIVEN.search(message) or any(text and text in message for text in _given(value))
    if not isinstance(value, Case) and not says:
        return "does not say what was given"
    return "" if WAY_OUT.search(message) else "does not say what is possible"


def _given(value: object) -> list[str]:
    """Texts of which one says what was given."""
    texts = [repr(value)[:25], str(value)[:25], type(value).__name__]
    if isinstance(value, (np.ndarray, Tensor)):
        texts += [str(value.item())[:8]] if not value.ndim else []
        texts += [str(tuple(value.shape)), f"{len(value)} " if value.ndim else "", str(value.dtype)[-7:]]
    elif isinstance(value, (list, tuple, dict)):
        texts += [f"{len(value)} given", f"{len(value)} ", "none", *(repr(entry)[:12] for entry in value)]
    elif value in ("", None):
        texts += ["empty", "none given"]
    elif isinstance(value, type):
        texts += [value.__name__]
    elif isinstance(value, str):
        texts += [f"{len(value)} characters", ascii(value)[1:20], *(word for word in value.split() if len(word) > 2)]
    return texts
