"""Choosing how a transformer exchanges the object of a given video: study `exchange_tuning`, on clips of its own.

`given_tuning` chose a bias that holds the new object where the old one was. Here it stands beside the other edits that
could, beside both together, beside other shapes and sizes of its target, with fewer steps, and with the mean of several
draws of noise, on more clips. What is best here runs on the clips of the table in `given_exchange`.
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
    LARGER,
    Setting,
    hold,
    hold_and_pull,
    hold_and_swap,
    hold_by,
    hold_larger,
    hold_round,
    hold_round_larger,
    pull,
)

FEWER_STEPS = {"steps": 16}
FASTEST = HALF_AS_NOISY | {"steps": 14}
WIDER_MASK = HALF_AS_NOISY | {"keep_background": KeepBackground(threshold=0.2)}

OVERLAY = {"overlay": True}  # the background is the given video's, and leaves room for a wider mask


def held() -> dict[str, Setting]:
    """Settings that move the word's logits up by other numbers than down, in few steps; logits are +-8 above."""
    settings = {}
    for inside, outside in ((4, -8), (4, -16), (4, -32), (2, -16), (0, -16)):
        settings[f"hold by {inside} and {outside}"] = Setting(FASTEST, hold_by(inside, outside))
    gentle = hold_by(4, -16)
    settings["hold by 8 and -8"] = Setting(FASTEST, hold_by(8, -8))
    settings["hold by 4 and -16, until .75"] = Setting(FASTEST, hold_by(4, -16, until=0.75))
    settings["hold by 2 and -16, until .75"] = Setting(FASTEST, hold_by(2, -16, until=0.75))
    settings["hold by 4 and -16, skip .3"] = Setting(FASTEST | {"skip": 0.3}, gentle)
    settings["hold by 4 and -16, skip 0"] = Setting(FASTEST | FROM_NOISE, gentle)
    settings["hold by 4 and -16, scale 2.5"] = Setting(FASTEST | {"cfg_scale": 2.5}, gentle)
    settings["hold by 4 and -16, scale 4"] = Setting(FASTEST | {"cfg_scale": 4.0}, gentle)
    settings["hold larger by 4 and -16"] = Setting(FASTEST, hold_by(4, -16, scale=LARGER))
    return settings


def averaged() -> dict[str, Setting]:
    """Settings that take the mean of several draws of noise at each step, and some fewer steps instead."""
    settings = {}
    for draws, steps in ((2, 14), (2, 10), (3, 10), (2, 8), (2, 7), (4, 7), (3, 5)):
        knobs = FASTEST | {"cfg_scale": 2.5, "draws": draws, "steps": steps}
        settings[f"{draws} draws, {steps} steps"] = Setting(knobs, hold_by(4, -16))
    twice, larger = FASTEST | {"cfg_scale": 2.5, "draws": 2}, hold_by(4, -16, scale=LARGER)
    settings["2 draws, 14 steps, larger"] = Setting(twice, larger)
    settings["2 draws, 14 steps, larger, overlay"] = Setting(twice | OVERLAY, larger)
    settings["2 draws, 14 steps, larger, threshold .2, overlay"] = Setting(twice | OVERLAY | WIDER_MASK, larger)
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
        | held()
        | averaged()
    }
    count: ClassVar[int] = 36
    first_seed: ClassVar[int] = 11_000_000

    def edit(self, model: Model, setting: Setting, clip: EditedClip, drawn: Drawn, seed: int) -> Clip:
        """One edit, by a model that has as many steps by default as the setting says."""
        knobs = dict(setting.knobs)
        steps = knobs.pop("steps", model.defaults.steps)
        model = replace(model, defaults=replace(model.defaults, steps=steps))
        return super().edit(model, replace(setting, knobs=knobs), clip, drawn, seed)
