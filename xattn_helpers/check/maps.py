"""Exercises on attention maps: one word's map as a picture, a recorder, and the mean over steps, heads and layers."""

from collections.abc import Callable
from typing import Annotated

import torch
from torch import Tensor
from torch.nn import functional as F

from ..arguments import checked
from ..attention.maps import normalise
from ..attention.softmax import attention_maps
from ..kinds import takes
from .verdict import Inputs, Verdict, judge

WordMap = Annotated[Callable, takes(5)]
Recorder = Annotated[Callable, takes(3)]
Mean = Annotated[Callable, takes(2)]
WIDTH = 4  # of a head


@checked
def word_map(function: WordMap) -> Verdict:
    """Check `function(query, key, token, height, width)`: the map (height, width) of a token, the mean over heads.

    Queries are (heads, height · width, d), keys (heads, tokens, d); each pixel's softmax is over all tokens.
    """
    generator = torch.Generator().manual_seed(0)
    calls: list[Inputs] = []
    for heads, height, width, tokens, token in ((2, 2, 3, 5, 1), (3, 4, 2, 4, 3)):
        query = 2 * torch.randn(heads, height * width, WIDTH, generator=generator)
        key = torch.randn(heads, tokens, WIDTH, generator=generator)
        calls.append((query, key, token, height, width))
    return judge(function, _word_map, WORD_MAP_MISTAKES, calls, "word_map")


def _probabilities(query: Tensor, key: Tensor) -> Tensor:
    """(heads, pixels, tokens)."""
    return attention_maps(query[None], key[None])[0]


def _scores(query: Tensor, key: Tensor) -> Tensor:
    return query @ key.transpose(-1, -2)


def _word_map(query: Tensor, key: Tensor, token: int, height: int, width: int) -> Tensor:
    return _picture(_probabilities(query, key), token, height, width)


def _picture(values: Tensor, token: int, height: int, width: int) -> Tensor:
    """The mean over heads of a token's column, as a picture."""
    return values.mean(0)[:, token].unflatten(0, (height, width))


WORD_MAP_MISTAKES = {
    "word_map leaves out the division by the square root of the width d":
        lambda query, key, *rest: _picture(_scores(query, key).softmax(-1), *rest),
    "word_map divides by the width d: it must be its square root":
        lambda query, key, *rest: _picture((_scores(query, key) / WIDTH).softmax(-1), *rest),
    "word_map has its softmax over the pixels: each pixel shares itself out among the tokens, the last axis":
        lambda query, key, *rest: _picture((_scores(query, key) / WIDTH**0.5).softmax(-2), *rest),
    "word_map has its softmax over the heads: each head has one of its own, over the tokens":
        lambda query, key, *rest: _picture((_scores(query, key) / WIDTH**0.5).softmax(0), *rest),
    "word_map has no softmax": lambda query, key, *rest: _picture(_scores(query, key) / WIDTH**0.5, *rest),
    "word_map takes the mean over heads before the softmax: each head has a softmax of its own, then comes the mean":
        lambda query, key, *rest: _picture((_scores(query, key) / WIDTH**0.5).mean(0, keepdim=True).softmax(-1), *rest),
    "word_map adds up the heads: take their mean, so that a map stays between 0 and 1":
        lambda query, key, *rest: len(query) * _word_map(query, key, *rest),
    "word_map takes the first head alone: take the mean over all of them":
        lambda query, key, *rest: _picture(_probabilities(query, key)[:1], *rest),
    "word_map leaves the other tokens out before the softmax: then the one that is left gets everything":
        lambda query, key, token, height, width: torch.ones(height, width),
    "word_map counts tokens from 1: positions are counted from 0":
        lambda query, key, token, *rest: _word_map(query, key, token - 1, *rest),
    "word_map counts pixels down the columns: they go along a row first":
        lambda query, key, token, height, width: _word_map(query, key, token, width, height).mT,
    "word_map has the width before the height":
        lambda query, key, token, height, width: _word_map(query, key, token, height, width).mT,
    "word_map leaves the pixels in one row: unflatten them to (height, width)":
        lambda query, key, *rest: _word_map(query, key, *rest).flatten(),
}  # fmt: skip


@checked
def record(function: Recorder) -> Verdict:
    """Check `function(query, key, tokens)`: maps (pixels, chosen) of chosen tokens in a call with two halves.

    Queries are (2, heads, pixels, d), keys (2, heads, tokens, d): first the empty prompt, then the one that counts. The
    softmax is over all tokens, the mean over heads.
    """
    generator = torch.Generator().manual_seed(1)
    calls: list[Inputs] = []
    for heads, pixels, tokens in ((2, 6, [1, 3]), (3, 4, [0, 2, 4])):
        query = 2 * torch.randn(2, heads, pixels, WIDTH, generator=generator)
        key = torch.randn(2, heads, 5, WIDTH, generator=generator)
        calls.append((query, key, tokens))
    return judge(function, _record, RECORD_MISTAKES, calls, "record")


def _record(query: Tensor, key: Tensor, tokens: list[int]) -> Tensor:
    return _probabilities(query[1], key[1]).mean(0)[:, tokens]


def _other_half(query: Tensor, key: Tensor, tokens: list[int]) -> Tensor:
    return _record(query.flip(0), key.flip(0), tokens)


RECORD_MISTAKES = {
    "record keeps the half of the empty prompt: ours is the second":
        lambda query, key, tokens: _other_half(query, key, tokens),
    "record takes the mean over both halves: keep that of our prompt, the second":
        lambda query, key, tokens: (_record(query, key, tokens) + _other_half(query, key, tokens)) / 2,
    "record chooses tokens before the softmax: it goes over all tokens, those that are not kept included":
        lambda query, key, tokens: _probabilities(query[1], key[1][:, tokens]).mean(0),
    "record leaves out the division by the square root of the width d":
        lambda query, key, tokens: _scores(query[1], key[1]).softmax(-1).mean(0)[:, tokens],
    "record has no softmax": lambda query, key, tokens: (_scores(query[1], key[1]) / WIDTH**0.5).mean(0)[:, tokens],
    "record has its softmax over the pixels: it goes over the tokens, the last axis":
        lambda query, key, tokens: (_scores(query[1], key[1]) / WIDTH**0.5).softmax(-2).mean(0)[:, tokens],
    "record keeps all tokens: choose those that are asked for":
        lambda query, key, tokens: _probabilities(query[1], key[1]).mean(0),
    "record keeps the heads apart: take their mean":
        lambda query, key, tokens: _probabilities(query[1], key[1])[..., tokens],
    "record adds up the tokens: keep a column for each":
        lambda query, key, tokens: _record(query, key, tokens).sum(-1),
    "record keeps both halves: ours is the second, and the first is of another prompt":
        lambda query, key, tokens: torch.stack([_other_half(query, key, tokens), _record(query, key, tokens)]),
}  # fmt: skip


@checked
def mean_map(function: Mean) -> Verdict:
    """Check `function(coarse, fine)`: the mean map (height, width) of two layers, at the size of the finer one.

    A layer's maps are (steps, heads, height, width). Their mean over steps and heads is enlarged bilinearly, and then
    both layers count alike, however many heads they have.
    """
    generator = torch.Generator().manual_seed(2)
    calls: list[Inputs] = []
    for heads, height, width in (((4, 2), 2, 3), ((3, 2), 4, 2)):
        coarse = torch.rand(5, heads[0], height, width, generator=generator)
        fine = torch.rand(5, heads[1], 2 * height, 2 * width, generator=generator) / 2
        calls.append((coarse, fine))
    return judge(function, _mean_map, MEAN_MISTAKES, calls, "mean_map")


def _enlarged(layer: Tensor, like: Tensor, **how: str | bool) -> Tensor:
    """All maps of a layer at the size of those of another."""
    return F.interpolate(layer, like.shape[-2:], **{"mode": "bilinear", **how})


def _mean_map(coarse: Tensor, fine: Tensor) -> Tensor:
    return (_enlarged(coarse, fine).mean((0, 1)) + fine.mean((0, 1))) / 2


MEAN_MISTAKES = {
    "mean_map lets every head count alike, so that a layer with more heads counts more: first the mean of each layer":
        lambda coarse, fine: torch.cat([_enlarged(coarse, fine), fine], 1).mean((0, 1)),
    "mean_map repeats pixels: enlarge bilinearly, so that no edges appear that no layer has":
        lambda coarse, fine: (_enlarged(coarse, fine, mode="nearest").mean((0, 1)) + fine.mean((0, 1))) / 2,
    "mean_map enlarges with align_corners=True, which moves what is near the border: leave it out":
        lambda coarse, fine: (_enlarged(coarse, fine, align_corners=True).mean((0, 1)) + fine.mean((0, 1))) / 2,
    "mean_map adds the layers up: take their mean, so that a map stays between 0 and 1":
        lambda coarse, fine: 2 * _mean_map(coarse, fine),
    "mean_map shrinks the fine layer: enlarge the coarse one, so that no detail is lost":
        lambda coarse, fine: (coarse.mean((0, 1)) + F.adaptive_avg_pool2d(fine, coarse.shape[-2:]).mean((0, 1))) / 2,
    "mean_map leaves the coarse layer out": lambda coarse, fine: fine.mean((0, 1)),
    "mean_map leaves the fine layer out": lambda coarse, fine: _enlarged(coarse, fine).mean((0, 1)),
    "mean_map stretches each layer to [0, 1] first: probabilities say how much attention there is, so keep them":
        lambda coarse, fine: (normalise(_enlarged(coarse, fine).mean((0, 1))) + normalise(fine.mean((0, 1)))) / 2,
    "mean_map takes the last step alone: take the mean over steps":
        lambda coarse, fine: _mean_map(coarse[-1:], fine[-1:]),
    "mean_map takes the first step alone: take the mean over steps":
        lambda coarse, fine: _mean_map(coarse[:1], fine[:1]),
    "mean_map takes the first head alone: take the mean over heads":
        lambda coarse, fine: _mean_map(coarse[:, :1], fine[:, :1]),
    "mean_map takes the highest head: take the mean over heads":
        lambda coarse, fine: (_enlarged(coarse, fine).mean(0).amax(0) + fine.mean(0).amax(0)) / 2,
}  # fmt: skip
