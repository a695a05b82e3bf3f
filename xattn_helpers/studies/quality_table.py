"""The table of `pocket_quality`: from rows to figures, and from figures to the tables of README and the model card."""

from collections.abc import Callable, Mapping, Sequence

from ..display.tables import MISSING, figure_text, table_text
from ..measures.statistics import Estimate
from ..pocket.world.vocabulary import OBJECTS
from .rows import Row, column, select

SEEN = 0.5  # share of the frames in which an object must be seen to count as present
MOST_FRAMES = 0.93  # 15 of 16
AUROC = {  # column: name of the figure
    "auroc, 1 cells": "AUROC of the noun's map, 16 x 16",
    "auroc, 2 cells": "AUROC of the noun's map, 8 x 8",
    "auroc, 4 cells": "AUROC of the noun's map, 4 x 4",
}
ASKED = {  # least value that the models were trained for, if they were not asked for more
    "object present, one object": 0.95,
    "both objects present": 0.80,
    "exactly one instance": 0.90,
    "right scene": 0.95,
    "motion obeyed": 0.80,
}
ASKED_OF_TRANSFORMER = {
    "object present, one object": 0.99,
    "both objects present": 0.90,
    "exactly one instance": 0.97,
    "right scene": 0.99,
    "motion obeyed": 0.95,
    "motion obeyed: to the left": 0.95,
    "motion obeyed: to the right": 0.95,
}
BOUNDS = {"pocket": ("asked", ASKED), "pocket-dit": ("asked of the transformer", ASKED_OF_TRANSFORMER)}
STRICTER = "exactly one instance in 15 of 16 frames"
OBEYED = "motion obeyed"
PROMPTS_WITH = "prompts with "
MODELS = {"pocket": "video", "pocket-t2i": "image", "pocket-dit": "video transformer"}


def figures(rows: Sequence[Row]) -> dict[str, Estimate]:
    """The figures of one model; what it has no cases of is left out."""
    single = [row for row in rows if row["kind"] != "two"]
    table = {
        "object present, one object": rate(single, is_complete),
        "both objects present": rate(select(rows, "kind", "two"), is_complete),
        "exactly one instance": rate(single, lambda row: row["single"] > SEEN),
        STRICTER: rate(single, lambda row: row["single"] > MOST_FRAMES),
        "right scene": rate(rows, lambda row: row["scene seen"] == row["scene"]),
    }
    table |= motion_figures([row for row in rows if row["motion"]])
    for auroc, name in AUROC.items():
        table[name] = Estimate.mean(column(rows, auroc))
    for word in OBJECTS:
        prompts = [row for row in rows if word in (row["word"], row["second"])]
        table[f"{PROMPTS_WITH}{word!r} complete"] = rate(prompts, is_complete)
    return {name: figure for name, figure in table.items() if figure.n}


def motion_figures(rows: Sequence[Row]) -> dict[str, Estimate]:
    """How often motions are obeyed, in all and each by itself."""
    table = {OBEYED: rate(rows, is_obeyed)}
    for motion in sorted(set(column(rows, "motion"))):
        table[f"{OBEYED}: {motion}"] = rate(select(rows, "motion", motion), is_obeyed)
    return table


def rate(rows: Sequence[Row], holds: Callable[[Row], bool]) -> Estimate:
    """How often something holds."""
    return Estimate.rate(holds(row) for row in rows)


def is_complete(row: Row) -> bool:
    """Whether everything that the caption names is present."""
    second = row["second present"]
    return row["present"] > SEEN and (second is None or second > SEEN)


def is_obeyed(row: Row) -> bool:
    """Whether the object moves as the caption says."""
    return row["obeyed"]


# Markdown


def asked_table(table: dict) -> str:
    """What was asked of the models, before the first of those that it was asked of, and what they reach."""
    names = [name for name in table["pocket"] if name in ASKED | ASKED_OF_TRANSFORMER or name == STRICTER]
    header, rows = ["held-out prompts"], [[name] for name in names]
    for model, title in shown(table).items():
        if model in BOUNDS:
            label, bounds = BOUNDS[model]
            header.append(label)
            for row in rows:
                row.append(f"≥ {bounds[row[0]]:.0%}" if row[0] in bounds else "")
        header.append(title)
        for row in rows:
            row.append(percent(table[model].get(row[0])))
    return table_text(header, rows)


def motion_table(table: dict) -> str:
    """Each motion phrase by itself."""
    models = [model for model in shown(table) if OBEYED in table[model]]
    rows = []
    for name in table["pocket"]:
        if name.startswith(f"{OBEYED}: "):
            rows.append([name.removeprefix(f"{OBEYED}: "), *(percent(table[model].get(name)) for model in models)])
    return table_text(["motion phrase obeyed", *(MODELS[model] for model in models)], rows)


def obeyed(table: dict, titles: Mapping[str, str], motions: Sequence[str]) -> list[str]:
    """How often models obey some motions, in a line each; what is not measured is left out."""
    lines = []
    for model, title in titles.items():
        for motion in motions:
            if figure := table.get(model, {}).get(f"{OBEYED}: {motion}"):
                text = figure_text(figure, ".0f", percent=True, count=True)
                lines.append(f"{title}, “{motion}”: obeyed {text}")
    return lines


def reached(figures_of_model: Mapping[str, Estimate], names: Sequence[str]) -> list[str]:
    """Some figures of a model in percent, in a line each; what is not measured is left out."""
    lines = []
    for name in names:
        if figure := figures_of_model.get(name):
            lines.append(f"{name}: {figure_text(figure, '.0f', percent=True, count=True)}")
    return lines


def auroc_table(table: dict) -> str:
    """How well a noun's map finds the object; a dash where a model has no maps of a size."""
    models = shown(table)
    rows = []
    for name in AUROC.values():
        figures_of = [table[model].get(name) for model in models]
        rows.append([name, *(figure.format() if figure else MISSING for figure in figures_of)])
    return table_text(["", *models.values()], rows)


def objects_table(table: dict) -> str:
    """Which objects the models are good and bad at."""
    models = shown(table)
    rows = []
    for name in table["pocket"]:
        if name.startswith(PROMPTS_WITH):
            rows.append([name.split("'")[1], *(percent(table[model].get(name)) for model in models)])
    return table_text(["object", *models.values()], rows)


def shown(table: dict) -> dict[str, str]:
    """The models that the table has figures of, with their titles."""
    return {model: title for model, title in MODELS.items() if table.get(model)}


def percent(figure: Estimate | None) -> str:
    """A share in percent, or a dash."""
    return figure.format(percent=True) if figure else MISSING
