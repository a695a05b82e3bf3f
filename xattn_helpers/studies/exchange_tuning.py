"""Choosing how a transformer exchanges the object of a given video: study `exchange_tuning`, on clips of its own.

`given_tuning` chose a bias that holds the new object where the old one was. Here it stands beside the other edits that
could, and beside both together, on more clips. What is best here is held against the rest in `given_fresh`.
"""

from collections.abc import Mapping
from typing import ClassVar

from .given_tuning import HALF_AS_NOISY, GivenTuning
from .given_video.settings import FROM_NOISE, Setting, hold, hold_and_pull, hold_and_swap, pull


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
        }
    }
    count: ClassVar[int] = 36
    first_seed: ClassVar[int] = 11_000_000
