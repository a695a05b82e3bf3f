"""What is drawn on a pad, as tracks, and tracks as something drawn.

An object of a pad is a dictionary of word, points (x, y) and sizes (width, height) as shares of the picture, and times,
the share of the path at each frame, or None for even ones.
"""

from collections.abc import Sequence
from typing import Annotated, Any

import numpy as np
from pydantic import Field

from ...backbones.backbone import Site
from ...backbones.model import Model
from ...edits.targets import Track, track
from ...kinds import Words
from ...measures.boxes import Boxes

# Of objects, in their order; dark enough beside white, light enough beside black, and told apart by the colour-blind.
COLORS = ("#d9480f", "#1864ab", "#2b8a3e", "#862e9c", "#b08800", "#0b7285")
SIDE = 0.35  # of a box, where nobody has said one
START, END = (0.25, 0.25), (0.75, 0.75)  # of the path that is there at first

Tracks = Annotated[
    Track | Sequence[Track] | None, Field(description="a track, or a list of one for each word, as from track(…)")
]


def drawing(word: str, path: Track, frames: int) -> dict[str, Any]:
    """A track as an object of a pad; one that is smooth or eased has a point for each frame."""
    if path.smooth or path.easing != "linear":
        points, sizes = path.centres(frames).tolist(), path.lengths(frames).tolist()
    else:
        points, sizes = [list(key) for key in path.keys], [list(size) for size in path.sizes]
    return {"word": word, "points": points, "sizes": sizes, "times": None}


def as_track(drawn: dict[str, Any]) -> Track:
    """An object of a pad as a track. Frames at uneven times become keys of their own, which tracks reach at even ones.

    Raises ValueError for an object without a point.
    """
    points, sizes, times = drawn["points"], drawn["sizes"], drawn["times"]
    if not points:
        raise ValueError(f"track: none given for {drawn['word']!r}; it needs one point or more: click on the picture")
    if times is not None and len(points) > 1:
        points, sizes = _at(points, times), _at(sizes, times)
    return track([(x, y) for x, y in points], size=[(width, height) for width, height in sizes])


def _at(values: Sequence[Sequence[float]], times: Sequence[float]) -> list[list[float]]:
    """Values of keys at shares of the path, to the digits that a cell of code can show."""
    at = np.linspace(0, 1, len(values))
    columns = [np.interp(times, at, column) for column in np.array(values).T]
    return np.stack(columns, axis=1).round(4).tolist()


def as_lists(boxes: Boxes) -> list[list[float] | None]:
    """Boxes as a mark has them: None for a row with NaN."""
    rows: list[list[float] | None] = []
    for box in boxes:
        rows.append(None if np.isnan(box).any() else [round(float(side), 4) for side in box])
    return rows


def as_objects(words: Words, tracks: Track | Sequence[Track] | None) -> tuple[list[str], list[Track]]:
    """Words and their tracks as lists; raises ValueError for unequal numbers."""
    names = [words] if isinstance(words, str) else list(words)
    if tracks is None:
        return names, [track([START, END], SIDE)] * len(names)
    paths = [tracks] if isinstance(tracks, Track) else list(tracks)
    if len(paths) != len(names) or not names:
        raise ValueError(f"tracks: {len(paths)} given for {len(names)} words; give one for each")
    return names, paths


def map_sizes(model: Model, sites: Sequence[Site]) -> set[tuple[int, int]]:
    """Height and width of the maps of sites, in clips of the model's own size."""
    made = model.defaults
    size = model.codec.latent_size(made.frames, made.height, made.width)
    grids = [model.backbone.grid(site, size) for site in sites]
    return {(grid["height"], grid["width"]) for grid in grids}
