"""What the lab costs on the CPU: study `lab_cost`, its cells run in a fresh process, and an idle server of JupyterLab.

A processor that others use, too, makes a cell take longer, and hardly makes it work more: seconds of work are what a
class on one computer is planned with.
"""

import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

from ..display.tables import table_text
from .code import digest
from .real_size.lessons import split
from .rows import Case, Row, select
from .study import Study

SOURCE = Path(__file__).parents[2] / "notebooks" / "lab" / "lab.py"
HEADING = re.compile(r"^# ## (.*?)(?: ●+.*|:.*)?$", re.MULTILINE)
STUDENTS, MINUTES = 30, 90
CORES = (8, 16, 32)
CROWDED = 1.3  # times its work that a cell takes on a machine that others use, too
STATUS = Path("/proc")  # where Linux tells how much memory a process had at most
SERVER_SECONDS = 60.0  # in which a server has begun


@dataclass(frozen=True)
class Part:
    """The cells between two headings."""

    title: str
    cells: tuple[str, ...]


def parts(source: str) -> list[Part]:
    """The lab as its headed parts, with the code of their cells; those without code are left out."""
    title, cells = "", {}
    for cell in split(source):
        if cell.is_code:
            cells.setdefault(title, []).append(cell.code)
        else:
            title = (HEADING.findall(cell.code) or [title])[-1]
    return [Part(title, tuple(codes)) for title, codes in cells.items()]


class LabCost(Study):
    """How many seconds of work, and how much memory, does a student's notebook need in the lab?"""

    where, threads, batch = "cpu", 1, 100
    parallel = False

    def cases(self) -> list[Case]:
        """The parts of the lab, and the server."""
        lab: list[Case] = [
            {"model": "pocket-dit", "setting": "lab", "part": part.title} for part in parts(lab_source())
        ]
        return [*lab, {"model": "pocket-dit", "setting": "server", "part": "JupyterLab"}]

    def smoke_cases(self) -> list[Case]:
        """The start of the lab."""
        return self.cases()[:1]

    def depends(self, case: Case) -> object:
        """The cells of the lab."""
        return digest([part.cells for part in parts(lab_source())]) if case["setting"] == "lab" else None

    def unable(self) -> str:
        """Why the study cannot run here, or nothing."""
        return super().unable() or ("" if STATUS.is_dir() else "this study reads /proc, which Linux has")

    def measure(self, cases: Sequence[Case]) -> list[Row]:
        """Seconds, seconds of work, those of the slowest cell, and the peak of memory until the end of each part."""
        if cases[0]["setting"] == "server":
            return [{"peak GiB": server_memory()}]
        wanted = [case["part"] for case in cases]
        lab = [part for part in parts(lab_source()) if part.title in wanted]
        with tempfile.TemporaryDirectory() as folder, ProcessPoolExecutor(1, get_context("spawn")) as pool:
            return pool.submit(run, lab, folder, self.threads or 1).result()

    def summary(self, rows: Sequence[Row]) -> dict:
        """The parts, and what the whole needs."""
        table: dict = {"parts": {}}
        lab = select(rows, "setting", "lab")
        for row in lab:
            names = ("seconds", "work seconds", "slowest cell, work seconds", "peak GiB")
            table["parts"][row["part"]] = {name: row[name] for name in names}
        table["work seconds"] = sum(row["work seconds"] for row in lab)
        table["seconds"] = sum(row["seconds"] for row in lab)
        table["slowest cell, work seconds"] = max(row["slowest cell, work seconds"] for row in lab)
        table["kernel GiB"] = max(row["peak GiB"] for row in lab)
        for row in select(rows, "setting", "server"):
            table["server GiB"] = row["peak GiB"]
        return table

    def markdown(self, table: dict) -> str:
        """The parts as a table, and what follows for a class."""
        rows = []
        for title, part in table["parts"].items():
            slowest = part["slowest cell, work seconds"]
            rows.append([title, f"{part['work seconds']:.0f} s", f"{slowest:.0f} s", f"{part['peak GiB']:.2f} GiB"])
        rows.append([
            "together", f"{table['work seconds']:.0f} s", f"{table['slowest cell, work seconds']:.0f} s",
            f"{table['kernel GiB']:.2f} GiB",
        ])  # fmt: skip
        header = ["part of the lab", "work of one core", "its slowest cell", "peak of memory until then"]
        return f"{table_text(header, rows)}\n\n{for_a_class(table)}"


def for_a_class(table: dict) -> str:
    """What the numbers of one notebook mean for thirty, in words."""
    kernel, server = table["kernel GiB"], table.get("server GiB", 0.0)
    waits = [f"{STUDENTS * table['slowest cell, work seconds'] / count / 60:.1f} min on {count}" for count in CORES]
    cores = STUDENTS * table["work seconds"] / (60 * MINUTES)
    work = table["work seconds"]
    slow = table["seconds"] / work
    crowd = f" The cells took {slow:.1f} times as long: others used the processors, too." if slow > CROWDED else ""
    return (
        f"A student's kernel has at most {kernel:.2f} GiB, and the server of JupyterLab beside it {server:.2f} GiB: "
        f"{STUDENTS} students need {STUDENTS * (kernel + server):.0f} GiB of memory if nothing is shared.{crowd}\n\n"
        f"All their work, {STUDENTS} × {work:.0f} s, is that of {cores:.1f} cores over {MINUTES} minutes. What is "
        "felt is when all press Run at the same time: until the slowest cell is done for everybody it takes "
        f"{', '.join(waits)} cores, if all of them are kept busy. These waits are computed."
    )


def run(lab: Sequence[Part], folder: str, threads: int) -> list[Row]:
    """Run parts one after the other in this process, in a folder; raises RuntimeError for a cell that fails."""
    import torch
    from IPython.core.interactiveshell import InteractiveShell
    from matplotlib import pyplot as plt

    plt.switch_backend("agg")
    shell, rows = InteractiveShell.instance(), []
    shell.run_cell(f"%cd -q {folder}")
    torch.set_num_threads(threads)
    for part in lab:
        begin, spent = time.perf_counter(), list(_work(shell, part))
        took = {"seconds": time.perf_counter() - begin, "work seconds": sum(spent)}
        rows.append(took | {"slowest cell, work seconds": max(spent), "peak GiB": peak_memory("self")})
    return rows


def _work(shell, part: Part) -> Iterator[float]:
    """Seconds of work of each cell of a part."""
    for code in part.cells:
        begin = time.process_time()
        result = shell.run_cell(code, silent=False)
        error = result.error_before_exec or result.error_in_exec
        if error is not None:
            raise RuntimeError(f"{part.title}, cell {code.strip().splitlines()[0]!r}: {type(error).__name__}: {error}")
        yield time.process_time() - begin


def peak_memory(process: int | str) -> float:
    """GiB of memory that a process has had at most: its own, whatever its parent had."""
    text = (STATUS / str(process) / "status").read_text(encoding="utf-8")
    kilobytes = int(next(line.split()[1] for line in text.splitlines() if line.startswith("VmHWM:")))
    return kilobytes / 2**20


def server_memory() -> float:
    """GiB of a server of JupyterLab that nobody uses yet. Raises RuntimeError for one that does not begin."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--port=0", "--port-retries=0"]
        server = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        try:
            assert server.stderr is not None
            for line in server.stderr:
                if "is running at" in line:
                    time.sleep(5)  # its extensions load
                    return peak_memory(server.pid)
            raise RuntimeError("the server of JupyterLab did not begin")
        finally:
            server.terminate()
            server.wait(SERVER_SECONDS)


def lab_source() -> str:
    """The lab; empty where the package was installed without it."""
    return SOURCE.read_text(encoding="utf-8") if SOURCE.exists() else ""
