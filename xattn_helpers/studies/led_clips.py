"""Clips in which objects were led along paths: with the boxes that were asked for, and how well they followed."""

from collections.abc import Mapping

import numpy as np
from IPython.display import HTML
from jaxtyping import UInt8
from matplotlib.figure import Figure

from ..display.figures import image_grid
from ..display.overlays import draw_boxes
from ..display.videos import show, strip
from ..edits.targets import Track
from ..sampling import Clip
from .sight import Sight

FRAMES = 6  # of a clip in its strip

Clips = Mapping[str, Clip]  # by title
Asked = Mapping[str, Track]  # the path of each word; where there are several, the title of a clip is its word


def strips(clips: Clips, asked: Asked, sight: Sight) -> Figure:
    """Six frames of each clip in a row, with the boxes that were asked for and the overlap, where it is seen."""
    drawn = _drawn(clips, asked, sight)
    return image_grid([[strip(video, FRAMES)] for video in drawn.values()], list(drawn))


def videos(clips: Clips, asked: Asked, sight: Sight, columns: int | None = None) -> HTML:
    """The clips side by side, with the boxes that were asked for and the overlap, where it is seen."""
    drawn = _drawn(clips, asked, sight)
    return show(*drawn.values(), titles=list(drawn), width=400, columns=columns)


def _drawn(clips: Clips, asked: Asked, sight: Sight) -> dict[str, UInt8[np.ndarray, "frames height width 3"]]:
    """Videos with boxes, by title."""
    drawn = {}
    for title, clip in clips.items():
        word = title if len(asked) > 1 else next(iter(asked))
        path = asked[word]
        full_title = f"{title} {sight.overlap(clip, word, path)}".rstrip()
        drawn[full_title] = draw_boxes(clip.video, path.boxes(len(clip.video)))
    return drawn
