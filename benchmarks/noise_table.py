"""The table of `attention_noise`: from one row a case to means over prompts with their intervals, and back to cases."""

import math
from functools import reduce

import numpy as np

from . import runner

IMAGE, VIDEO = "pocket-t2i", "pocket"
GROUPS = ("held out", "paper")
PLACES = ("16 down", "16 up", "8 down", "8 up", "4 mid")
STATISTICS = ("auroc", "iou", "entropy", "roughness", "leakage", "jitter")
KINDS = ("<start>", "a", "size", "noun", "verb", "in, on", "the", "scene", "<end>", "<pad>")
STEPWISE = ("16 up", "8 up")  # places whose AUROC is told for each step


def summary(rows: list[dict]) -> dict:
    """The table: per group, place and statistic both models, their difference, and what a perfect map would have."""
    table = {}
    for group in GROUPS:
        there = [row for row in rows if row["group"] == group]
        table[group] = {place: {name: _row(there, place, name) for name in STATISTICS} for place in PLACES}
    held = [row for row in rows if row["group"] == GROUPS[0]]
    table["leakage of tokens"] = {
        place: {kind: _both(held, ("tokens", place, kind)) for kind in KINDS} for place in PLACES
    }
    count = len(held[0]["steps"][STEPWISE[0]])
    table["AUROC of steps"] = {p: [_both(held, ("steps", p, step)) for step in range(count)] for p in STEPWISE}
    table["pictures"] = {name: _both(held, (name,)) for name in ("seen", "area")}
    table["counted"] = {place: _both(held, ("places", place, "counted")) for place in PLACES}
    table["cases"] = _compact(rows)
    return table


def _both(rows: list[dict], path: tuple) -> dict:
    """The figure of both models and of the difference, video minus image, over prompts; None for what is not there."""
    image, video = (_by_prompt(rows, model, path) for model in (IMAGE, VIDEO))
    difference = [video[prompt] - image[prompt] for prompt in video if prompt in image]
    return {IMAGE: _figure(image.values()), VIDEO: _figure(video.values()), "difference": _figure(difference)}


def _row(rows: list[dict], place: str, name: str) -> dict:
    """Both models beside what a perfect map of the same objects would have."""
    ideal = _by_prompt(rows, VIDEO, ("perfect", place, name)).values()
    return _both(rows, ("places", place, name)) | {"perfect": _figure(ideal)}


def _by_prompt(rows: list[dict], model: str, path: tuple) -> dict[str, float]:
    """The mean over seeds for each prompt, NaN and missing values left out."""
    found = {}
    for row in rows:
        value = reduce(_part, path, row)
        if row["model"] == model and value == value:
            found.setdefault(row["prompt"], []).append(value)
    return {prompt: float(np.mean(values)) for prompt, values in found.items()}


def _part(part, key):
    """An entry of a list or a dictionary, NaN for one that is not there."""
    return part[key] if isinstance(part, list) or isinstance(part, dict) and key in part else math.nan


def _figure(values) -> dict | None:
    values = list(values)
    if not values:
        return None
    return {key: round(float(value), 4) for key, value in runner.mean(values).items()} | {"n": len(values)}


def _compact(rows: list[dict]) -> list[str]:
    """Every case as a line of comma-separated values, the names of the columns first: small, and easy to read again."""
    columns = [(place, name) for place in PLACES for name in STATISTICS]
    lines = [",".join(["model", "group", "prompt", "seed", *(f"{name} {place}" for place, name in columns)])]
    for row in rows:
        values = [row["places"][place].get(name, math.nan) for place, name in columns]
        about = [row["model"], row["group"], row["prompt"], str(row["seed"])]
        lines.append(",".join(about + [f"{value:.4f}" for value in values]))
    return lines


def read_cases(lines: list[str]) -> list[dict]:
    """The stored cases as dictionaries: model, group, prompt, seed, and a number for each 'auroc 16 up', …."""
    columns, *rows = [line.split(",") for line in lines]
    return [
        dict(zip(columns[:4], row[:4], strict=True)) | {"seed": int(row[3])}
        | {name: float(value) for name, value in zip(columns[4:], row[4:], strict=True)}
        for row in rows
    ]  # fmt: skip
