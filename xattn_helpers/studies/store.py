"""Stored tables: `results/NAME.json` has the summary and its provenance, `results/NAME.csv.xz` its rows.

Every row has two columns of provenance: `source`, the number of an entry of `sources` in the json (commit, versions,
device, precision, weights), and `key`, what else it depends on (`Study.key`). The summary is made from the rows as they
are read back from the csv, so that anybody can make it again: `faults` does, and says where a table differs.
"""

import json
import shlex
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

from .records import Record
from .row_file import whole
from .rows import PROVENANCE, Row, cell, column, column_types, read_rows, write_rows
from .study import Study
from .tables import decode, encode, ranges

RESULTS = Path(__file__).parent / "results"
PARTS = {"study", "command", "date", "seeds", "sources", "columns", "table"}


def store(study: Study, records: Sequence[Record], folder: Path, limit: int | None = None) -> dict:
    """Write the table and the rows of a study into a folder, and return the table as it will be loaded.

    Raises Stopped where it cannot be written; what was stored before is then as it was.
    """
    sources: list[dict] = []
    rows = []
    for record in records:
        if record["source"] not in sources:
            sources.append(record["source"])
        about = {"source": sources.index(record["source"]), "key": record["key"]}
        rows.append(record["case"] | record["measured"] | about)
    columns = column_types(rows)
    with whole(folder / f"{study.name}.json") as json_file, whole(folder / f"{study.name}.csv.xz") as csv_file:
        write_rows(csv_file, rows, columns)
        table = encode(study.summary(read_rows(csv_file, columns)))
        stored = {
            "study": study.name,
            "command": command_of(study, limit),
            "date": date.today().isoformat(),
            "seeds": ranges(set(column(rows, "seed"))),
            "sources": sources,
            "columns": columns,
            "table": table,
        }
        json_file.write_text(as_json(stored) + "\n", encoding="utf-8")
    return decode(table)


def stored_records(study: Study, folder: Path) -> list[Record]:
    """The rows of a stored table as records, of the cases that the study has now; none of a table that is not there."""
    if not (folder / f"{study.name}.json").exists():
        return []
    sources, cases = load_json(study.name, folder)["sources"], study.cases()
    names = list(dict.fromkeys(name for case in cases for name in case))  # cases may differ in what they have
    rows = {tuple(cell(row.get(name)) for name in names): row for row in load_rows(study.name, folder)}
    records: list[Record] = []
    for case in cases:
        row = rows.get(tuple(cell(case.get(name)) for name in names))
        if row is not None:
            values = {name: value for name, value in row.items() if name not in (*names, *PROVENANCE)}
            records.append({"key": row["key"], "source": sources[row["source"]], "case": case, "measured": values})
    return records


def as_json(stored: Any) -> str:
    """As json: a line for each entry, and one for what holds nothing more, as an `Estimate` does.

    Lines are not indented: spaces would be a tenth of all tables, which people read as pages.
    """
    entries = list(stored.values()) if isinstance(stored, dict) else stored if isinstance(stored, list) else []
    if not any(isinstance(entry, (dict, list)) for entry in entries):
        return json.dumps(stored, separators=(",", ":"), ensure_ascii=False)
    texts = [as_json(entry) for entry in entries]
    if isinstance(stored, dict):
        texts = [f"{json.dumps(name, ensure_ascii=False)}:{text}" for name, text in zip(stored, texts, strict=True)]
    begin, end = "{}" if isinstance(stored, dict) else "[]"
    return f"{begin}\n" + ",\n".join(texts) + f"\n{end}"


def command_of(study: Study, limit: int | None = None) -> str:
    """The command that measures a study again."""
    command = f"python -m xattn_helpers.studies {study.name}" + f" --limit {limit}" * (limit is not None)
    command += f" --settings {shlex.join(study.only)}" * bool(study.only)
    return command + " --smoke" * study.smoke


def load_table(name: str, folder: Path | None = None) -> dict:
    """The table of a study, its figures as `Estimate`s; raises FileNotFoundError for one that was not stored."""
    return decode(load_json(name, folder)["table"])


def measured(name: str, folder: Path | None = None) -> dict | None:
    """The table of a study, or None, after saying which command measures it, if there is none yet."""
    try:
        return load_table(name, folder)
    except FileNotFoundError:
        print(f"not measured yet: python -m xattn_helpers.studies {name}")
        return None


def load_rows(name: str, folder: Path | None = None) -> list[Row]:
    """The rows that a table was made from, one a case, numbers as numbers; an empty cell is None, or '' as a text."""
    columns = load_json(name, folder)["columns"]
    return read_rows((folder or RESULTS) / f"{name}.csv.xz", columns)


def load_json(name: str, folder: Path | None = None) -> dict:
    """A stored json as it is: "study", "command", "date", "seeds", "sources", "columns" and "table".

    Raises FileNotFoundError for one that was not stored, and ValueError for one that lacks a part of these.
    """
    file = (folder or RESULTS) / f"{name}.json"
    if not file.exists():
        raise FileNotFoundError(f"{file} does not exist: `python -m xattn_helpers.studies {name}` measures it")
    stored = json.loads(file.read_text())
    missing = sorted(PARTS - set(stored))
    if missing:
        names = ", ".join(missing)
        raise ValueError(f"{file} has no {names}: `python -m xattn_helpers.studies {name}` measures it again")
    return stored


def origin(name: str, folder: Path | None = None) -> str:
    """A sentence on where a stored table comes from, for README and the model card."""
    stored = load_json(name, folder)
    devices = ", ".join(dict.fromkeys(source["device"] for source in stored["sources"]))
    versions = dict.fromkeys(f"{k} {v}" for source in stored["sources"] for k, v in source["versions"].items())
    weights = dict.fromkeys(f"{k} `{v}`" for source in stored["sources"] for k, v in source["weights"].items())
    about = [", ".join(versions), devices] + [f"weights: {', '.join(weights)}"] * bool(weights)
    return f"Measured on {stored['date']} with `{stored['command']}` ({'; '.join(about)})."
