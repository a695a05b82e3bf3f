"""What a stored notebook shows of an explorer: its player, which is made when a lesson is written."""

import os
from collections.abc import Callable
from typing import Any

from IPython.display import HTML

STORE = "XATTN_STORE_PLAYERS"  # environment variable; `make notebooks` sets it


def with_player(bundle: Any, make: Callable[[], HTML | None]) -> Any:
    """What a widget displays, as `_repr_mimebundle_` gives it, and its player beside it while a lesson is written.

    make: gives the player, or None where there is nothing to show yet. It is called only when the player is stored, as
    it may run a model for minutes; with a kernel, readers have the explorer itself. All that an explorer does for it:

        def _repr_mimebundle_(self, **options):
            return with_player(super()._repr_mimebundle_(**options), self.stored_player)
    """
    player = make() if os.environ.get(STORE) else None
    if player is None:
        return bundle
    shown = {"text/html": str(player.data)}
    if isinstance(bundle, tuple):
        data, metadata = bundle
        return {**data, **shown}, metadata
    return {**(bundle or {}), **shown}
