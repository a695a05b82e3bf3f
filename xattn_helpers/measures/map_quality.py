"""How well attention maps find an object, and how noisy they are.

Maps are float tensors (..., height, width) with any leading axes (tokens, frames); masks are boolean, of the same shape
or one that broadcasts to it. A measure of an object that is not there (an empty mask) is NaN.
"""

import math

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor

from ..arguments import checked
from ..attention.maps import normalise
from ..kinds import Side

Maps = Float[Tensor, "*axes height width"]
MapMasks = Bool[Tensor, "*axes height width"]


@checked
def shrink_mask(
    masks: Bool[Tensor, "frames rows columns"], size: tuple[Side, Side]
) -> Bool[Tensor, "frames height width"]:
    """Masks at the resolution `size` (height, width) of a map: a cell is in when half of it is."""
    return F.adaptive_avg_pool2d(masks.float()[:, None], size)[:, 0] >= 0.5


@checked
def inside_and_outside(
    maps: Float[Tensor, "tokens height width"], mask: Bool[Tensor, "1 rows columns"]
) -> Float[Tensor, "2 tokens"]:
    """The mean of each map on an object and on the rest; NaN where there are no cells. A cell is in when half is."""
    (inside,) = shrink_mask(mask, (maps.shape[-2], maps.shape[-1]))
    return torch.stack([maps[:, inside].mean(-1), maps[:, ~inside].mean(-1)])


@checked
def auroc(maps: Maps, masks: MapMasks) -> Float[Tensor, "*axes"]:
    """Probability that a map is higher at a random pixel of the object than at a random pixel outside, in [0, 1].

    1 finds the object, 1/2 knows nothing of it, 0 is its negative; NaN where a mask is empty or full. Ties count half
    (the Mann-Whitney statistic).
    """
    scores, inside = maps.detach().float().flatten(-2).contiguous(), masks.flatten(-2).bool()
    ordered = scores.sort(-1).values
    below = torch.searchsorted(ordered, scores, right=False)
    up_to = torch.searchsorted(ordered, scores, right=True)
    ranks = (below + up_to + 1) / 2  # average rank of ties, from 1
    positives, count = inside.sum(-1), inside.shape[-1]
    area = (ranks.double() * inside).sum(-1) - positives * (positives + 1) / 2
    return (area / (positives * (count - positives))).float()  # 0 / 0 is NaN


@checked
def iou(maps: Maps, masks: MapMasks | Maps) -> Float[Tensor, "*axes"]:
    """Overlap of maps S in [0, 1], such as `soft_threshold` gives, with masks M: sum min(S, M) / sum max(S, M).

    Of two masks it is intersection over union; a soft map counts with its grey values, without a second threshold.
    """
    objects = masks.to(maps.dtype)
    overlap = torch.minimum(maps, objects).sum((-2, -1)) / torch.maximum(maps, objects).sum((-2, -1))
    return overlap.where(objects.sum((-2, -1)) > 0, torch.nan)


@checked
def leakage(maps: Maps, masks: MapMasks) -> Float[Tensor, "*axes"]:
    """How much the maps of *other* tokens ("in", "the") know of the object: 2 AUROC - 1, in [-1, 1].

    1 when the token's map finds the object as a perfect noun's would, 0 when it knows nothing of it, negative when it
    avoids it, as a scene's word may. Against the object's mask and not by correlation with the noun's map: attention
    adds up to one over the tokens, so that noise and bright spots common to the whole picture correlate all maps,
    object or not, and a noun's own noise would hide what the others know.
    """
    return 2 * auroc(maps, masks) - 1


@checked
def entropy(maps: Maps) -> Float[Tensor, "*axes"]:
    """How spread out a map is: -sum p log p / log(pixels) of p = A / sum A; 0 one pixel, 1 everywhere alike."""
    shares = maps.flatten(-2) / maps.flatten(-2).sum(-1, keepdim=True)
    return -torch.xlogy(shares, shares).sum(-1) / math.log(shares.shape[-1])


@checked
def roughness(maps: Maps) -> Float[Tensor, "*axes"]:
    """Total variation per pair of neighbours: the mean of |N(p) - N(q)| over all pixels p, q side by side or one above
    the other, of the map N stretched to [0, 1].

    0 a constant map, 1 a checkerboard. The outline of one clean object counts as well, and weighs less at a higher
    resolution: compare maps of the same resolution only.
    """
    stretched = normalise(maps)
    down, across = stretched.diff(dim=-2).abs(), stretched.diff(dim=-1).abs()
    return torch.cat([down.flatten(-2), across.flatten(-2)], -1).mean(-1)


@checked
def jitter(
    centres: Float[Tensor, "*axes frames 2"], objects: Float[Tensor, "*axes frames 2"]
) -> Float[Tensor, "*axes"]:
    """How the map's centre trembles about the object's, both x, y, in parts of the picture.

    Root mean square over frames of the step that the difference takes: |(c - o)(f + 1) - (c - o)(f)|. A map beside its
    object that moves along with it has none. Steps with a NaN, where the object is not seen, are left out; NaN when no
    step is left.
    """
    steps = (centres - objects).diff(dim=-2).square().sum(-1)  # (..., frames - 1)
    return steps.nanmean(-1).sqrt()
