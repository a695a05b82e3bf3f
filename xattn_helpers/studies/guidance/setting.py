"""What a setting is: how an object is steered, as knobs of edits; and the settings that others vary."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from ...edits.bias import Bias
from ...edits.edit import Edit
from ...edits.guidance import Guidance
from ...edits.targets import Target, track
from .paper import CODE

Purpose = Literal["track", "size"]
PURPOSES = {"track": Guidance.for_track, "size": Guidance.for_size}
PAPER = CODE  # the released code without its frame bug: see `paper.py`, which has the text's setting, too
OLD_DEFAULTS = {  # this series' until steps of equal length became the law
    "energy": "box", "strength": 100.0, "law": "1 - abar", "schedule": "first half", "shape": "disc", "cells": (1, 2),
}  # fmt: skip
BASES = {"defaults": {}, "paper": PAPER, "old defaults": OLD_DEFAULTS}


@dataclass(frozen=True)
class Setting:
    """How an object is steered: knobs of `Guidance`, of `Bias`, of both, of another edit, or none: unguided."""

    guidance: Mapping[str, Any] | None = None
    bias: Mapping[str, Any] | None = None
    target: Literal["drawn", "zero-shot"] = "drawn"  # zero-shot: the maps of the unguided run, moved along the track
    base: str = "defaults"  # the setting that it is compared with
    extra: tuple[Callable[..., Edit], Mapping[str, Any]] | None = None  # an edit of words and targets, and its knobs

    @property
    def steers(self) -> bool:
        """Whether there is any edit."""
        return any(knobs is not None for knobs in (self.guidance, self.bias, self.extra))

    def edits(
        self, purpose: Purpose, words: Sequence[str | list[str]], targets: Sequence[Target | list[Target]]
    ) -> list[Edit]:
        """The edits of a batch of prompts, each with a word and a target of its own, or with lists of these."""
        placement = [_listed(word) for word in words], [_listed(target) for target in targets]
        edits: list[Edit] = []
        if self.guidance is not None:
            edits.append(PURPOSES[purpose](*placement, **self.guidance))
        if self.bias is not None:
            edits.append(Bias(*placement, **self.bias))
        if self.extra is not None:
            kind, knobs = self.extra
            edits.append(kind(*placement, **knobs))
        return edits

    def depends(self, purpose: Purpose) -> str:
        """All knobs, defaults included, as a text."""
        return f"{self.edits(purpose, ['word'], [track([(0.5, 0.5)])])} {self.target}"


def _listed(value: Any) -> list:
    return value if isinstance(value, list) else [value]


def varied(base: str = "defaults", target: Literal["drawn", "zero-shot"] = "drawn", **changes: Any) -> Setting:
    """A setting that differs from "defaults", "paper" or "old defaults" by some knobs of `Guidance`, or its target."""
    return Setting(BASES[base] | changes, target=target, base=base)


def in_steps(name: str, knob: str, values: Sequence[Any], base: str = "defaults") -> dict[str, Setting]:
    """Settings that differ in one number, with it in their names."""
    return {f"{name}{value:g}": varied(base, **{knob: value}) for value in values}
