"""Players: stored videos and maps that a reader can turn without a kernel, in plain JavaScript.

`show` uses the first; the others stand in for an explorer where it has no kernel: in a stored notebook, on a page.
"""

from .markup import player

__all__ = ["player"]
