"""A study is a question about the models whose answer takes too long for a lesson: cases, a way to measure, a table.

A study is a class in a module of this package, or in a folder of it; the module's name is the study's name, and being
there registers it. `python -m xattn_helpers.studies NAME` measures its cases, keeps every row at once, and stores the
table that `summary` makes of the rows (see `running.py` and `store.py`).
"""

from collections.abc import Hashable, Sequence
from functools import cached_property
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import ClassVar, Literal

import torch

from ..backbones.model import Model
from . import models
from .code import digest, reached
from .provenance import Source, source_now
from .rows import Case, Row
from .tables import lines

PACKAGE = __name__.rpartition(".")[0]
SMOKE_STEPS = 2  # denoising steps of a video in a smoke run
COMMANDS: dict[str, type["Command"]] = {}  # by name, those whose module has been imported


class Command:
    """Something that `python -m xattn_helpers.studies NAME` does. With smoke=True it takes seconds, on the CPU."""

    name: ClassVar[str] = ""  # by default the module's
    compared: ClassVar[tuple[str, ...]] = ()  # the models that it is about, where it leaves out those without weights

    def __init__(self, smoke: bool = False):
        self.smoke = smoke
        self.only: tuple[str, ...] = ()  # the settings to measure, if not all

    def __init_subclass__(cls, abstract: bool = False, **options) -> None:
        """Register the command under its name, unless it is abstract or not of this package."""
        super().__init_subclass__(**options)
        package, _, module = cls.__module__.partition(f"{PACKAGE}.")
        if module and not package and not abstract:
            cls.name = vars(cls).get("name") or module.split(".")[0]  # and not that of a study that it extends
            COMMANDS[cls.name] = cls

    @property
    def present(self) -> list[str]:
        """The compared models whose weights are there."""
        return models.present(self.compared)

    @property
    def steps(self) -> int | None:
        """Denoising steps to pass to `generate`: the model's own number, few in a smoke run."""
        return SMOKE_STEPS if self.smoke else None


class Report(Command, abstract=True):
    """Pictures or texts that are made from stored tables and from single videos; nothing in it is a measurement."""

    def write(self, folder: Path | None = None) -> list[Path]:
        """Write the files where they belong, or into a folder, and return their names."""
        raise NotImplementedError


class Study(Command, abstract=True):
    """A measurement. A subclass has `cases`, `measure` and `summary`, and what else differs from what stands here."""

    where: ClassVar[Literal["any", "cpu", "cuda"]] = "any"  # "any": a GPU where there is one
    parallel: ClassVar[bool] = True  # False: one process measures alone, so that times are not those of a crowd
    batch: ClassVar[int] = 1  # how many cases of a group are measured together
    batch_on_gpu: ClassVar[int | None] = None  # likewise on a GPU; None for the same number
    precision: str = "float32"  # of the network
    threads: ClassVar[int | None] = None  # of the CPU, in a study of times; None: as many as torch takes
    draws: ClassVar[bool] = False  # whether cases are drawn from what is stored: others after every new table
    detects: ClassVar[bool] = True  # whether rows depend on the weights of the pocket detector, too

    def cases(self) -> Sequence[Case]:
        """Every case, in the order of the table: flat dictionaries of plain values."""
        raise NotImplementedError

    def measure(self, cases: Sequence[Case]) -> Sequence[Row]:
        """What is measured of some cases of one group, in their order: flat dictionaries of plain values."""
        raise NotImplementedError

    def summary(self, rows: Sequence[Row]) -> dict:
        """The table, from rows as they are stored: nested dictionaries of `Estimate`s, numbers, texts and lists."""
        raise NotImplementedError

    def group(self, case: Case) -> Hashable:
        """Cases of a group may be measured together, and `--limit` takes the first so many of each."""
        return case.get("model"), case.get("kind"), case.get("setting")

    def models(self, case: Case) -> tuple[str, ...]:
        """The models whose weights a row depends on."""
        return (str(case.get("model", "pocket")),)

    def depends(self, case: Case) -> object:
        """What else a row depends on: the knobs of a setting, the defaults of an edit, anything with a plain repr."""
        return None

    def smoke_cases(self) -> list[Case]:
        """The cases of a smoke run: the first of each group."""
        return first_of_each(self.cases(), self.group, 1)

    def model(self, name: str) -> Model:
        """A model on the study's device in its precision, loaded once."""
        return models.model(name, self.device, self.precision)

    @property
    def device(self) -> str:
        """Where the study measures: "cpu" or "cuda"."""
        wanted = self.where != "cpu" and not self.smoke
        return "cuda" if wanted and torch.cuda.is_available() else "cpu"

    @property
    def at_once(self) -> int:
        """How many cases of a group are measured together on this device."""
        return (self.batch_on_gpu or self.batch) if self.device == "cuda" else self.batch

    def key(self, case: Case) -> str:
        """What the row of a case depends on, as 12 hexadecimal digits.

        They change with the weights of its models and of the detector, the noise schedule, the precision, the number
        of steps of a smoke run, what `depends` says (knobs and defaults), and the code that measures: `measure`, and
        all functions, classes and constants of studies/ and measures/ that it uses, without comments and docstrings.
        They do not change with `summary`, nor with sampling, attention and edits: of these the row's commit tells.
        """
        return digest(self.code, self.weights(case), self.precision, self.steps, self.depends(case))

    @cached_property
    def code(self) -> dict[str, str]:
        """The source of what measures a row, by name."""
        return reached(self.measure)

    def weights(self, case: Case) -> dict[str, str]:
        """Digests of the weights that the row of a case depends on, by the name of the model."""
        weights = {name: models.weights_of(name, self.device, self.precision) for name in self.models(case)}
        return weights | ({"detector": models.weights_of_detector()} if self.detects else {})

    def source(self, case: Case) -> Source:
        """Where a row of the case comes from when it is measured now."""
        return source_now(self.device, self.precision, self.weights(case), self.threads)

    def unable(self) -> str:
        """Why the study cannot run here, or nothing."""
        missing = self.where == "cuda" and not self.smoke and not torch.cuda.is_available()
        return "this study needs a CUDA GPU (--smoke shows on the CPU that it runs)" if missing else ""

    def chosen(self, limit: int | None = None) -> list[Case]:
        """The cases of a run: all, at most `limit` of each group, or those of a smoke run; of `only` some settings.

        Raises ValueError for a setting that the study does not have.
        """
        cases = self.smoke_cases() if self.smoke else self.cases()
        if self.only:
            cases = of_settings(cases, self.only)
        return list(cases) if limit is None else first_of_each(cases, self.group, limit)

    def show(self, table: dict) -> None:
        """Print the table, a line for each figure."""
        for line in lines(table):
            print(line)

    def markdown(self, table: dict) -> str:
        """The table as README and the model card show it."""
        raise NotImplementedError


def first_of_each(cases: Sequence[Case], group, limit: int) -> list[Case]:
    """The first `limit` cases of each group, in their order."""
    counts: dict[Hashable, int] = {}
    chosen = []
    for case in cases:
        label = group(case)
        counts[label] = counts.get(label, 0) + 1
        if counts[label] <= limit:
            chosen.append(case)
    return chosen


def of_settings(cases: Sequence[Case], settings: Sequence[str]) -> list[Case]:
    """The cases of some settings; raises ValueError for a setting that no case has."""
    possible = list(dict.fromkeys(str(case["setting"]) for case in cases if "setting" in case))
    for setting in settings:
        if setting not in possible:
            raise ValueError(f"settings: {setting!r} given; possible are {', '.join(map(repr, possible)) or 'none'}")
    return [case for case in cases if case.get("setting") in settings]


def find(name: str) -> type[Command]:
    """The study or report of a name; raises ValueError for an unknown one, with the names that there are."""
    if name in modules():
        import_module(f"{PACKAGE}.{name}")
    if name not in COMMANDS:
        raise ValueError(f"no study {name!r}; there are {', '.join(names())}")
    return COMMANDS[name]


def names() -> list[str]:
    """The names of all studies and reports."""
    for module in modules():
        import_module(f"{PACKAGE}.{module}")
    return sorted(COMMANDS)


def modules() -> list[str]:
    """Modules and folders of this package in which a study may be."""
    folder = Path(__file__).parent
    return [module.name for module in iter_modules([str(folder)]) if not module.name.startswith("_")]
