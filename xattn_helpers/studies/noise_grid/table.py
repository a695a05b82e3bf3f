"""The table of `noise_grid`: variants, questions, and the spread of three trainings."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from ...display.tables import figure_text, number_text, table_text
from ...measures.statistics import Estimate
from ..guidance.table import counted_iou, group_rows, is_lost
from ..rows import Row, select
from .variants import ONE_CHANGE, VARIANTS, Variant

HEIGHT = 8  # of the maps that every model has
MAPS = {  # name: column
    "AUROC": f"auroc, {HEIGHT}", "IoU": f"iou, {HEIGHT}", "roughness": f"roughness, {HEIGHT}",
    "leakage, in or on": f"leakage of in, on, {HEIGHT}", "leakage, the": f"leakage of the, {HEIGHT}",
    "leakage, start": f"leakage of <start>, {HEIGHT}", "leakage, padding": f"leakage of <pad>, {HEIGHT}",
}  # fmt: skip
SETTINGS = ("unguided", "gradient", "bias")
SMALL = 0.005  # a change that two digits show as 0
SEEN = "object seen"  # share of frames: a model that paints it seldom has maps of nothing
SHOWN = (SEEN, "AUROC", "IoU", "leakage, in or on", "mIoU, gradient", "mIoU, bias", "swap: overlap gained")
ANSWERS = {  # to lesson 02's question, in words
    "AUROC": "**The noun's own map** (AUROC)", "leakage, in or on": "**Other words** (leakage into “in” and “on”)",
    "mIoU, bias": "**An edit by a bias** (mIoU)", "swap: overlap gained": "**A swap** (overlap that it gains)",
}  # fmt: skip
SPREAD = (Variant(), Variant(text="contextual"))  # the variants that were trained three times


def summary(rows: Sequence[Row]) -> dict:
    """The table {"variants": ..., "questions": ..., "three trainings": ...}."""
    by_variant = group_rows(rows, "model")
    values = {name: values_of(members) for name, members in by_variant.items()}
    variants = {name: figures_of(part, by_variant[name]) for name, part in values.items()}
    return {"variants": variants, "questions": questions(values), "three trainings": spreads(variants)}


def values_of(rows: Sequence[Row]) -> dict[str, dict]:
    """The values of each figure of one variant, by what may be compared: prompts of maps, cases and pairs of edits."""
    values: dict[str, dict] = {}
    for name, label in {SEEN: "seen", **MAPS}.items():
        by_prompt: dict[str, list[float]] = {}
        for row in select(rows, "kind", "maps"):
            value = row.get(label)
            if value is not None and not math.isnan(value):
                by_prompt.setdefault(row["prompt"], []).append(value)
        values[name] = {prompt: float(np.mean(own)) for prompt, own in by_prompt.items()}
    for setting in SETTINGS:
        own = [row for row in select(rows, "kind", "steered") if row["setting"] == setting]
        values[f"mIoU, {setting}"] = {(row["prompt"], row["track"], row["seed"]): counted_iou(row) for row in own}
    gained = {}
    for row in select(rows, "kind", "swap"):
        gained[row["prompt"], row["seed"]] = row["overlap"] - row["overlap without"]
    values["swap: overlap gained"] = gained
    return values


def figures_of(values: Mapping[str, Mapping], rows: Sequence[Row]) -> dict[str, Estimate]:
    """Means of a variant with their intervals, over prompts, cases and pairs; and what edits lose."""
    table = {name: Estimate.mean(own.values()) for name, own in values.items()}
    for setting in SETTINGS:
        own = [row for row in select(rows, "kind", "steered") if row["setting"] == setting]
        table[f"lost, {setting}"] = Estimate.rate(is_lost(row) for row in own)
    return table


def questions(values: Mapping[str, Mapping]) -> dict[str, dict]:
    """For each question and figure the differences, paired, of each pair of variants that was measured."""
    table = {}
    for question, pairs in ONE_CHANGE.items():
        measured = []
        for variant, base in pairs:
            if variant.name in values and base.name in values:
                measured.append((variant.name, base.name))
        if measured:
            table[question] = {name: differences(name, measured, values) for name in values[measured[0][0]]}
    return table


def differences(name: str, pairs: Sequence[tuple[str, str]], values: Mapping[str, Mapping]) -> dict:
    """The difference in one figure: of each pair of variants with its interval, and their mean and range.

    Three trainings are few: their range is told, and no interval of them.
    """
    changes = [Estimate.difference(values[variant][name], values[base][name]) for variant, base in pairs]
    means = [change.value for change in changes if change.n]
    whole = {"mean": float(np.mean(means)), "smallest": min(means), "largest": max(means)} if means else {}
    return {"trainings": len(means), **whole, "each": changes}


def spreads(variants: Mapping[str, Mapping[str, Estimate]]) -> dict[str, dict]:
    """For the variants that were trained three times each figure's mean, smallest and largest."""
    table: dict[str, dict] = {}
    for variant in SPREAD:
        seeds = [name for name, member in VARIANTS.items() if is_twin(member, variant) and name in variants]
        for name in variants[seeds[0]] if seeds else ():
            own = [variants[twin][name].value for twin in seeds if variants[twin][name].n]
            if own:
                spread = {"mean": float(np.mean(own)), "smallest": min(own), "largest": max(own), "n": len(own)}
                table.setdefault(f"{variant.family}, {variant.text}", {})[name] = spread
    return table


def is_twin(variant: Variant, base: Variant) -> bool:
    """Whether two variants differ in nothing but the seed of their training."""
    return not variant.shipped and replace(variant, seed=base.seed) == base


def markdown(table: dict) -> str:
    """A row for each variant; then one for each question, with the range of its trainings."""
    rows = []
    for name, figures in table["variants"].items():
        rows.append([name, *(figure_text(figures[label]) for label in SHOWN)])
    texts = [table_text(["model", *SHOWN], rows)]
    rows = []
    for question, figures in table["questions"].items():
        rows.append([question, *(change_of(figures[label]) for label in SHOWN)])
    return "\n\n".join([*texts, table_text(["what changes", *SHOWN], rows)])


def change_of(part: Mapping) -> str:
    """A difference with its interval; of several trainings their mean and range."""
    if not part["trainings"]:
        return number_text(None)
    if part["trainings"] == 1:
        only = next(change for change in part["each"] if change.n)
        return figure_text(only, digits_of(only.value))
    digits = digits_of(part["mean"])
    mean, smallest, largest = (format(part[name], digits) for name in ("mean", "smallest", "largest"))
    return f"{mean} ({smallest} to {largest} of {part['trainings']} trainings)"


def digits_of(change: float) -> str:
    """Two digits, and three where these would be zeros."""
    return "+.2f" if abs(change) >= SMALL else "+.3f"


def answers(table: Mapping, question: str = "words mixed by the text encoder") -> list[str]:
    """What one change does to maps and to edits, a sentence for each figure; none where it was not measured."""
    figures = table["questions"].get(question, {})
    return [f"{words}: {change_of(figures[name])}" for name, words in ANSWERS.items() if name in figures]
