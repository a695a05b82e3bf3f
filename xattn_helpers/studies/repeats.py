"""Do rows of the stored tables repeat on another machine? Study `repeats`, in single precision.

Rows are drawn at random, first a table and then one of its rows, from the tables whose models are shipped. Each is
measured again here, alone, where it was measured in a batch on a GPU. What is stored is how far its figures are from
the stored ones.
"""

import math
from collections.abc import Sequence
from functools import cache, cached_property
from random import Random

from ..display.tables import table_text
from ..measures.statistics import Estimate
from .checks import EARLIER_WEIGHTS, SHIPPED, is_number
from .rows import PROVENANCE, Case, Row, Value, cell
from .store import RESULTS, load_json, load_rows
from .study import Study, find

COUNT = 24
SEED = 1  # of the draw
NEAR = 0.005  # a figure that is nearer than this is the same in the two digits that tables print of shares
TIMES = "seconds"  # a figure of time is another on another machine


class Repeats(Study):
    """Do rows of the stored tables, drawn at random, come out the same on another machine?"""

    draws = True

    def cases(self) -> list[Case]:
        """The rows that are drawn, by their table and their place in it."""
        draw, names = Random(SEED), list(self.studies)
        cases: list[Case] = []
        while names and len(cases) < COUNT:
            name = draw.choice(names)
            case = {"table": name, "row": draw.randrange(len(stored_rows(name))), "seed": SEED}
            if case not in cases:
                cases.append(case)
        return cases

    def smoke_cases(self) -> list[Case]:
        """The first case."""
        return self.cases()[:1]

    def group(self, case: Case) -> tuple:
        """Each by itself."""
        return case["table"], case["row"]

    @cached_property
    def studies(self) -> dict[str, Study]:
        """The study of each table, which measures on this study's device."""
        studies = {}
        for name in repeatable():
            study = find(name)(self.smoke)
            assert isinstance(study, Study)
            studies[name] = study
        return studies

    def models(self, case: Case) -> tuple[str, ...]:
        """Those of the row."""
        study = self.studies[case["table"]]
        return study.models(case_of(study, case["row"]))

    def depends(self, case: Case) -> object:
        """The row's own key, as it is stored."""
        return stored_rows(case["table"])[case["row"]]["key"]

    def measure(self, cases: Sequence[Case]) -> list[Row]:
        """Measure rows of one table again, and compare."""
        rows = []
        for case in cases:
            study, stored = self.studies[case["table"]], stored_rows(case["table"])[case["row"]]
            made = study.measure([case_of(study, case["row"])])[0]
            rows.append(farthest(stored, made))
        return rows

    def summary(self, rows: Sequence[Row]) -> dict:
        """How many rows repeat, and each of the others with the figure that differs most."""
        changed = {}
        for row in rows:
            if not is_same(row):
                changed[f"{row['table']}, row {row['row']}"] = f"{row['figure']} differs by {row['difference']:.3g}"
        return {"the same": Estimate.rate(is_same(row) for row in rows), "others": changed, "rows": len(rows)}

    def markdown(self, table: dict) -> str:
        """The rows that do not repeat."""
        count = round(table["the same"].value * table["rows"])
        text = f"{count} of {table['rows']} rows, drawn at random, have all figures within {NEAR:g} on another machine."
        differing = [[name, words.replace("<", "&lt;")] for name, words in table["others"].items()]  # no tag of HTML
        return f"{text}\n\n{table_text(['row', 'what differs most'], differing)}" if differing else text


def repeatable() -> list[str]:
    """The stored tables of shipped models that any device can measure, without those of times."""
    names = []
    for file in sorted(RESULTS.glob("*.json")):
        study = find(file.stem)()
        if not isinstance(study, Study) or isinstance(study, Repeats) or not study.parallel or study.where != "any":
            continue
        models = {model for source in load_json(file.stem)["sources"] for model in source["weights"]}
        if models & set(SHIPPED) and file.stem not in EARLIER_WEIGHTS:
            names.append(file.stem)
    return names


@cache
def stored_rows(name: str) -> list[Row]:
    """The rows of a stored table, read once: a table may have thousands."""
    return load_rows(name)


def case_of(study: Study, row: int) -> Case:
    """The case of a stored row: rows are in the order of cases, which `checks` holds."""
    return study.cases()[row]


def farthest(stored: Row, made: Row) -> Row:
    """The figure of a row that differs most, and by how much; words and truth values differ by 1, or not at all."""
    figure, difference = "", 0.0
    for name, value in made.items():
        if name in PROVENANCE or name == TIMES:
            continue
        distance = apart(stored.get(name), value)
        if distance > difference:
            figure, difference = name, distance
    return {"figure": figure, "difference": difference}


def apart(stored: Value, made: Value) -> float:
    """How far two values are from each other; what is missing or no number must be the same."""
    if is_number(stored) and is_number(made) and math.isfinite(stored) and math.isfinite(made):
        return abs(stored - made)
    return float(cell(stored) != cell(made))


def is_same(row: Row) -> bool:
    """Whether all figures of a row are near the stored ones."""
    return row["difference"] < NEAR
