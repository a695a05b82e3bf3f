"""Pictures of lesson 04, and their sizes in words: targets, gradients of the latents, and images with asked boxes."""

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Float, UInt8
from matplotlib.figure import Figure
from torch import Tensor

from ...attention.maps import soft_threshold
from ...display.figures import image_grid
from ...display.overlays import draw_boxes
from ...edits.targets import Track
from ...measures.adherence import size
from ...sampling import Clip
from ..sight import Sight

CELL = 1.6  # inches of a picture
TITLE = 15  # characters of a title before its sizes

Maps = Float[Tensor, "1 height width"]
Image = Clip | UInt8[np.ndarray, "1 height width 3"]


def boxed(images: Mapping[str, tuple[Image, Track]]) -> Figure:
    """Images side by side, each with the box that was asked for, by their titles."""
    return _row({title: draw_boxes(image, path.boxes(1))[0] for title, (image, path) in images.items()})


def targets(free: Clip, path: Track, maps: Maps, drawn: Maps, moved: Maps) -> Figure:
    """An unguided image with the asked box, a word's map and its soft threshold, and both kinds of targets."""
    pictures = {"unguided": draw_boxes(free, path.boxes(1))[0], "map A": maps[0], "shape(A)": soft_threshold(maps)[0]}
    return _row(pictures | {"target, drawn": drawn[0], "target, from shape(A)": moved[0]})


def gradients(
    free: Clip,
    latents: Float[Tensor, "1 channels 1 height width"],
    by_target: Mapping[str, Float[Tensor, "1 channels 1 height width"]],
) -> Figure:
    """An unguided image, the first channel of its latents, and how long the gradient is at each latent cell."""
    pictures = {"what it will be": free.video[0], "the latents now: noise": latents[0, 0, 0].float().cpu()}
    for title, gradient in by_target.items():
        pictures[f"gradient, {title}"] = gradient[0, :, 0].norm(dim=0).cpu()  # over the channels
    return _row(pictures)


def _row(pictures: Mapping[str, np.ndarray | Tensor]) -> Figure:
    return image_grid([list(pictures.values())], column_titles=list(pictures), cell=CELL)


def sizes_text(paths: Mapping[str, Track], ways: Mapping[str, Sequence[Clip]], word: str, sight: Sight) -> str:
    """A line with the asked sizes, and one for each way to guide with those that came out; nothing in other worlds."""
    if not sight.is_clear:
        return ""
    rows = {"asked": [size(path.boxes(1)) for path in paths.values()]}
    for title, clips in ways.items():
        rows[title] = sight.sizes(clips, word)
    return "\n".join(f"{title:{TITLE}} " + "  ".join(f"{side:.2f}" for side in sides) for title, sides in rows.items())


def against_words(
    spoken: Mapping[str, tuple[Clip, Track]], silent: Mapping[Track, Clip], word: str, sight: Sight
) -> str:
    """Sizes of clips whose prompts say a size, by their titles, beside those with the same box and no such word.

    Clips with boxes that are not in `silent` are left out; in worlds that the detector does not know, all are.
    """
    lines = []
    for title, (clip, path) in spoken.items():
        if sight.is_clear and path in silent:
            said, unsaid = sight.sizes([clip, silent[path]], word)
            lines.append(f"{title}: size {said:.2f}; with a prompt that says no size: {unsaid:.2f}")
    return "\n".join(lines)
