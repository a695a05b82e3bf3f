"""Lesson 08's clips and figures: a drawn clip that is given, its truths, and edits beside them, as pictures and words.

The lesson's clips come from a seed of their own: no table and no choice of a setting has seen them.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from functools import cache

import numpy as np
from jaxtyping import Float
from matplotlib.figure import Figure
from PIL import Image
from torch import Tensor

from ..backbones.model import Model
from ..display.figures import image_grid
from ..display.overlays import draw_mask
from ..display.pixels import repeated
from ..display.plots import draw_intervals, panels
from ..display.videos import strip
from ..measures.video import Video
from .given_video.clips import Drawn, EditedClip, Painter, sample_clips
from .given_video.measuring import measure_edit, through_autoencoder
from .rows import Row
from .sight import Sight

SEED, COUNT = 7_000_000, 12  # of the lesson's clips
SHOWN = 5  # frames of a clip in its strip
MEANS = ("iou", "psnr", "autoencoder psnr")  # of several edits
FIGURES = {  # of the study that the lesson shows, and their titles
    "IoU with the true mask": "IoU with the true mask",
    "background PSNR": "PSNR of the background, dB",
}


@cache
def painter() -> Painter:
    """Draws the clips."""
    return Painter("cpu")


def exchanges() -> list[EditedClip]:
    """Clips in which another object shall take the place of the given one."""
    return sample_clips("object", COUNT, SEED)


def changed(clip: EditedClip, scale: float = 1.0, across: float = 0.0) -> EditedClip:
    """The same given clip, whose object shall be larger, or further to the right by a share of the picture."""
    (actor,) = clip.source.actors
    actor = dataclasses.replace(actor, size=scale * actor.size, position=actor.position + np.array([across, 0.0]))
    truth = dataclasses.replace(clip.source, actors=[actor])
    return EditedClip(clip.source, truth, clip.source.caption, {"scale": scale, "across": across})


def drawn(clip: EditedClip, frames: int) -> Drawn:
    """The first frames of a clip and of its truth."""
    whole = painter().draw(clip)
    return Drawn(*(part[:frames] for part in (whole.video, whole.masks, whole.truth, whole.true_masks)))


def fitted(video: Video, model: Model) -> Video:
    """A video in the size of the pictures that a model makes; of drawn clips and pocket models, the same."""
    height, width = model.defaults.height, model.defaults.width
    if video.shape[1:3] == (height, width):
        return video
    return np.stack([np.array(Image.fromarray(frame).resize((width, height))) for frame in video])


# Pictures


def strips(videos: Mapping[str, Video]) -> Figure:
    """Some frames of each video in a row, with its title."""
    return image_grid([[strip(video, SHOWN)] for video in videos.values()], list(videos))


def masked(video: Video, mask: Float[Tensor, "frames height width"]) -> Video:
    """A video on which a soft mask of latents is drawn where it is above one half, each on the frames it is about."""
    return draw_mask(video, repeated(mask.cpu().numpy() > 0.5, len(video)))


# Words


def told(row: Row, clip: EditedClip) -> str:
    """What an edit became, in words: what is seen of both objects, the overlap with the truth, and the background."""
    parts = []
    if row["new seen"] is not None:
        parts.append(f"{clip.new_word} {'seen' if row['new seen'] else 'not seen'}")
    if clip.new_word != clip.word or row["new seen"] is None:
        parts.append(f"{clip.word} {'still there' if row['old seen'] else 'gone'}")
    if row["iou"] is not None:
        parts.append(f"IoU with the truth {row['iou']:.2f}")
    return ", ".join([*parts, f"background {row['psnr']:.1f} dB (autoencoder {row['autoencoder psnr']:.1f})"])


def measure(model: Model, clip: EditedClip, video: Video) -> Row:
    """What the study `given_video` measures of an edit of a clip's first frames."""
    pixels = drawn(clip, len(video))
    return measure_edit(clip, pixels, video, through_autoencoder(model, pixels.video), "cpu")


def verdicts(model: Model, edits: Mapping[str, tuple[EditedClip, Video]], sight: Sight) -> list[str]:
    """Each edit in a line, by its title; none for a model of another world than the drawn one, after saying so."""
    if not sight.is_clear:
        print("The detector knows the drawn world only: left out for this model.")
        return []
    return [f"{title}: {told(measure(model, clip, video), clip)}" for title, (clip, video) in edits.items()]


def counted(rows: Sequence[Row]) -> list[str]:
    """How many of some edits show the new object and not the old one, the mean overlap, and the mean backgrounds."""
    seen, gone = sum(bool(row["new seen"]) for row in rows), sum(not row["old seen"] for row in rows)
    overlap, *backgrounds = [float(np.mean([row[name] for row in rows])) for name in MEANS]
    shares = [f"{count} of {len(rows)}" for count in (seen, gone)]
    return [*shares, f"{overlap:.2f}", *(f"{background:.1f} dB" for background in backgrounds)]


# The study


def by_setting(table: Mapping, kind: str = "object") -> Figure:
    """Two figures of `given_video` for each setting of a kind of edit: a colour for each model."""
    names = list(dict.fromkeys(name for kinds in table.values() for name in kinds.get(kind, {})))
    figure, [axes] = panels(1, len(FIGURES), (9, 3))
    for axis, (column, title) in zip(axes, FIGURES.items(), strict=True):
        for number, (model, kinds) in enumerate(table.items()):
            settings = kinds.get(kind, {})
            places = [names.index(name) + 0.15 * number for name in settings]
            draw_intervals(axis, places, [estimates[column] for estimates in settings.values()], label=model)
        axis.set(title=title, xticks=range(len(names)), xticklabels=names)
    axes[0].legend(frameon=False, fontsize=9)
    return figure
