"""The table of `attention_noise`: from one row a case to means over prompts with their intervals."""

import math
from collections.abc import Iterator, Sequence

import numpy as np

from ...measures.statistics import Estimate
from ..rows import Row

IMAGE, VIDEO = "pocket-t2i", "pocket"
GROUPS = ("held out", "paper")
PLACES = ("16 down", "16 up", "8 down", "8 up", "4 mid")
STATISTICS = ("auroc", "iou", "entropy", "roughness", "leakage", "jitter")
NUMBERS = {  # the three of lesson 02: what it asks, and the sign of a change towards noise
    "auroc": ("AUROC: does it find the object?", -1),
    "roughness": ("roughness: how ragged is it?", 1),
    "leakage": ("leakage: do other words show it?", 1),
}
KINDS = ("<start>", "a", "size", "noun", "verb", "in, on", "the", "scene", "<end>", "<pad>")
STEPWISE = ("16 up", "8 up")  # places whose AUROC is told for each step
Figures = dict[str, Estimate]  # by model, and "difference": video minus image


def summary(rows: Sequence[Row]) -> dict:
    """The table: per group, place and statistic both models, their difference, and what a perfect map would have."""
    table: dict = {}
    for group in GROUPS:
        members = [row for row in rows if row["group"] == group]
        table[group] = {place: statistics_of(members, place) for place in PLACES}
    held = [row for row in rows if row["group"] == GROUPS[0]]
    table["leakage of tokens"] = {place: leakages_of(held, place) for place in PLACES}
    table["AUROC of steps"] = {place: steps_of(held, place) for place in STEPWISE}
    table["pictures"] = {name: figures(held, name) for name in ("seen", "area")}
    table["counted"] = {place: figures(held, f"counted {place}") for place in PLACES}
    return table


def statistics_of(rows: Sequence[Row], place: str) -> dict[str, Figures]:
    """Every statistic of a place, beside that of a perfect map of the same objects (of the videos)."""
    table = {}
    for name in STATISTICS:
        ideal = by_prompt(rows, VIDEO, f"perfect {name} {place}")
        table[name] = figures(rows, f"{name} {place}") | {"perfect": Estimate.mean(ideal.values())}
    return table


def leakages_of(rows: Sequence[Row], place: str) -> dict[str, Figures]:
    """How much the maps of every kind of token know of the object."""
    return {kind: figures(rows, f"leakage of {kind}, {place}") for kind in KINDS}


def steps_of(rows: Sequence[Row], place: str) -> list[Figures]:
    """The AUROC of a place after each step."""
    table = []
    while any(f"step {len(table)} auroc {place}" in row for row in rows):
        table.append(figures(rows, f"step {len(table)} auroc {place}"))
    return table


def figures(rows: Sequence[Row], column: str) -> Figures:
    """Means over prompts of a column, of both models and of the difference, video minus image."""
    image, video = by_prompt(rows, IMAGE, column), by_prompt(rows, VIDEO, column)
    return {
        IMAGE: Estimate.mean(image.values()),
        VIDEO: Estimate.mean(video.values()),
        "difference": Estimate.difference(video, image),
    }


def by_prompt(rows: Sequence[Row], model: str, column: str) -> dict[str, float]:
    """The mean over seeds for each prompt; NaN and missing values are left out."""
    values: dict[str, list[float]] = {}
    for row in rows:
        value = row.get(column)
        if row["model"] == model and value is not None and not math.isnan(value):
            values.setdefault(row["prompt"], []).append(value)
    return {prompt: float(np.mean(of_seeds)) for prompt, of_seeds in values.items()}


def printed(table: dict) -> Iterator[str]:
    """The figures of both groups, a line for each place and statistic."""
    for group in GROUPS:
        for place in PLACES:
            for name, by_model in table[group][place].items():
                texts = [f"{model} {figure.format()}" for model, figure in by_model.items() if figure.n]
                yield " | ".join([group, place, name, *texts])
