"""Exercises on a transformer's parts: tokens back to latents, softmax attention, a bias on one word."""

from collections.abc import Callable
from typing import Annotated

import torch
from einops import rearrange
from torch import Tensor

from ..arguments import checked
from ..attention.softmax import attention_maps
from ..kinds import takes
from .verdict import Inputs, Verdict, judge

Tokens = Annotated[Callable, takes(3)]
Attention = Annotated[Callable, takes(3)]
Biased = Annotated[Callable, takes(2)]
PATTERN = "(frames rows columns) (channels y x) -> channels frames (rows y) (columns x)"
PATCH = {"y": 2, "x": 2}


@checked
def unpatchify(function: Tokens) -> Verdict:
    """Check `function(tokens, rows, columns)`: patches of 2 x 2 latents, (tokens, channels · 4), put together again."""
    generator = torch.Generator().manual_seed(0)
    calls: list[Inputs] = []
    for frames, rows, columns in ((2, 3, 4), (3, 2, 5)):
        calls.append((torch.randn(frames * rows * columns, 16, generator=generator), rows, columns))
    return judge(function, _arranged(PATTERN), PATCH_MISTAKES, calls, "unpatchify")


def _arranged(pattern: str) -> Callable[[Tensor, int, int], Tensor]:
    """The arrangement of a pattern."""

    def arrange(tokens: Tensor, rows: int, columns: int) -> Tensor:
        return rearrange(tokens, pattern, rows=rows, columns=columns, **PATCH)

    return arrange


PATCH_MISTAKES = {
    "unpatchify mirrors every patch at its diagonal: within a patch rows come before columns":
        _arranged("(frames rows columns) (channels x y) -> channels frames (rows y) (columns x)"),
    "unpatchify takes the channel last within a patch: its numbers are channel by channel":
        _arranged("(frames rows columns) (y x channels) -> channels frames (rows y) (columns x)"),
    "unpatchify counts columns before rows: the tokens of a frame go along a row first":
        _arranged("(frames columns rows) (channels y x) -> channels frames (rows y) (columns x)"),
    "unpatchify counts frames last: all tokens of the first frame come first":
        _arranged("(rows columns frames) (channels y x) -> channels frames (rows y) (columns x)"),
    "unpatchify puts patches apart: the cells of a patch are neighbours, so write (rows y), not (y rows)":
        _arranged("(frames rows columns) (channels y x) -> channels frames (y rows) (x columns)"),
    "unpatchify has the frames before the channels": lambda tokens, rows, columns: _arranged(PATTERN)(
        tokens, rows, columns
    ).transpose(0, 1),
    "unpatchify has width before height": lambda tokens, rows, columns: _arranged(PATTERN)(
        tokens, rows, columns
    ).transpose(2, 3),
}  # fmt: skip


@checked
def attention(function: Attention) -> Verdict:
    """Check `function(query, key, value)`: softmax(query · key / sqrt(width)) · value, of (heads, positions, width)."""
    generator = torch.Generator().manual_seed(0)
    calls: list[Inputs] = []
    for heads, pixels, tokens in ((2, 5, 3), (1, 4, 4)):
        query = 2 * torch.randn(heads, pixels, 8, generator=generator)
        key, value = (torch.randn(heads, tokens, 8, generator=generator) for _ in range(2))
        calls.append((query, key, value))
    return judge(function, _attend, ATTENTION_MISTAKES, calls, "attention")


def _attend(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    return attention_maps(query[None], key[None])[0] @ value


def _scores(query: Tensor, key: Tensor, power: float = 0.5) -> Tensor:
    """Products of queries and keys, over a power of their width."""
    return query @ key.transpose(-1, -2) / query.shape[-1] ** power


ATTENTION_MISTAKES = {
    "attention leaves out the division by the square root of the width":
        lambda query, key, value: _scores(query, key, 0).softmax(-1) @ value,
    "attention divides by the width: it must be its square root":
        lambda query, key, value: _scores(query, key, 1).softmax(-1) @ value,
    "attention has its softmax over the patches: each patch shares itself out among the words, the last axis":
        lambda query, key, value: _scores(query, key).softmax(-2) @ value,
    "attention has its softmax over the heads: each head has one of its own, over the tokens":
        lambda query, key, value: _scores(query, key).softmax(0) @ value,
    "attention has no softmax": lambda query, key, value: _scores(query, key) @ value,
    "attention returns the probabilities: multiply them by the values": lambda query, key, value: _scores(
        query, key
    ).softmax(-1),
    "attention multiplies by the keys: what is mixed are the values":
        lambda query, key, value: _scores(query, key).softmax(-1) @ key,
}  # fmt: skip


@checked
def biased_attention(function: Biased) -> Verdict:
    """Check `function(logits, bias)`: probabilities where `bias` (pixels,) is added to the logits of token 1.

    Logits are (pixels, tokens).
    """
    generator = torch.Generator().manual_seed(0)
    calls: list[Inputs] = []
    for pixels in (6, 4):
        inside = torch.arange(pixels) < pixels // 2
        calls.append((torch.randn(pixels, 4, generator=generator), torch.where(inside, 2.0, -3.0)))
    return judge(function, _biased, BIAS_MISTAKES, calls, "biased_attention")


WORD = 1  # the token whose logits are biased


def _biased(logits: Tensor, bias: Tensor) -> Tensor:
    return _added(logits, bias).softmax(-1)


def _added(values: Tensor, bias: Tensor) -> Tensor:
    """Values with the bias on the word's column."""
    column = torch.arange(values.shape[-1]) == WORD
    return values + bias[:, None] * column


BIAS_MISTAKES = {
    "biased_attention changes nothing: a bias on all tokens cancels in the softmax; add it to token 1 alone":
        lambda logits, bias: (logits + bias[:, None]).softmax(-1),
    "biased_attention adds the bias to the probabilities: add it before the softmax, so that rows still sum to one":
        lambda logits, bias: _added(logits.softmax(-1), bias),
    "biased_attention subtracts the bias": lambda logits, bias: _added(logits, -bias).softmax(-1),
    "biased_attention returns logits: take the softmax over the tokens": _added,
    "biased_attention has its softmax over the pixels: it goes over the tokens, the last axis":
        lambda logits, bias: _added(logits, bias).softmax(0),
    "biased_attention multiplies the logits: what moves a softmax by a factor is a sum of logits":
        lambda logits, bias: torch.where(torch.arange(logits.shape[-1]) == WORD, logits * bias[:, None], logits
        ).softmax(-1),
}  # fmt: skip
