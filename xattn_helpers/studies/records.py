"""Finished rows as they are kept while a study runs: records, how they are told apart, and what may be used again."""

import json
import numbers
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path

import numpy as np

from . import row_file
from .provenance import Source, commit
from .rows import Case, Row, Value
from .study import Study

Record = dict  # of a row as it is kept: "key", "source", "case", "measured"
PARTS = {"key": str, "source": dict, "case": dict, "measured": dict}
SOURCE = {field.name for field in fields(Source)}


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


def identity(case: Case, key: str = "") -> str:
    """A case and a key as a text that tells them from all others."""
    return json.dumps([key, case], sort_keys=True)


class Finished:
    """The finished rows of a study, from the files of all processes, and those that are `stored` elsewhere."""

    def __init__(self, study: Study, files: Sequence[Path], stored: Sequence[Record] = ()):
        self.study = study
        self.records: dict[str, Record] = {}
        self.cases: set[str] = set()  # of rows of any key
        self.torn = 0
        self.of_other_form = 0
        for record in stored:
            self._keep(record)
        for file in files:
            for line in row_file.lines(file):
                self._add(line)

    def _add(self, line: str) -> None:
        try:
            record = json.loads(line)
        except json.JSONDecodeError:
            self.torn += 1
            return
        if not is_record(record):
            self.of_other_form += 1
            return
        self._keep(record)

    def _keep(self, record: Record) -> None:
        self.records[identity(record["case"], record["key"])] = record
        self.cases.add(identity(record["case"]))

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
        if self.of_other_form:
            print(f"{name}: {self.of_other_form} lines are of an older form of rows and are skipped.")
        if self.torn:
            print(f"{name}: {self.torn} lines were not written to their end and are skipped.")


def is_record(value: object) -> bool:
    """Whether a value is a record with all parts that today's rows have."""
    if not isinstance(value, dict) or set(value) != set(PARTS):
        return False
    return all(isinstance(value[name], kind) for name, kind in PARTS.items()) and set(value["source"]) == SOURCE
