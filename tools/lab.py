"""Copies the lessons into my_notebooks/, for `make lab`: run and changed there, the lessons stay as they are.

Copies have no outputs: what a cell gives is seen after the guess that comes before it, and a cell without a number has
not run yet. A copy that nobody edited follows its lesson. One whose cells were edited stays, and is named where its
lesson is newer.
"""

import shutil
from hashlib import sha256
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from tools import notebooks
from tools.teaching import versions

COPIES = notebooks.ROOT / "my_notebooks"  # beside notebooks/, so that links to pictures and files lead on
KEY = "copied_from"  # in the metadata of a copy: what its lesson was


def copy(lesson: Path, folder: Path = COPIES) -> str:
    """Copies a lesson, without outputs, unless the copy is edited; returns a sentence where the lesson is newer."""
    notebook = nbformat.read(lesson, as_version=4)
    version, target = _version(notebook), folder / lesson.name
    if target.exists():
        own = nbformat.read(target, as_version=4)
        origin = own.metadata.get(KEY, "")
        if origin == version:
            return ""
        if _version(own) != origin:
            return f"{target.name} in {folder.name}/ has your changes and stays; the lesson is newer."
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    notebook.metadata[KEY] = version
    folder.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, target)
    return ""


def _version(notebook: NotebookNode) -> str:
    """Of what its cells say, whatever they gave."""
    return sha256("\0".join(cell.source for cell in notebook.cells).encode()).hexdigest()[:16]


def main() -> None:
    """Copies all lessons, their drawings, and the lab as students get it."""
    shutil.copytree(notebooks.FOLDER / "diagrams", COPIES / "diagrams", dirs_exist_ok=True)
    lessons = [(notebooks.pair(source), COPIES) for source in notebooks.sources()]
    for lesson, folder in [*lessons, (versions.STUDENT, COPIES / "lab")]:
        if lesson.exists():
            said = copy(lesson, folder)
            if said:
                print(said)


if __name__ == "__main__":
    main()
