"""The lab: two versions from one source, a sheet with points, tasks that are checked, and cells that run."""

import re
from copy import deepcopy
from dataclasses import replace

import pytest
import torch
from lessons_for_tests import small_copy

from tools import badges, cells, notebooks
from tools.teaching import __main__ as teaching
from tools.teaching import versions
from xattn_helpers import check
from xattn_helpers.backbones.catalogue import CHECKPOINTS
from xattn_helpers.studies.real_size import lessons

LAB = "lab/lab"
CALL = re.compile(r"^check\.(\w+)\((\w+)\)$", re.MULTILINE)
MINUTES = re.compile(r"^## .*?(\d+) minutes", re.MULTILINE)
SMALL = {"frames": 5, "height": 64, "width": 64, "steps": 2}
LONGEST_CELL, LARGEST = 15, 500_000  # lines that are read; bytes of a stored version


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def is_folded(cell):
    return cell.metadata.get("jupyter", {}).get("source_hidden", False)


def exercises():
    """(stub, solution) of each task with a check."""
    stub, pairs = None, []
    for cell in code_cells(versions.teacher()):
        if CALL.search(cell.source):
            if versions.TAG in notebooks.tags(cell):
                pairs.append((stub, cell))
            else:
                stub = cell
    return pairs


def verdict(code):
    *lines, last = code.strip().splitlines()
    names = {"torch": torch, "check": check}
    exec("\n".join(lines), names)
    return eval(last, names)


# Two versions from one source


def without_outputs(notebook):
    """A copy as it was before it was executed."""
    notebook = deepcopy(notebook)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    return notebook


def test_what_is_stored_is_what_the_source_makes():
    """After a change, `python -m tools.teaching --run` must have been run."""
    assert without_outputs(versions.stored(versions.TEACHER)) == without_outputs(versions.teacher())
    assert versions.stored(versions.STUDENT) == versions.student()
    assert versions.SHEET.read_text(encoding="utf-8") == versions.sheet()


def test_the_student_gets_the_source_without_solutions_and_answers():
    source, student = versions.read(), versions.student()
    kept = [cell for cell in source.cells if "teacher" not in cell.metadata.get("tags", [])]
    assert len(source.cells) - len(kept) >= 12
    links = badges.notebook_links(badges.current(), "lab/student")
    wanted = [cell.source.replace("<!-- badges -->", links) for cell in kept]
    assert [cell.source for cell in student.cells] == wanted
    text = "\n".join(cell.source for cell in student.cells)
    assert "Solution" not in text and "**Points.**" not in text and "**Answer.**" not in text
    for _, solution in exercises():
        body = solution.source.partition(":\n")[2].partition("\n\n")[0]
        assert body and body not in text
    assert not any(cell.outputs or cell.execution_count for cell in code_cells(student))


def test_the_teacher_sees_what_comes_out():
    stored = versions.stored(versions.TEACHER)
    for cell in code_cells(stored):
        assert cell.execution_count, f"never executed: {cell.source[:60]}"
        assert not [output for output in cell.outputs if output.output_type == "error"], cell.source[:60]
    assert stored == notebooks.tidy(stored) and versions.TEACHER.stat().st_size < LARGEST


def test_outputs_of_cells_that_did_not_change_stay():
    executed, changed = versions.teacher(), versions.teacher()
    for number, cell in enumerate(code_cells(executed)):
        cell.execution_count = number + 1
    code_cells(changed)[2].source += "\nanother = 1"
    teaching.adopt(changed, executed)
    counts = [cell.execution_count for cell in code_cells(changed)]
    assert counts[:4] == [1, 2, None, 4] and counts[3:] == list(range(4, len(counts) + 1))


# Time, points and tasks


def test_ninety_minutes_and_a_hundred_points():
    tasks = versions.tasks()
    assert [task.number for task in tasks] == list(range(1, 7)) and sum(task.points for task in tasks) == 100
    text = "\n".join(cell.source for cell in versions.read().cells if cell.cell_type == "markdown")
    assert sum(map(int, MINUTES.findall(text))) == 90
    assert {task.level for task in tasks} == {"●", "●●", "●●●"}
    for task in tasks:
        worth = [int(number) for number in re.findall(r"\b(\d+) (?:for|if)\b", task.criteria)]
        assert task.points in (worth[0], sum(worth), worth[0] + sum(worth[-2:])), task.criteria


def test_a_task_without_points_is_told(tmp_path):
    text = versions.SOURCE.read_text(encoding="utf-8").replace("**Points.** 15 if the check", "15 if the check")
    (tmp_path / "lab.py").write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match="task 2 does not say what gives points"):
        versions.tasks(tmp_path / "lab.py")


def test_stubs_are_empty_and_solutions_right():
    pairs = exercises()
    assert len(pairs) == 4
    for stub, solution in pairs:
        assert "...  # your code" in stub.source and "returns nothing yet" in verdict(stub.source).message
        assert is_folded(solution) and verdict(solution.source).right, verdict(solution.source)
        assert CALL.findall(stub.source) == CALL.findall(solution.source)


def test_what_is_read_is_short():
    for cell in code_cells(versions.student()):
        if not is_folded(cell) and badges.TAG not in notebooks.tags(cell):
            assert len([line for line in cell.source.splitlines() if line.strip()]) <= LONGEST_CELL, cell.source


# Running it


@pytest.fixture
def small(monkeypatch, tmp_path):
    """The lab's model makes short clips in few steps, and what is handed in stays in a folder of the test."""
    monkeypatch.setitem(CHECKPOINTS, "pocket-dit", replace(CHECKPOINTS["pocket-dit"], **SMALL))
    monkeypatch.chdir(tmp_path)


def few_steps(code):
    return code.replace("steps=8", "steps=2")


def test_every_cell_runs_with_the_solutions(small, tmp_path):
    outcome = lessons.run([replace(cell, code=few_steps(cell.code)) for cell in lessons.cells(LAB)])
    assert not outcome.failures, "\n".join(str(failure) for failure in outcome.failures)
    assert "anonymous: burger, mIoU" in outcome.said and "Your map of “burger” is that" in outcome.said
    assert len(list((tmp_path / "gallery").iterdir())) == 1


def test_every_cell_runs_where_a_student_has_written_nothing(small, tmp_path):
    ran = [lessons.Cell("", few_steps(cell.source)) for cell in code_cells(versions.student())]
    outcome = lessons.run(ran)
    assert not outcome.failures, "\n".join(str(failure) for failure in outcome.failures)
    assert outcome.said.count("returns nothing yet") == 4 and "Press Run above first" in outcome.said
    assert not (tmp_path / "gallery").exists()


# Its address and its page


def test_badges_reach_the_lab(tmp_path):
    small_copy(tmp_path)
    folder = tmp_path / "notebooks" / "lab"
    folder.mkdir()
    notebooks.write(versions.student(), folder / "student.ipynb")
    badges.stamp("ann/fork", tmp_path)
    address = badges.Address("ann/fork")
    assert versions.stored(folder / "student.ipynb") == versions.student(address)
    assert "blob/main/notebooks/lab/student.ipynb" in versions.student(address).cells[0].source


def test_solutions_are_folded_on_the_page():
    body = cells.body(versions.teacher(), with_links=False, folder=versions.FOLDER)
    for number in (2, 3, 4, 5):
        assert f'<details class="folded"><summary>Solution of task {number}</summary>' in body
    assert body.count("<details") == body.count("</details>") and body.count("data:image/svg+xml") == 3
