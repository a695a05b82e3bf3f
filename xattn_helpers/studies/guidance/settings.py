"""The settings of guidance that are compared: ours, the paper's, and what changes one thing of either.

Every setting that is no default names all that it depends on. Steps of equal length are named by their length, in
standard deviations of a latent: "equal, 0.08".
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from ...edits.bias import Bias
from ...edits.edit import Edit
from ...edits.guidance import Guidance
from ...edits.targets import Target, track

Purpose = Literal["track", "size"]
PURPOSES = {"track": Guidance.for_track, "size": Guidance.for_size}
# The paper's: strength is its 15 times the weight of 4 in its code, masks are boxes.
PAPER = {"energy": "shape", "strength": 60.0, "law": "1 - abar", "schedule": "paper", "shape": "box", "cells": (1, 2)}
OLD_DEFAULTS = {  # this series' until steps of equal length became the law
    "energy": "box", "strength": 100.0, "law": "1 - abar", "schedule": "first half", "shape": "disc", "cells": (1, 2),
}  # fmt: skip
BASES = {"defaults": {}, "paper": PAPER, "old defaults": OLD_DEFAULTS}


@dataclass(frozen=True)
class Setting:
    """How an object is steered: knobs of `Guidance`, of `Bias`, of both, or none for an unguided video."""

    guidance: Mapping[str, Any] | None = None
    bias: Mapping[str, Any] | None = None
    target: Literal["drawn", "zero-shot"] = "drawn"  # zero-shot: the maps of the unguided run, moved along the track
    base: str = "defaults"  # the setting that it is compared with

    @property
    def steers(self) -> bool:
        """Whether there is any edit."""
        return self.guidance is not None or self.bias is not None

    def edits(self, purpose: Purpose, words: Sequence[str], targets: Sequence[Target]) -> list[Edit]:
        """The edits of a batch of prompts, each with a word and a target of its own."""
        placement = [[word] for word in words], [[target] for target in targets]
        edits: list[Edit] = []
        if self.guidance is not None:
            edits.append(PURPOSES[purpose](*placement, **self.guidance))
        if self.bias is not None:
            edits.append(Bias(*placement, **self.bias))
        return edits

    def depends(self, purpose: Purpose) -> str:
        """All knobs, defaults included, as a text."""
        return f"{self.edits(purpose, ['word'], [track([(0.5, 0.5)])])} {self.target}"


def varied(base: str = "defaults", target: Literal["drawn", "zero-shot"] = "drawn", **changes: Any) -> Setting:
    """A setting that differs from "defaults", "paper" or "old defaults" by some knobs of `Guidance`, or its target."""
    return Setting(BASES[base] | changes, target=target, base=base)


def in_steps(name: str, knob: str, values: Sequence[Any], base: str = "defaults") -> dict[str, Setting]:
    """Settings that differ in one number, with it in their names."""
    return {f"{name}{value:g}": varied(base, **{knob: value}) for value in values}


MAIN = {
    "unguided": Setting(),
    "defaults": Setting({}),
    "old defaults": Setting(OLD_DEFAULTS),
    "paper": Setting(PAPER),
}
FACTORS: dict[str, dict[str, Setting]] = {  # what notebook 06 changes, one thing at a time
    "layers": {
        "8 x 8 only": varied(cells=2),
        "16 x 16 only": varied(cells=1),
        "mid only": varied(cells=4, groups="mid"),
        "mid only, boxes": varied(cells=4, groups="mid", shape="box"),
        "with mid": varied(cells=(1, 2, 4)),
        "down only": varied(groups="down"),
        "up only": varied(groups="up"),
    },
    "strength": in_steps("equal, ", "strength", (0.02, 0.04, 0.055, 0.08, 0.12, 0.16)),
    "strength of the paper's energy": in_steps("paper, strength ", "strength", (5.0, 15.0, 150.0, 300.0), "paper"),
    "law": {
        "1 - abar, strength 100": varied(law="1 - abar", strength=100.0),
        "sqrt(1 - abar), strength 30": varied(law="sqrt(1 - abar)", strength=30.0),
        "sqrt(1 - abar), strength 100": varied(law="sqrt(1 - abar)", strength=100.0),
        "eq. 4 literally": varied(law="(1 - abar) / abar", strength=100.0),
        "paper, equal steps": varied("paper", law="equal", strength=0.055),
        "paper, eq. 4 literally": varied("paper", law="(1 - abar) / abar", strength=20.0),
    },
    "schedule": {
        "paper's schedule": varied(schedule="paper"),
        "released": varied(schedule="released"),
        "first quarter": varied(schedule="first quarter"),
        "first half": varied(schedule="first half"),
        "always": varied(schedule="always"),
    },
    "energy": {
        "shape": varied(energy="shape"),
        "top": varied(energy="top"),
        "centre": varied(energy="centre"),
        "box and size": varied(energy={"box": 1.0, "size": 5.0}),
        "box and centre": varied(energy={"box": 1.0, "centre": 1.0}),
        "box and shape": varied(energy={"box": 1.0, "shape": 1.0}),
        "paper, signed": varied("paper", energy="signed"),
    },
    "target": {
        "drawn as box": varied(shape="box"),
        "zero-shot": varied(target="zero-shot"),
        "paper, zero-shot": varied("paper", target="zero-shot"),
        "paper, drawn as disc": varied("paper", shape="disc"),
    },
    "frames": {
        "frame bug": varied(frame_of="released"),
        "paper, frame bug": varied("paper", frame_of="released"),
        "as released": varied("paper", frame_of="released", schedule="released"),
    },
    "without a gradient": {
        "bias": Setting(bias={}),
        "defaults and bias": Setting({}, bias={}),
    },
}


def without_repetitions(
    groups: Mapping[str, Mapping[str, Setting]], purpose: Purpose = "track"
) -> dict[str, dict[str, Setting]]:
    """The groups without settings that are, knob for knob, the defaults of today."""
    defaults = Setting({}).depends(purpose)
    different: dict[str, dict[str, Setting]] = {}
    for group, settings in groups.items():
        different[group] = {name: setting for name, setting in settings.items() if setting.depends(purpose) != defaults}
    return different


def in_one(groups: Mapping[str, Mapping[str, Setting]]) -> dict[str, Setting]:
    """The settings of all groups; raises ValueError for a name that two of them have."""
    settings: dict[str, Setting] = {}
    for group, members in groups.items():
        repeated = sorted(set(settings) & set(members))
        if repeated:
            raise ValueError(f"{group} has {', '.join(repeated)}, which an earlier group has, too")
        settings |= members
    return settings


GROUPS = {"main": MAIN} | without_repetitions(FACTORS)
SETTINGS = in_one(GROUPS)
