"""Whether a setting that was best among those of a table is as good on other clips: study `given_fresh`.

In `given_video` a transformer that begins a little nearer to noise (a skip of .15) puts the exchanged object closer to
the true one than the setting that was fixed before. Whoever picks the best of a table flatters it, so that it is held
against the fixed one once more, on clips that neither a table nor a choice has seen.
"""

from collections.abc import Mapping
from typing import ClassVar

from .given_video import GivenVideo
from .given_video.settings import OBJECT, Setting
from .given_video.table import settings_table

COMPARED = ("edit", "skip .15")


class GivenFresh(GivenVideo):
    """Does an exchanged object take its place better from more noise, on clips that nobody has chosen by?"""

    compared = ("pocket-dit",)
    settings: ClassVar[Mapping[str, Mapping[str, Setting]]] = {"object": {name: OBJECT[name] for name in COMPARED}}
    first_seed: ClassVar[int] = 10_000_000

    def markdown(self, table: dict) -> str:
        """The two settings."""
        return settings_table(table)
