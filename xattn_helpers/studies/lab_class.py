"""What a class costs that works on one computer: study `lab_class`, the lab run by thirty kernels at once.

Each kernel is a process of its own with one thread, and runs all cells of the lab, one after the other and without a
pause: a class that reads and writes between them works less at a time.
"""

import os
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from .code import digest
from .lab_cost import STATUS, STUDENTS, LabCost, Part, lab_source, parts, run
from .rows import Case, Row, column

NEEDED = 40.0  # GiB of free memory, with which thirty kernels fit in any case
GLANCE = 1.0  # seconds between two looks at the memory


class LabClass(LabCost):
    """How long do thirty students wait, and how much memory do they need, who run the lab at the same time?"""

    def cases(self) -> list[Case]:
        """One for each kernel."""
        return [{"model": "pocket-dit", "setting": "class", "student": student} for student in range(STUDENTS)]

    def smoke_cases(self) -> list[Case]:
        """Two kernels."""
        return self.cases()[:2]

    def depends(self, case: Case) -> object:
        """The cells of the lab."""
        return digest([part.cells for part in self.parts()])

    def parts(self) -> list[Part]:
        """The whole lab; in a smoke run its start."""
        return parts(lab_source())[: 1 if self.smoke else None]

    def unable(self) -> str:
        """Why the study cannot run here, or nothing."""
        wrong = super().unable()
        if wrong or self.smoke:
            return wrong
        left = free_memory()
        return "" if left >= NEEDED else f"this study needs {NEEDED:.0f} GiB of memory; {left:.0f} are free"

    def measure(self, cases: Sequence[Case]) -> list[Row]:
        """All kernels at once: seconds of the whole lab and of the slowest part, and the memory of all together."""
        cores = len(os.sched_getaffinity(0))
        waits, memory = at_once(self.parts(), len(cases), self.threads or 1)
        return [wait | {"cores": cores, "GiB together": memory} for wait in waits]

    def summary(self, rows: Sequence[Row]) -> dict:
        """What the slowest of the class waits for."""
        table = {"students": len(rows), "cores": rows[0]["cores"], "GiB together": rows[0]["GiB together"]}
        return table | {name: max(column(rows, name)) for name in ("seconds", "slowest part, seconds")}

    def markdown(self, table: dict) -> str:
        """The same in words."""
        kernel = table["GiB together"] / table["students"]
        return (
            f"Measured as well: {table['students']} kernels at once on {table['cores']} cores. All of them have run "
            f"the whole lab, one cell after the other without a pause, after {table['seconds'] / 60:.1f} minutes. "
            f"Nobody waits longer than {table['slowest part, seconds']:.0f} s for the cells of one task. Together they "
            f"take {table['GiB together']:.0f} GiB, {kernel:.2f} a student, without the server."
        )


def kernels(count: int) -> Executor:
    """Processes that share nothing but files."""
    return ProcessPoolExecutor(count, get_context("spawn"))


def at_once(
    lab: Sequence[Part], students: int, threads: int, pools: Callable[[int], Executor] = kernels
) -> tuple[list[Row], float]:
    """A row for each of so many kernels that begin together, and the GiB of memory that they take at most, together."""
    with tempfile.TemporaryDirectory() as folder, Memory() as memory, pools(students) as pool:
        runs = []
        for student in range(students):
            desk = Path(folder, str(student))
            desk.mkdir()
            runs.append(pool.submit(timed, lab, str(desk), threads))
        rows = [waiting.result() for waiting in runs]
    return rows, memory.peak


def timed(lab: Sequence[Part], folder: str, threads: int) -> Row:
    """Seconds that the whole lab takes in this process, and its slowest part."""
    begin = time.perf_counter()
    spent = [float(row["seconds"]) for row in run(lab, folder, threads)]
    return {"seconds": time.perf_counter() - begin, "slowest part, seconds": max(spent)}


class Memory:
    """Inside, looks at the free memory of the computer; `peak` is by how many GiB it fell."""

    def __init__(self):
        self.peak = 0.0
        self._ended = threading.Event()
        self._watcher = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> "Memory":
        self._before = free_memory()
        self._watcher.start()
        return self

    def __exit__(self, *error) -> None:
        self._ended.set()
        self._watcher.join()

    def _watch(self) -> None:
        while not self._ended.wait(GLANCE):
            self.peak = max(self.peak, self._before - free_memory())


def free_memory() -> float:
    """GiB that programs can still have, of the whole computer."""
    text = (STATUS / "meminfo").read_text(encoding="utf-8")
    kilobytes = int(next(line.split()[1] for line in text.splitlines() if line.startswith("MemAvailable:")))
    return kilobytes / 2**20
