"""Writes what a teacher gets: the lab in two versions, and its sheet with points.

python -m tools.teaching [--run]
    --run  executes the teacher's version, in a minute or more; without it, cells that did not change keep their outputs
"""

import argparse
import sys
import tempfile
from pathlib import Path

from nbformat import NotebookNode
from tqdm import tqdm

from tools import badges, execution, notebooks
from tools.teaching import versions
from tools.teaching.site import PAGE
from xattn_helpers.studies.model_card import fill, section


def write(address: badges.Address | None = None) -> None:
    """The versions and the sheet, from the source; the outputs of cells that did not change stay."""
    notebook = versions.teacher(address)
    if versions.TEACHER.exists():
        adopt(notebook, versions.stored(versions.TEACHER))
    _write(notebook, address)


def run() -> None:
    """The same with an executed teacher's version. Raises NotebookFailed for a cell that fails."""
    notebook = versions.teacher()
    with tempfile.TemporaryDirectory() as folder:  # the lab hands in to a folder beside it
        execution.execute(notebook, Path(folder) / versions.SOURCE.name, tqdm(total=execution.count(notebook)))
    _write(notebook, None)


def adopt(notebook: NotebookNode, executed: NotebookNode) -> None:
    """Give cells the outputs that the same code has in an executed notebook, the first of each to the first."""
    results: dict[str, list[NotebookNode]] = {}
    for cell in executed.cells:
        if cell.cell_type == "code":
            results.setdefault(cell.source, []).append(cell)
    for cell in notebook.cells:
        if cell.cell_type == "code" and results.get(cell.source):
            result = results[cell.source].pop(0)
            cell.outputs, cell.execution_count = result.outputs, result.execution_count


def page() -> str:
    """The page on teaching, with what the lab costs a student, and a class, as two studies have measured it."""
    costs = {"lab cost": section("lab_cost"), "lab class": section("lab_class")}
    return fill(PAGE.read_text(encoding="utf-8"), costs, closed=True)


def _write(notebook: NotebookNode, address: badges.Address | None) -> None:
    notebooks.write(notebook, versions.TEACHER)
    notebooks.write(versions.student(address), versions.STUDENT)
    versions.SHEET.write_text(versions.sheet(), encoding="utf-8")
    PAGE.write_text(page(), encoding="utf-8")


def main() -> None:
    """The command line of this module."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", action="store_true")
    try:
        run() if parser.parse_args().run else write()
    except execution.NotebookFailed as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
