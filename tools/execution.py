"""Runs notebooks cell by cell, with one progress bar, and says clearly where one of them fails."""

import hashlib
import os
import time
from pathlib import Path

from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbconvert.filters import strip_ansi
from nbformat import NotebookNode
from tqdm import tqdm

QUIET = {"TQDM_DISABLE": "1"}  # a progress bar is for who waits for it, not for a stored output
CELL_TIMEOUT = 600  # seconds: a cell that takes longer hangs, on a machine as fast as the one that WORK was timed on
KERNEL_TIMEOUT = 60  # likewise, for a kernel that does not start
WORK_ROUNDS, WORK_SECONDS = 2_000_000, 0.5  # of `work`, and what they took there
FAILURES = (CellExecutionError, CellTimeoutError, DeadKernelError, RuntimeError)  # the last of a kernel that hangs


class NotebookFailed(Exception):
    """A cell raised, took too long, or lost its kernel: the message names notebook and cell."""


def count(notebook: NotebookNode) -> int:
    """How many cells run."""
    return sum(_runs(cell) for cell in notebook.cells)


def work() -> None:
    """A fixed piece of work, for one processor."""
    hashlib.pbkdf2_hmac("sha256", b"password", b"salt", WORK_ROUNDS)


def slowness() -> float:
    """How many times longer this machine takes for a fixed piece of work, now and in this company; at least 1."""
    begin = time.perf_counter()
    work()
    return max(1.0, (time.perf_counter() - begin) / WORK_SECONDS)


def execute(notebook: NotebookNode, source: Path, progress: tqdm) -> float:
    """Runs a notebook in its folder and fills in its outputs; returns the seconds it took.

    Raises NotebookFailed at the first cell that fails, or takes longer than CELL_TIMEOUT times `slowness`.
    """
    slow = slowness()
    at = {"index": 0}  # the cell that runs now

    def starts(cell: NotebookNode, cell_index: int) -> None:
        at["index"] = cell_index
        progress.set_postfix_str(f"{source.stem}: {_first_line(cell)}")

    def ends(cell: NotebookNode, cell_index: int, **reply: object) -> None:
        progress.update()

    client = NotebookClient(
        notebook, timeout=round(CELL_TIMEOUT * slow), startup_timeout=round(KERNEL_TIMEOUT * slow),
        kernel_name="python3", resources={"metadata": {"path": str(source.parent)}},
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
