"""The student's and the teacher's version of the lab, and its sheet with points, from one source.

The source is notebooks/lab/lab.py, in py:percent. A cell with the tag "teacher" is a solution, an answer or what it is
worth in points; the student's version is the source without these cells.
"""

import re
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from tools import badges, notebooks
from xattn_helpers.display.tables import table_text

FOLDER = notebooks.FOLDER / "lab"
SOURCE = FOLDER / "lab.py"
STUDENT, TEACHER = FOLDER / "student.ipynb", FOLDER / "teacher.ipynb"
SHEET = FOLDER / "points.md"
TAG = "teacher"  # of a cell that students do not get
TASK = re.compile(r"^## Task (\d) (●{1,3}) (\d+) minutes, (\d+) points: (.*)$", re.MULTILINE)
POINTS = re.compile(r"^> \*\*Points\.\*\* (.*?)(?=^>\s*$|\Z)", re.MULTILINE | re.DOTALL)
HEAD = """# Sheet with points

Made from the [lab](lab.py). One sheet for each group; what is worth how many points is in the teacher's version, too.

Names: ______________________________________ Date: ______________
"""


@dataclass(frozen=True)
class Task:
    """A task of the lab, with what is worth how many points."""

    number: int
    level: str  # ● to ●●●
    minutes: int
    points: int
    title: str
    criteria: str


def read(source: Path = SOURCE, address: badges.Address | None = None) -> NotebookNode:
    """The source as a notebook, not executed, with the links and the set-up cell of an address."""
    address = address or badges.current()
    notebook = notebooks.read(source)
    for cell in notebook.cells:
        if badges.TAG in notebooks.tags(cell):
            cell.source = badges.colab_cell(address)
    return notebook


def teacher(address: badges.Address | None = None) -> NotebookNode:
    """All of it, not executed."""
    return _linked(read(address=address), TEACHER, address)


def student(address: badges.Address | None = None) -> NotebookNode:
    """What students get: no solutions, no answers, and nothing that was run."""
    notebook = read(address=address)
    notebook.cells = [cell for cell in notebook.cells if TAG not in notebooks.tags(cell)]
    return _linked(notebook, STUDENT, address)


def stored(path: Path) -> NotebookNode:
    """A version as it lies in the folder. Raises FileNotFoundError where there is none."""
    return nbformat.read(path, as_version=4)


def tasks(source: Path = SOURCE) -> list[Task]:
    """The tasks in their order. Raises ValueError for one without a box that says what gives points."""
    known: list[Task] = []
    heading: tuple[str, ...] | None = None
    for cell in notebooks.read(source).cells:
        if cell.cell_type != "markdown":
            continue
        if match := TASK.search(cell.source):
            if heading:
                raise ValueError(f"{source.name}: task {heading[0]} does not say what gives points")
            heading = match.groups()
        if heading and TAG in notebooks.tags(cell) and (points := POINTS.search(cell.source)):
            number, level, minutes, worth, title = heading
            criteria = " ".join(points[1].replace("\n>", " ").split())
            known.append(Task(int(number), level, int(minutes), int(worth), title, criteria))
            heading = None
    return known


def sheet(source: Path = SOURCE) -> str:
    """The sheet with points, as Markdown."""
    rows = []
    known = tasks(source)
    for task in known:
        name = f"{task.number} {task.level} {task.title}"
        rows.append([name, f"{task.minutes} min", task.criteria, f"____ / {task.points}"])
    total = sum(task.points for task in known)
    rows.append(["together", f"{sum(task.minutes for task in known)} min", "", f"____ / {total}"])
    table = table_text(["task", "time", "what gives points", "points"], rows)
    return f"{HEAD}\n{table}\n\nWhat the group did well, and what to look at again:\n"


def _linked(notebook: NotebookNode, path: Path, address: badges.Address | None) -> NotebookNode:
    """The notebook with the links to itself on Colab and Binder."""
    links = badges.notebook_links(address or badges.current(), f"{FOLDER.name}/{path.stem}")
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = badges.LINKS.sub(links, cell.source)
    return notebooks.tidy(notebook)
