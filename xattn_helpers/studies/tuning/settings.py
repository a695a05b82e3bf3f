"""The settings that may become defaults.

Of all pairs of a strength (0.02, 0.04, 0.055, 0.08, 0.12, 0.16) and a schedule those are left out that cannot win: the
shortest step with the schedules that guide few steps, which moves the latents less than the weakest setting that is in,
and the longest ones with many guided steps. In the table of lesson 04 already 0.078 at every step lost more than twice
as many objects as 0.055.
"""

from collections.abc import Mapping

from ...edits.sizes import BOTH_ENERGIES
from ..guidance.setting import Setting

LENGTHS = {  # schedule: strengths of equal steps
    "always": (0.02, 0.04, 0.055, 0.08),
    "paper": (0.04, 0.055, 0.08, 0.12),
    "first half": (0.04, 0.055, 0.08, 0.12, 0.16),
    "every second": (0.055, 0.08, 0.12, 0.16),
}
DOWN_LENGTHS = (0.055, 0.08, 0.12)  # at every step with the maps on the way down alone, for half of the cost
LOGITS = (4.0, 8.0, 12.0)  # added inside, subtracted outside
SHARES = (0.25, 0.5, 0.75)  # of the denoising steps that are biased
TOGETHER = ((0.02, 8.0, 0.25), (0.04, 8.0, 0.5), (0.055, 4.0, 0.25), (0.055, 8.0, 0.25))  # strength, logit, share
FINALISTS: dict[str, tuple[str, ...]] = {  # the best six of the first seed, by the table that they were measured in
    "track": (
        "equal 0.12, paper",
        "equal 0.08, always",
        "equal 0.055, always, box and shape, and bias 4, until 0.25",
        "equal 0.055, always, box and shape",
        "equal 0.12, first half",
        "equal 0.055, always, and bias 4, until 0.25",
    ),
    "size": (
        "equal 0.055, always, box and shape, and bias 4, until 0.25",
        "equal 0.08, paper",
        "equal 0.055, always",
        "equal 0.08, first half",
        "equal 0.055, always, box and shape",
        "equal 0.055, always, and bias 4, until 0.25",
    ),
}


def guidance(strength: float, schedule: str) -> dict:
    """Knobs of Guidance, all of them by name."""
    knobs = {"law": "equal", "energy": "box", "shape": "disc", "cells": (1, 2)}
    return knobs | {"strength": strength, "schedule": schedule}


def bias(logit: float, until: float) -> dict:
    """Knobs of Bias."""
    return {"inside": logit, "outside": -logit, "until": until, "shape": "disc"}


def all_settings() -> Mapping[str, Setting]:
    """By name; "unguided" is what all others are compared with."""
    settings = {"unguided": Setting()}
    for schedule, strengths in LENGTHS.items():
        for strength in strengths:
            settings[f"equal {strength:g}, {schedule}"] = Setting(guidance(strength, schedule))
    for strength in DOWN_LENGTHS:
        settings[f"equal {strength:g}, always, down"] = Setting(guidance(strength, "always") | {"groups": "down"})
    for logit in LOGITS:
        for share in SHARES:
            settings[f"bias {logit:g}, until {share:g}"] = Setting(bias=bias(logit, share))
    for strength, logit, share in TOGETHER:
        name = f"equal {strength:g}, always, and bias {logit:g}, until {share:g}"
        settings[name] = Setting(guidance(strength, "always"), bias(logit, share))
    knobs = guidance(0.055, "always") | {"energy": BOTH_ENERGIES}
    settings["equal 0.055, always, box and shape"] = Setting(knobs)
    settings["equal 0.055, always, box and shape, and bias 4, until 0.25"] = Setting(knobs, bias(4.0, 0.25))
    return settings


SETTINGS = all_settings()
