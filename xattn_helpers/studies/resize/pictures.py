"""Boxes, gradients and pictures of lesson 04, and sizes in words."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch
from jaxtyping import Float, UInt8
from matplotlib.figure import Figure
from torch import Tensor

from ...attention.maps import soft_threshold
from ...display.figures import image_grid
from ...display.overlays import draw_boxes
from ...edits.targets import Track
from ...measures.adherence import size
from ...measures.boxes import Boxes
from ...sampling import Clip
from ..guidance.cases import box
from ..sight import Sight
from . import standing, wanted_side
from .table import WORDS

WIDTH, LARGEST = 8.1, 2.3  # inches: of a row of pictures as wide as the page, and of a picture
TITLE = 16  # characters of the longest name of a way to guide

Maps = Float[Tensor, "1 height width"]
Energy = Callable[[Tensor, Tensor], Tensor]  # of maps and targets
Image = Clip | UInt8[np.ndarray, "1 height width 3"]


def in_words(word: str, boxes: Boxes, wishes: Sequence[str] = tuple(WORDS)) -> dict[str, Track]:
    """For each size in words a box that stands where the unguided boxes (frames, 4) of the object stand."""
    paths = {}
    for wish in wishes:
        paths[wish] = standing(boxes, box(word, wanted_side(wish, boxes)))
    return paths


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


def downhill(
    maps: Maps, by_name: Mapping[str, Maps], energies: Mapping[str, Energy]
) -> dict[str, dict[str, Float[Tensor, "height width"]]]:
    """Minus the gradient of each energy with respect to a map, for each target: where it wants more attention, or less.

    By the name of the target, and then by that of the energy.
    """
    pulls: dict[str, dict[str, Tensor]] = {}
    for title, target in by_name.items():
        pulls[title] = {}
        for name, energy in energies.items():
            moving = maps.clone().requires_grad_(True)
            (gradient,) = torch.autograd.grad(energy(moving, target).sum(), moving)
            pulls[title][name] = -gradient[0]
    return pulls


def _row(pictures: Mapping[str, np.ndarray | Tensor]) -> Figure:
    cell = min(WIDTH / len(pictures), LARGEST)
    return image_grid([list(pictures.values())], column_titles=list(pictures), cell=cell)


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
