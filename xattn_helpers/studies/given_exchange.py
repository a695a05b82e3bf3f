"""Exchanged objects as `exchange_tuning` found best, on the clips of `given_video`: study `given_exchange`.

The new object is held by a bias that keeps its word away from everywhere else more than it draws it in, from more noise
and in fewer steps than `edit_video` has by default. It was chosen on other clips, before it was run on these.
"""

from collections.abc import Mapping
from typing import ClassVar

from .exchange_tuning import ExchangeTuning
from .given_video import MODELS, GivenVideo
from .given_video.settings import Setting
from .given_video.table import asked_table, settings_table

CHOSEN = "hold by 4 and -16, scale 2.5"  # of the settings that keep 33 dB there, that with the best overlap


class GivenExchange(ExchangeTuning):
    """How well is an object exchanged by the setting that was best on other clips?"""

    compared = MODELS
    settings: ClassVar[Mapping[str, Mapping[str, Setting]]] = {
        "object": {"exchange": ExchangeTuning.settings["object"][CHOSEN]}
    }
    count: ClassVar[int] = GivenVideo.count
    first_seed: ClassVar[int] = GivenVideo.first_seed

    def markdown(self, table: dict) -> str:
        """What was asked of an exchanged object, and what is reached."""
        return "\n\n".join([asked_table(table, "exchange"), settings_table(table)])
