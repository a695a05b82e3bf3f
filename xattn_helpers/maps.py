"""What to make of attention maps: normalise, threshold, and measure how well they find an object.

Maps are float tensors (..., height, width) with any leading axes (tokens, frames); masks are boolean, of the same shape
or one that broadcasts to it. A measure of an object that is not there (an empty mask) is NaN.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

SHARPNESS = 20.0  # of the soft threshold, as in Diffusion self-guidance and in the paper's code


def normalise(maps: Tensor) -> Tensor:
    """Each map stretched to [0, 1]; a constant map becomes 0."""
    low, high = maps.amin((-2, -1), keepdim=True), maps.amax((-2, -1), keepdim=True)
    return (maps - low) / (high - low).clamp(min=1e-8)


def soft_threshold(maps: Tensor, sharpness: float = SHARPNESS) -> Tensor:
    """The paper's shape(k), section 3.4: norm(sigmoid(s * (norm(A) - 1/2))), in [0, 1], differentiable."""
    return normalise(torch.sigmoid(sharpness * (normalise(maps) - 0.5)))


def shrink_mask(masks: Tensor, size: tuple[int, int]) -> Tensor:
    """Masks (frames, H, W) at the resolution of a map: a cell is in when half of it is."""
    return F.adaptive_avg_pool2d(masks.float()[:, None], size)[:, 0] >= 0.5


def auroc(maps: Tensor, masks: Tensor) -> Tensor:
    """Probability that a map is higher at a random pixel of the object than at a random pixel outside, (...,).

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


def iou(maps: Tensor, masks: Tensor) -> Tensor:
    """Overlap of maps S in [0, 1], such as `soft_threshold` gives, with masks M: sum min(S, M) / sum max(S, M), (...,).

    Of two masks it is intersection over union; a soft map counts with its grey values, without a second threshold.
    """
    objects = masks.to(maps.dtype)
    overlap = torch.minimum(maps, objects).sum((-2, -1)) / torch.maximum(maps, objects).sum((-2, -1))
    return overlap.where(objects.sum((-2, -1)) > 0, torch.nan)


def entropy(maps: Tensor) -> Tensor:
    """How spread out a map is, (...,): -sum p log p / log(pixels) of p = A / sum A; 0 one pixel, 1 everywhere alike."""
    shares = maps.flatten(-2) / maps.flatten(-2).sum(-1, keepdim=True)
    return -torch.xlogy(shares, shares).sum(-1) / math.log(shares.shape[-1])


def roughness(maps: Tensor) -> Tensor:
    """Total variation per pair of neighbours, (...,): the mean of |N(p) - N(q)| over all pixels p, q side by side or
    one above the other, of the map N stretched to [0, 1].

    0 a constant map, 1 a checkerboard. The outline of one clean object counts as well, and weighs less at a higher
    resolution: compare maps of the same resolution only.
    """
    stretched = normalise(maps)
    down, across = stretched.diff(dim=-2).abs(), stretched.diff(dim=-1).abs()
    return torch.cat([down.flatten(-2), across.flatten(-2)], -1).mean(-1)


def leakage(maps: Tensor, masks: Tensor) -> Tensor:
    """How much the maps of *other* tokens ("in", "the") know of the object, (...,): 2 AUROC - 1, in [-1, 1].

    1 when the token's map finds the object as a perfect noun's would, 0 when it knows nothing of it, negative when it
    avoids it, as a scene's word may. Against the object's mask and not by correlation with the noun's map: attention
    adds up to one over the tokens, so that noise and bright spots common to the whole picture correlate all maps,
    object or not, and a noun's own noise would hide what the others know.
    """
    return 2 * auroc(maps, masks) - 1


def centre_of_mass(maps: Tensor) -> Tensor:
    """Mean position weighted by the map, (..., 2) as x, y in [0, 1], y down; NaN for a map of zeros, such as no mask.

    A raw map's background draws its centre to the middle of the picture: take the soft threshold first.
    """
    weights = maps.float()
    height, width = weights.shape[-2:]
    ys = (torch.arange(height, device=maps.device) + 0.5) / height
    xs = (torch.arange(width, device=maps.device) + 0.5) / width
    moments = [(weights * xs).sum((-2, -1)), (weights * ys[:, None]).sum((-2, -1))]
    return torch.stack(moments, -1) / weights.sum((-2, -1))[..., None]


def jitter(centres: Tensor, objects: Tensor) -> Tensor:
    """How the map's centre trembles about the object's, (...,), both (..., frames, 2) as x, y.

    Root mean square over frames of the step that the difference takes: |(c - o)(f + 1) - (c - o)(f)|, in parts of the
    picture. A map beside its object that moves along with it has none. Steps with a NaN, where the object is not seen,
    are left out; NaN when no step is left.
    """
    steps = (centres - objects).diff(dim=-2).square().sum(-1)  # (..., frames - 1)
    return steps.nanmean(-1).sqrt()
