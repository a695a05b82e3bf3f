"""Players: stored videos and maps that a reader can turn without a kernel, in plain JavaScript.

`show` plays videos. The others stand in for an explorer where it has no kernel, in a stored notebook and on a page:
`with_player` is the one call by which an explorer leaves its player behind.
"""

from .attention import attention_player
from .fallback import with_player
from .swap import swap_player
from .track import track_player

__all__ = ["attention_player", "swap_player", "track_player", "with_player"]
