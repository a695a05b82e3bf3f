"""The one explicit softmax; and the maps of a few tokens at a large site, without ever holding those of all tokens."""

from collections.abc import Sequence
from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor
from torch.utils.checkpoint import checkpoint

# Probabilities of one call at one site, from which on a site is large. In float32 that is 256 MiB, of which a softmax
# and its gradient hold several: a tenth of a small GPU. Networks with 77 tokens stay below it; one with 12 heads, 512
# tokens and maps of 30 x 52 is above it from 8 latent frames on, and at 21 frames has three times as many.
LARGE = 2**26
AT_ONCE = 2**24  # scores that exist at one time: 64 MiB


def attention_maps(
    query: Float[Tensor, "rows heads pixels width"],
    key: Float[Tensor, "rows heads tokens width"],
    mask: Tensor | None = None,
) -> Float[Tensor, "rows heads pixels tokens"]:
    """softmax(Q K^T / sqrt(d)) in float32, whatever the precision of the network (Vaswani et al. 2017, eq. 1)."""
    scores = query.float() @ key.float().transpose(-1, -2) / query.shape[-1] ** 0.5
    if mask is not None:
        scores = scores + _additive(mask)
    return scores.softmax(-1)


def _additive(mask: Tensor) -> Tensor:
    """A mask of a network, (rows, tokens), (rows, 1, tokens) or with heads, as numbers to be added to the scores."""
    if mask.dtype == torch.bool:
        mask = torch.zeros(mask.shape, device=mask.device).masked_fill(~mask, -torch.inf)
    if mask.ndim == 2:
        mask = mask[:, None]
    return mask.float() if mask.ndim == 4 else mask.float()[:, None]


def is_large(query: Float[Tensor, "rows heads pixels width"], key: Float[Tensor, "rows heads tokens width"]) -> bool:
    """Whether all probabilities of a site are too many to be held."""
    return query.shape[:-1].numel() * key.shape[-2] >= LARGE


def attention_columns(
    query: Float[Tensor, "rows heads pixels width"],
    key: Float[Tensor, "rows heads tokens width"],
    tokens: Sequence[int] | Tensor,
    mask: Tensor | None = None,
) -> Float[Tensor, "rows heads pixels columns"]:
    """The columns of some tokens in `attention_maps`, whose rows are softmaxes over all tokens.

    Pixels come in parts, of which only these columns stay. Where a gradient will be taken, each part forgets its scores
    and computes them again for it, so that no more than one part is held then, either.
    """
    chosen = torch.as_tensor(tokens, device=query.device)
    pixels = max(1, AT_ONCE // (query.shape[:2].numel() * key.shape[-2]))
    is_differentiated = torch.is_grad_enabled() and (query.requires_grad or key.requires_grad)
    forgetful = partial(checkpoint, _columns, use_reentrant=False, preserve_rng_state=False)
    compute = forgetful if is_differentiated else _columns
    columns = []
    for part in query.split(pixels, dim=2):
        columns.append(compute(part, key, chosen, mask))
    return torch.cat(columns, 2)


def _columns(query: Tensor, key: Tensor, chosen: Tensor, mask: Tensor | None) -> Tensor:
    return attention_maps(query, key, mask)[..., chosen]
