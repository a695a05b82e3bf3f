"""Choosing how a transformer exchanges the object of a given video: study `exchange_tuning`, on clips of its own.

`given_tuning` chose a bias that holds the new object where the old one was. Here it stands beside the other edits that
could, and beside both together, on more clips. What is best here is held against the rest in `given_fresh`.
"""

from collections.abc import Mapping
from typing import ClassVar

from ..edits.blending import KeepBackground
from .given_tuning import HALF_AS_NOISY, GivenTuning
from .given_video.settings import (
    FROM_NOISE,
    Setting,
    hold,
    hold_and_pull,
    hold_and_swap,
    hold_larger,
    hold_round,
    hold_round_larger,
    pull,
)

FEWER_STEPS = {"steps": 16}
MORE_ROOM = HALF_AS_NOISY | {"keep_background": KeepBackground(grow=2)}


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
            "hold, grow 2": Setting(MORE_ROOM, hold),
            "hold larger": Setting(HALF_AS_NOISY, hold_larger),
            "hold larger, grow 2": Setting(MORE_ROOM, hold_larger),
            "hold in a disc": Setting(HALF_AS_NOISY, hold_round),
            "hold in a disc, grow 2": Setting(MORE_ROOM, hold_round),
            "hold in a larger disc": Setting(HALF_AS_NOISY, hold_round_larger),
            "hold in a larger disc, grow 2": Setting(MORE_ROOM, hold_round_larger),
            "hold, 16 steps": Setting(HALF_AS_NOISY | FEWER_STEPS, hold),
            "hold, skip .3, 16 steps": Setting(FEWER_STEPS, hold),
            "hold in a disc, skip .3, 16 steps": Setting(FEWER_STEPS, hold_round),
            "hold in a larger disc, skip .3, 16 steps": Setting(FEWER_STEPS, hold_round_larger),
        }
    }
    count: ClassVar[int] = 36
    first_seed: ClassVar[int] = 11_000_000
