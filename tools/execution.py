"""Runs notebooks cell by cell, with one progress bar, and says clearly where one of them fails."""

import os
import time
from pathlib import Path

from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbconvert.filters import strip_ansi
from nbformat import NotebookNode
from tqdm import tqdm

QUIET = {"TQDM_DISABLE": "1"}  # a progress bar is for who waits for it, not for a stored output
CELL_TIMEOUT = 600  # seconds: a cell that takes longer hangs
FAILURES = (CellExecutionError, CellTimeoutError, DeadKernelError)


class NotebookFailed(Exception):
    """A cell raised, took too long, or lost its kernel: the message names notebook and cell."""


def count(notebook: NotebookNode) -> int:
    """How many cells run."""
    return sum(_runs(cell) for cell in notebook.cells)


def execute(notebook: NotebookNode, source: Path, progress: tqdm) -> float:
    """Runs a notebook in its folder and fills in its outputs; returns the seconds it took.

    Raises NotebookFailed at the first cell that fails.
    """
    at = {"index": 0}  # the cell that runs now

    def starts(cell: NotebookNode, cell_index: int) -> None:
        at["index"] = cell_index
        progress.set_postfix_str(f"{source.stem}: {_first_line(cell)}")

    def ends(cell: NotebookNode, cell_index: int, **reply: object) -> None:
        progress.update()

    client = NotebookClient(
        notebook, timeout=CELL_TIMEOUT, kernel_name="python3", resources={"metadata": {"path": str(source.parent)}},
        record_timing=False, store_widget_state=False, coalesce_streams=True,
        on_cell_execute=starts, on_cell_executed=ends,
        extra_arguments=["--IPKernelApp.log_level=ERROR"],  # else a warning from each kernel breaks the progress bar
    )
    begin = time.perf_counter()
    try:
        client.execute(env=os.environ | QUIET)
    except FAILURES as error:
        raise NotebookFailed(_report(notebook, source, at["index"], error)) from error
    return time.perf_counter() - begin


def _runs(cell: NotebookNode) -> bool:
    return cell.cell_type == "code" and bool(cell.source.strip())


def _first_line(cell: NotebookNode) -> str:
    return cell.source.strip().splitlines()[0][:40]


def _report(notebook: NotebookNode, source: Path, index: int, error: Exception) -> str:
    """Where it failed, and nbclient's message, which has the code of the cell and the traceback."""
    cell = notebook.cells[index]
    where = f"{source.name}, cell {index + 1} of {len(notebook.cells)} ({_first_line(cell)}), failed:"
    return f"{where}\n{strip_ansi(str(error))}"
