"""A clip as the last line of a cell plays, beside the line that tells what it is."""

from typing import Any

from IPython.core.getipython import get_ipython

from ..sampling import Clip
from .videos import show


def play_clips(shell: Any = None) -> None:
    """Tell a notebook, by default the one that this runs in, that clips are videos; elsewhere nothing happens.

    The clip itself does not know how it is shown: only this room does.
    """
    shell = shell or get_ipython()
    if shell is not None:
        shell.display_formatter.formatters["text/html"].for_type(Clip, _page)


def _page(clip: Clip) -> str:
    """A clip as HTML."""
    return str(show(clip).data)
