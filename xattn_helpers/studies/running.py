"""Run a study: with progress, in any number of processes, and so that an interruption loses nothing.

Every finished row is written at once to a file of its process, `runs/studies/NAME.<process>.jsonl`. A run that is
started again takes from these files what was measured under the same key. `accelerate launch -m xattn_helpers.studies
NAME` divides the cases among processes, one a GPU; all of them return all rows. (`torchrun` does so on CPUs, too.)
"""

import json
import numbers
from collections.abc import Iterator, Sequence
from datetime import timedelta
from itertools import groupby
from math import ceil
from pathlib import Path

import numpy as np
import torch
from accelerate import PartialState
from tqdm.auto import tqdm

from .provenance import commit
from .rows import Case, Row, Value
from .study import Study

WORK = Path("runs/studies")
PATIENCE = timedelta(hours=12)  # how long a process waits for the others, whose videos may take longer
Record = dict  # of a row as it is kept: "key", "source", "case", "measured"


def run(study: Study, limit: int | None = None, again: bool = False) -> list[Record]:
    """Measure all cases of a study that have no finished row, and return the records of all, in the order of cases.

    With `again` nothing finished is used. Raises ValueError if the study does not return one row for each case.
    """
    state = processes()
    folder = folder_of(study)
    folder.mkdir(parents=True, exist_ok=True)
    if again and state.is_main_process:
        for file in files(study):
            file.unlink()
    state.wait_for_everyone()
    cases = study.chosen(limit)
    finished = Finished(study)
    missing = [case for case in cases if finished.record(case) is None]
    if state.is_main_process:
        finished.tell(cases)
    state.wait_for_everyone()  # whoever looks after a row was written would divide a shorter list, and lose cases
    measure(study, mine(study, missing, state), folder / f"{study.name}.{state.process_index}.jsonl", state)
    state.wait_for_everyone()
    finished = Finished(study)
    return [finished.required(case) for case in cases]


def processes() -> PartialState:
    """The processes of this run: the one that this is, and how many there are."""
    return PartialState(cpu=not torch.cuda.is_available(), timeout=PATIENCE)


def measure(study: Study, chunks: Sequence[Sequence[Case]], file: Path, state: PartialState) -> None:
    """Measure the chunks of one process, and write each row as soon as it is there."""
    end_line(file)
    total = sum(len(chunk) for chunk in chunks)
    bar = tqdm(total=total, desc=study.name, disable=not state.is_main_process or not total, mininterval=1)
    with file.open("a") as stream, bar:
        for chunk in chunks:
            rows = study.measure(chunk)
            if len(rows) != len(chunk):
                raise ValueError(f"{study.name} measured {len(rows)} rows for {len(chunk)} cases")
            for case, row in zip(chunk, rows, strict=True):
                stream.write(json.dumps(record_of(study, case, row)) + "\n")
            stream.flush()
            bar.update(len(chunk))


def mine(study: Study, missing: Sequence[Case], state: PartialState) -> list[list[Case]]:
    """The chunks of cases that this process measures; a study that is not parallel leaves all to the first."""
    if not study.parallel:
        return list(chunks(study, missing, study.at_once)) if state.is_main_process else []
    size = min(study.at_once, ceil(len(missing) / state.num_processes) or 1)
    return list(chunks(study, missing, size))[state.process_index :: state.num_processes]


def chunks(study: Study, cases: Sequence[Case], size: int) -> Iterator[list[Case]]:
    """Neighbours of the same group, at most `size` of them."""
    for _, members in groupby(cases, study.group):
        group = list(members)
        for start in range(0, len(group), size):
            yield group[start : start + size]


def record_of(study: Study, case: Case, row: Row) -> Record:
    """A measured row as it is kept; raises ValueError where it would replace a part of its case."""
    common = sorted(set(case) & set(row))
    if common:
        raise ValueError(f"{study.name} measures {', '.join(common)}, which its cases already say")
    values = {name: plain(name, value) for name, value in row.items()}
    return {"key": study.key(case), "source": study.source(case).as_dict(), "case": case, "measured": values}


def plain(name: str, value: object) -> Value:
    """A value as Python's own bool, int, float, str or None; raises TypeError for anything else."""
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, np.bool_):
        return bool(value)
    if isinstance(value, numbers.Integral):
        return int(value)
    if isinstance(value, numbers.Real):
        return float(value)
    raise TypeError(f"{name}={value!r} is a {type(value).__name__}: rows are flat, of numbers, texts and True or False")


class Finished:
    """The finished rows of a study, from the files of all processes."""

    def __init__(self, study: Study):
        self.study = study
        self.records: dict[str, Record] = {}
        self.cases: set[str] = set()  # of rows of any key
        self.torn = 0
        for file in files(study):
            for line in file.read_text().splitlines():
                self._add(line)

    def _add(self, line: str) -> None:
        try:
            record = json.loads(line)
            self.records[identity(record["case"], record["key"])] = record
            self.cases.add(identity(record["case"]))
        except (json.JSONDecodeError, KeyError, TypeError):
            self.torn += bool(line)

    def record(self, case: Case) -> Record | None:
        """The finished record of a case, if there is one of today's key."""
        return self.records.get(identity(case, self.study.key(case)))

    def required(self, case: Case) -> Record:
        """The finished record of a case that was measured; raises RuntimeError if its process did not write it."""
        record = self.record(case)
        if record is None:
            raise RuntimeError(f"{self.study.name}: no row of {case}; did another process stop before its end?")
        return record

    def tell(self, cases: Sequence[Case]) -> None:
        """Say in a sentence each what is taken from earlier runs, and what is skipped."""
        name, older, commits = self.study.name, [], []
        for case in cases:
            record = self.record(case)
            if record is not None:
                commits.append(record["source"]["commit"])
            elif identity(case) in self.cases:
                older.append(case)
        earlier = sorted(set(commits) - {commit()})
        if commits:
            print(f"{name}: {len(commits)} of {len(cases)} rows were finished before and are not measured again.")
        if earlier:
            print(f"{name}: some of them are of commit {', '.join(earlier)}, not {commit()}; --again measures anew.")
        if older:
            print(f"{name}: rows of {len(older)} cases are of other code, weights or settings and are skipped.")
        if self.torn:
            print(f"{name}: {self.torn} lines were not written to their end and are skipped.")


def identity(case: Case, key: str = "") -> str:
    """A case and a key as a text that tells them from all others."""
    return json.dumps([key, case], sort_keys=True)


def folder_of(study: Study) -> Path:
    """Where the rows of a study are kept while it runs; smoke runs have a folder of their own."""
    return WORK / "smoke" if study.smoke else WORK


def files(study: Study) -> list[Path]:
    """The files of finished rows of a study, of all processes."""
    return sorted(folder_of(study).glob(f"{study.name}.*.jsonl"))


def end_line(file: Path) -> None:
    """End a torn last line, so that the next row begins a line of its own."""
    if file.exists() and file.stat().st_size and not file.read_bytes().endswith(b"\n"):
        with file.open("a") as stream:
            stream.write("\n")
