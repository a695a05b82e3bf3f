"""Whether a stored table can have been written by the code: `faults` makes it again from its rows."""

import math
import re
from pathlib import Path
from typing import Any, TypeGuard

from .models import weights_of
from .provenance import DEVICE
from .rows import Row, cell
from .store import RESULTS, load_json, load_rows
from .study import Study, find
from .tables import encode

# Tables that earlier code measured, whose cases or figures are others today. Measure them again, and take their names
# away: nothing else may be here.
EARLIER: tuple[str, ...] = ()
# Tables with rows of a shipped model's weights before its last training, by the models. Measure them again, too.
EARLIER_WEIGHTS: dict[str, list[str]] = {}
TOLERANCE = 1e-4  # relative and absolute: another version of numpy may round otherwise
SOURCE = {"commit", "versions", "device", "threads", "precision", "weights"}
COMMAND = re.compile(r"python -m xattn_helpers\.studies (\w+)")
KEY = re.compile("[0-9a-f]{12}")
SHIPPED = ("pocket", "pocket-t2i", "pocket-dit")


def faults(name: str, folder: Path = RESULTS) -> list[str]:
    """In sentences, what a stored table has that the code does not write; none for a good one.

    Looked at are the command, the devices, the source and key of every row, the cases (those of today's code, all of
    them and in its order), and every figure, which `summary` must give again from the rows.
    """
    try:
        stored, rows = load_json(name, folder), load_rows(name, folder)
    except ValueError as error:
        return [str(error)]
    study = find(name)()
    if not isinstance(study, Study):
        return [f"{name} is a report, which stores no table"]
    if name in EARLIER:
        return []
    match = COMMAND.fullmatch(stored["command"])
    sentences = [] if match and match[1] == name else [f"command {stored['command']!r} is not that of the whole study"]
    sentences += source_faults(stored["sources"], rows)
    sentences += case_faults(study, rows)
    return sentences + differences(stored["table"], encode(study.summary(rows)))


def source_faults(sources: list[dict], rows: list[Row]) -> list[str]:
    """What is wrong with the provenance of some rows."""
    sentences = []
    for source in sources:
        if set(source) != SOURCE:
            sentences.append(f"a source has {', '.join(sorted(source))}")
        elif not DEVICE.fullmatch(source["device"]):
            sentences.append(f"no code writes the device {source['device']!r}")
    for row in rows:
        if row["source"] not in range(len(sources)):
            sentences.append(f"a row has source {row['source']}, and there are {len(sources)}")
        if not KEY.fullmatch(str(row["key"])):
            sentences.append(f"a row has the key {row['key']!r}")
    return sentences


def earlier_weights(name: str, folder: Path = RESULTS) -> list[str]:
    """The shipped models of which a stored table has rows of other weights than those that are shipped.

    Tables of times are not asked: time does not depend on weights. A model that is not shipped is no concern here.
    """
    study = find(name)()
    if isinstance(study, Study) and not study.parallel:
        return []
    models = []
    for source in load_json(name, folder)["sources"]:
        for model, digest in source["weights"].items():
            if model in SHIPPED and digest != weights_of(model, "cpu"):
                models.append(model)
    return sorted(set(models))


def case_faults(study: Study, rows: list[Row]) -> list[str]:
    """Where the rows are not those of the study's cases, in their order; of drawn ones only the number is looked at."""
    cases = study.cases()
    if len(cases) != len(rows):
        return [f"{len(rows)} rows are stored, and the study has {len(cases)} cases"]
    if study.draws:
        return []
    for number, (case, row) in enumerate(zip(cases, rows, strict=True)):
        for name, value in case.items():
            if cell(value) != cell(row.get(name)):
                return [f"row {number} has {name}={row.get(name)!r}, and the study's case {value!r}"]
    return []


def differences(stored: Any, made: Any, path: str = "table") -> list[str]:
    """Where two encoded tables differ by more than rounding."""
    if isinstance(stored, dict) and isinstance(made, dict):
        sentences = [f"{path}: only one of both has {name!r}" for name in sorted(set(stored) ^ set(made))]
        for name in stored:
            sentences += differences(stored[name], made[name], f"{path} | {name}") if name in made else []
        return sentences
    if isinstance(stored, list) and isinstance(made, list) and len(stored) == len(made):
        sentences = []
        for index, parts in enumerate(zip(stored, made, strict=True)):
            sentences += differences(*parts, f"{path} | {index}")
        return sentences
    if is_number(stored) and is_number(made):
        equal = math.isclose(stored, made, rel_tol=TOLERANCE, abs_tol=TOLERANCE)
    else:
        equal = stored == made
    return [] if equal else [f"{path}: stored is {stored}, and its rows give {made}"]


def is_number(value: Any) -> TypeGuard[float]:
    """Whether a value is a number and no truth value."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)
