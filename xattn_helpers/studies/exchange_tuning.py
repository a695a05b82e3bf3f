"""Choosing how a transformer exchanges the object of a given video: study `exchange_tuning`, on clips of its own.

`given_tuning` chose a bias that holds the new object where the old one was. Here it stands beside the other edits that
could, beside both together, beside other shapes and sizes of its target, and with fewer steps, on more clips. What is
best here is held against the rest in `given_fresh`.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import ClassVar

from ..backbones.model import Model
from ..edits.blending import KeepBackground
from ..sampling import Clip
from .given_tuning import HALF_AS_NOISY, GivenTuning
from .given_video.clips import Drawn, EditedClip
from .given_video.settings import (
    FROM_NOISE,
    Setting,
    hold,
    hold_and_pull,
    hold_and_swap,
    hold_larger,
    hold_round,
    hold_round_larger,
    hold_until,
    pull,
)

FEWER_STEPS = {"steps": 16}
NARROWER_MASK = {"keep_background": KeepBackground(threshold=0.4)}
WIDER_MASK = HALF_AS_NOISY | {"keep_background": KeepBackground(threshold=0.2)}


FASTER = HALF_AS_NOISY | FEWER_STEPS


def freed() -> dict[str, Setting]:
    """Settings in which nothing ties the edit to the source for the last share of the steps, all in sixteen steps."""
    settings = {f"free {share:g}": Setting(FASTER | {"free": share}, hold) for share in (0.25, 0.5, 0.75, 0.9)}
    for share in (0.5, 0.75):
        knobs = FASTER | {"free": share}
        settings[f"free {share:g}, skip 0"] = Setting(knobs | FROM_NOISE, hold)
        settings[f"free {share:g}, skip .3"] = Setting(knobs | {"skip": 0.3}, hold)
        settings[f"free {share:g}, disc"] = Setting(knobs, hold_round)
        settings[f"free {share:g}, threshold .4"] = Setting(knobs | NARROWER_MASK, hold)
        settings[f"free {share:g}, larger"] = Setting(knobs, hold_larger)
        settings[f"free {share:g}, scale 4"] = Setting(knobs | {"cfg_scale": 4.0}, hold)
    knobs = FASTER | {"free": 0.75}
    settings["free .75, disc, threshold .4"] = Setting(knobs | NARROWER_MASK, hold_round)
    settings["free .75, disc, scale 4"] = Setting(knobs | {"cfg_scale": 4.0}, hold_round)
    settings["free .75, until .25"] = Setting(knobs, hold_until(0.25))
    settings["free .75, pull"] = Setting(knobs, pull)
    settings["free .75, grow 2, disc"] = Setting(knobs | {"keep_background": KeepBackground(grow=2)}, hold_round)
    settings["free .75, 25 steps"] = Setting(HALF_AS_NOISY | {"free": 0.75}, hold)
    settings["free .75, scale 5"] = Setting(knobs | {"cfg_scale": 5.0}, hold)
    return settings


class ExchangeTuning(GivenTuning):
    """Which edit puts a new object closest to where the true one is?"""

    compared = ("pocket-dit",)
    settings: ClassVar[Mapping[str, Mapping[str, Setting]]] = {
        "object": {
            "hold": Setting(HALF_AS_NOISY, hold),
            "hold, skip 0": Setting(FROM_NOISE, hold),
            "hold, scale 4": Setting(HALF_AS_NOISY | {"cfg_scale": 4.0}, hold),
            "hold and swap": Setting(HALF_AS_NOISY, hold_and_swap),
            "pull": Setting(HALF_AS_NOISY, pull),
            "hold and pull": Setting(HALF_AS_NOISY, hold_and_pull),
            "hold and pull, skip 0": Setting(FROM_NOISE, hold_and_pull),
            "hold, skip .3": Setting({}, hold),
            "hold larger": Setting(HALF_AS_NOISY, hold_larger),
            "hold in a disc": Setting(HALF_AS_NOISY, hold_round),
            "hold in a larger disc": Setting(HALF_AS_NOISY, hold_round_larger),
            "hold, threshold .2": Setting(WIDER_MASK, hold),
            "hold larger, threshold .2": Setting(WIDER_MASK, hold_larger),
            "hold, 16 steps": Setting(HALF_AS_NOISY | FEWER_STEPS, hold),
            "hold larger, 16 steps": Setting(HALF_AS_NOISY | FEWER_STEPS, hold_larger),
            "hold, skip .3, 16 steps": Setting(FEWER_STEPS, hold),
            "hold larger, skip .3, 16 steps": Setting(FEWER_STEPS, hold_larger),
        }
        | freed()
    }
    count: ClassVar[int] = 36
    first_seed: ClassVar[int] = 11_000_000

    def edit(self, model: Model, setting: Setting, clip: EditedClip, drawn: Drawn, seed: int) -> Clip:
        """One edit, by a model that has as many steps by default as the setting says."""
        knobs = dict(setting.knobs)
        steps = knobs.pop("steps", model.defaults.steps)
        model = replace(model, defaults=replace(model.defaults, steps=steps))
        return super().edit(model, replace(setting, knobs=knobs), clip, drawn, seed)
