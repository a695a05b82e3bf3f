"""Is the gain of equal steps the law's or the energy's? Every energy with every law, the rest as by default.

A strength belongs to its energy and law, so that each pair has several. Their best is not told of the cases that chose
it: a pair's figure is what the best strength on one half of the cases reaches on the other half, over many halves.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from ...measures.comparisons import split_half
from .setting import Setting, varied

STRENGTHS = {
    ("box", "equal"): (0.04, 0.08, 0.12),
    ("shape", "equal"): (0.04, 0.08, 0.12),
    ("box", "1 - abar"): (30.0, 100.0, 200.0),
    ("shape", "1 - abar"): (37.5, 100.0, 300.0),
}


def pair_settings(energy: str, law: str) -> dict[str, Setting]:
    """The settings of a pair, by name."""
    settings = {}
    for strength in STRENGTHS[energy, law]:
        name = f"{energy}, {law}, strength {strength:g}"
        settings[name] = varied(energy=energy, law=law, strength=strength, schedule="first half")
    return settings


def all_pairs() -> dict[str, Setting]:
    """The settings of all pairs."""
    settings: dict[str, Setting] = {}
    for energy, law in STRENGTHS:
        settings |= pair_settings(energy, law)
    return settings


CROSSED = all_pairs()


def crossing(values: Mapping[str, Mapping], knobs: Mapping[str, str]) -> dict[str, dict]:
    """For each pair what its best strength reaches on other cases: "mIoU", "picked" and how often, and how many cases.

    `values` are the mIoU of each case {setting: {case: value}}, and `knobs` all that each setting depends on: a pair's
    setting may stand in the table under another name. Pairs of which a strength was not measured are left out.
    """
    names = {text: name for name, text in knobs.items()}
    table = {}
    for energy, law in STRENGTHS:
        own = pair_settings(energy, law).values()
        measured = []
        for setting in own:
            measured.append(values.get(names.get(setting.depends("track"), ""), {}))
        common = [case for case in measured[0] if all(case in part for part in measured)]
        if len(common) > 1:
            table[f"{energy}, {law}"] = best_of(measured, common, STRENGTHS[energy, law])
    return table


def best_of(measured: Sequence[Mapping], common: Sequence, strengths: Sequence[float]) -> dict:
    """The figures of one pair, over the cases that all of its settings have."""
    halves = split_half(np.array([[part[case] for case in common] for part in measured]))
    picked = int(np.argmax(halves["picked"]))
    return {
        "mIoU": halves["other half"], "strength": strengths[picked], "picked": halves["picked"][picked],
        "cases": len(common),
    }  # fmt: skip
