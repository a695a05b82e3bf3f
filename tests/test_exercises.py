"""Exercises: each has a level, minutes, a stub, a hint, and a folded solution that its check calls right."""

import re

import pytest
import torch
from einops import rearrange
from torch.nn import functional as F

from tools import cells as page_cells
from tools import notebooks
from xattn_helpers import check

HEADING = re.compile(r"^### Exercise (\d) (●{1,3}) (\d+) minutes: ", re.MULTILINE)
SOLUTION = re.compile(r"# Solution of exercise (\d)\n")
HINT = "<details><summary>Hint</summary>"
CALL = re.compile(r"^check\.(\w+)\(", re.MULTILINE)
LESSONS = [source for source in notebooks.sources() if CALL.search(source.read_text(encoding="utf-8"))]
each = pytest.mark.parametrize("source", LESSONS, ids=lambda source: source.stem)


def exercises(source):
    """For each exercise the cells from its heading on: heading, stub, hint, solution."""
    cells = notebooks.read(source).cells
    starts = [number for number, cell in enumerate(cells) if HEADING.search(cell.source)]
    return [cells[start : start + 4] for start in starts]


def verdict(code):
    """What the check says that stands in the last line of a cell."""
    lines = code.strip().splitlines()
    names = {"torch": torch, "rearrange": rearrange, "F": F, "check": check}
    exec("\n".join(lines[:-1]), names)
    return eval(lines[-1], names)


def test_there_are_exercises_with_checks():
    assert [source.stem[:2] for source in LESSONS] == ["00", "01", "02", "03", "04", "05", "06", "07", "08"]


@each
def test_exercises_are_numbered_and_graded(source):
    marks = [HEADING.findall(heading.source)[-1] for heading, *_ in exercises(source)]
    assert [int(number) for number, _, _ in marks] == list(range(1, len(marks) + 1)) and 4 <= len(marks) <= 6
    assert {level for _, level, _ in marks} == {"●", "●●", "●●●"}


@each
def test_a_stub_is_told_to_be_empty_and_the_folded_solution_to_be_right(source):
    for number, (_, stub, hint, solution) in enumerate(exercises(source), 1):
        assert "...  # your code" in stub.source and "returns nothing yet" in verdict(stub.source).message
        assert hint.source.startswith(HINT) and hint.source.rstrip().endswith("</details>")
        assert solution.metadata["jupyter"] == {"source_hidden": True}
        assert SOLUTION.match(solution.source) and SOLUTION.findall(solution.source) == [str(number)]
        assert verdict(solution.source).right, verdict(solution.source)


@each
def test_every_check_that_is_called_is_an_exercise(source):
    called = set(CALL.findall(source.read_text(encoding="utf-8")))
    assert called <= set(check.__all__) and len(called) == len(exercises(source))


@each
def test_pages_name_folded_solutions_and_hide_them(source):
    body = page_cells.body(notebooks.read(source), with_links=False)
    for number in range(1, len(exercises(source)) + 1):
        before, _, after = body.partition(f'<details class="folded"><summary>Solution of exercise {number}</summary>')
        assert after and after.index("</details>") < after.index('<div class="text">')
    assert body.count("<details") == body.count("</details>") and "<summary>Code</summary>" in body
