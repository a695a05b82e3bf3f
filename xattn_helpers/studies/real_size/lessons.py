"""A lesson as its cells, and running them one after the other, as a notebook does, on other models than its own."""

import gc
import io
import re
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from dataclasses import dataclass
from pathlib import Path

import torch
from IPython.core.interactiveshell import InteractiveShell
from matplotlib import pyplot as plt

FOLDER = Path(__file__).parents[3] / "notebooks"
# The line of a lesson that names its models: of images and videos, or the video transformer alone.
PAIR, TRANSFORMER = re.compile(r"^IMAGE, VIDEO = .*$", re.MULTILINE), re.compile(r"^VIDEO = .*$", re.MULTILINE)
RAISES = "raises-exception"  # the tag of a cell that shows an error on purpose


@dataclass(frozen=True)
class Cell:
    """A cell of a lesson."""

    tags: str  # what stands after its mark
    code: str

    @property
    def is_code(self) -> bool:
        """Whether there is something to run."""
        return not self.tags.startswith("[markdown]") and bool(self.code.strip())

    @property
    def first_line(self) -> str:
        """What tells the reader which cell it is."""
        return self.code.strip().partition("\n")[0][:80]


@dataclass(frozen=True)
class Failure:
    """A cell that raised what its lesson did not want to show."""

    index: int
    cell: str
    error: str


@dataclass(frozen=True)
class Outcome:
    """What became of the cells of a lesson."""

    cells: int
    failures: tuple[Failure, ...]
    seconds: float
    peak: float | None  # GiB that torch had allocated on the GPU; None on a CPU
    slowest: float  # seconds of one cell
    said: str  # what the cells printed


def names() -> list[str]:
    """The lessons in their order; none where the package was installed without them."""
    return [file.stem for file in sorted(FOLDER.glob("[0-9][0-9]_*.py"))]


def about_pairs() -> list[str]:
    """The lessons on an image model and a video model; the others are on video transformers."""
    return [name for name in names() if PAIR.search(_source(name))]


def _source(name: str) -> str:
    return (FOLDER / f"{name}.py").read_text(encoding="utf-8")


def cells(name: str, image: str = "", video: str = "") -> list[Cell]:
    """The code cells of a lesson, with other models if they are named. Raises ValueError for a lesson that names none.

    Without `image`, `video` is for a lesson on video transformers alone. Sources are py:percent: a line that begins
    with `# %%` begins a cell.
    """
    source = _source(name)
    if image or video:
        pattern, line = (PAIR, f"IMAGE, VIDEO = {image!r}, {video!r}") if image else (TRANSFORMER, f"VIDEO = {video!r}")
        source, count = pattern.subn(line, source)
        if count != 1:
            needed = line.partition(" = ")[0]
            raise ValueError(f"lesson {name} names its models in {count} lines; needed is {needed} = …, once")
    return [cell for cell in split(source) if cell.is_code]


def split(source: str) -> list[Cell]:
    """All cells of a source in py:percent."""
    parts = [part.partition("\n") for part in re.split(r"^# %%", source, flags=re.MULTILINE)[1:]]
    return [Cell(mark.strip(), text) for mark, _, text in parts]


def run(lesson: list[Cell]) -> Outcome:
    """Run the cells in one namespace of their own; a cell that fails is noted, and the next one runs."""
    shell, failures, slowest, printed = InteractiveShell.instance(), [], 0.0, io.StringIO()
    start = time.perf_counter()
    with _fresh(shell), redirect_stdout(printed), redirect_stderr(printed):
        for index, cell in enumerate(lesson):
            begin = time.perf_counter()
            result = shell.run_cell(cell.code, store_history=False)
            slowest = max(slowest, time.perf_counter() - begin)
            error = result.error_before_exec or result.error_in_exec
            if error is not None and RAISES not in cell.tags:
                failures.append(Failure(index, cell.first_line, f"{type(error).__name__}: {error}"))
            plt.close("all")
        peak = torch.cuda.max_memory_allocated() / 2**30 if torch.cuda.is_available() else None
    return Outcome(len(lesson), tuple(failures), time.perf_counter() - start, peak, slowest, printed.getvalue())


@contextmanager
def _fresh(shell: InteractiveShell) -> Iterator[None]:
    """An empty namespace, no pictures and an empty GPU, before and after."""
    backend = plt.get_backend()
    plt.switch_backend("agg")
    _forget(shell)
    try:
        yield
    finally:
        _forget(shell)
        plt.switch_backend(backend)


def _forget(shell: InteractiveShell) -> None:
    _close_widgets()
    shell.reset(new_session=False, aggressive=False)
    plt.close("all")
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()


def _close_widgets() -> None:
    """Give up what a lesson has displayed: ipywidgets keeps it until it is closed, and its model with it."""
    loaded = sys.modules.get("ipywidgets")
    for widget in list(loaded.widgets.widget._instances.values()) if loaded else ():
        with suppress(KeyError):  # nobody listens to it any more
            widget.close()
