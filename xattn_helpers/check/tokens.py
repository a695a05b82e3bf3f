"""Exercises on tokens: how attention is shared out among them, and how often chance makes one of them fit."""

from collections.abc import Callable
from typing import Annotated

import torch
from torch import Tensor

from ..arguments import checked
from ..kinds import takes
from .verdict import Inputs, Verdict, judge

Shares = Annotated[Callable, takes(2)]
Chance = Annotated[Callable, takes(3)]


@checked
def token_shares(function: Shares) -> Verdict:
    """Check `function(probabilities, count)`: the shares (4,) of start token, words, end token and padding.

    Probabilities are (pixels, tokens), each row sums to one; the prompt has `count` tokens with start and end, and what
    follows is padding. The mean over pixels.
    """
    generator = torch.Generator().manual_seed(3)
    calls: list[Inputs] = []
    for pixels, tokens, count in ((6, 10, 5), (4, 12, 8)):
        calls.append((torch.randn(pixels, tokens, generator=generator).softmax(-1), count))
    return judge(function, _token_shares, SHARES_MISTAKES, calls, "token_shares")


def _parts(means: Tensor, words: slice, end: slice, padding: slice) -> Tensor:
    """Sums over the start token and three ranges of the others."""
    return torch.stack([means[0], means[words].sum(), means[end].sum(), means[padding].sum()])


def _token_shares(probabilities: Tensor, count: int) -> Tensor:
    ranges = slice(1, count - 1), slice(count - 1, count), slice(count, None)
    return _parts(probabilities.mean(0), *ranges)


def _mean_of_each(probabilities: Tensor, count: int) -> Tensor:
    tokens = probabilities.shape[1]
    return _token_shares(probabilities, count) / torch.tensor([1, count - 2, 1, tokens - count])


SHARES_MISTAKES = {
    "token_shares takes the mean over the tokens of a kind: add them up, so that the four shares sum to one":
        _mean_of_each,
    "token_shares adds up the pixels: take their mean":
        lambda probabilities, count: len(probabilities) * _token_shares(probabilities, count),
    "token_shares counts the end token as a word: the words end before token count - 1":
        lambda probabilities, count: _parts(
            probabilities.mean(0), slice(1, count), slice(count - 1, count), slice(count, None)
        ),
    "token_shares counts the end token as padding: padding begins at token count":
        lambda probabilities, count: _parts(
            probabilities.mean(0), slice(1, count - 1), slice(count - 1, count), slice(count - 1, None)
        ),
    "token_shares counts the start token as a word: the words begin at token 1":
        lambda probabilities, count: _parts(
            probabilities.mean(0), slice(count - 1), slice(count - 1, count), slice(count, None)
        ),
    "token_shares is one token too late: count has the start and the end token in it":
        lambda probabilities, count: _token_shares(probabilities, count + 1),
    "token_shares takes the first padding for the end token: the end token is at count - 1":
        lambda probabilities, count: _parts(
            probabilities.mean(0), slice(1, count - 1), slice(count, count + 1), slice(count, None)
        ),
    "token_shares keeps the pixels: take their mean, one number for each of the four":
        lambda probabilities, count: torch.stack([_token_shares(row[None], count) for row in probabilities]),
}  # fmt: skip


@checked
def chance_of_best(function: Chance) -> Verdict:
    """Check `function(score, scores, tries)`: the chance that at least one of `tries` random draws reaches a score.

    `scores` (draws,) are what random draws got; the share p of them that is at least `score` estimates what one draw
    reaches, and 1 - (1 - p)^tries what the best of several does.
    """
    generator = torch.Generator().manual_seed(4)
    calls: list[Inputs] = []
    for draws, rank, tries in ((20, 17, 18), (50, 44, 5), (30, 28, 3)):
        scores = torch.rand(draws, generator=generator)
        calls.append((float(scores.sort().values[rank]), scores, tries))
    return judge(function, _chance_of_best, CHANCE_MISTAKES, calls, "chance_of_best")


def _share(score: float, scores: Tensor) -> Tensor:
    return (scores >= score).double().mean()


def _chance_of_best(score: float, scores: Tensor, tries: int) -> Tensor:
    return 1 - (1 - _share(score, scores)) ** tries


CHANCE_MISTAKES = {
    "chance_of_best is the chance of a single draw: the best was chosen from several":
        lambda score, scores, tries: _share(score, scores),
    "chance_of_best multiplies by the number of tries: that counts several hits twice, and can be above 1":
        lambda score, scores, tries: _share(score, scores) * tries,
    "chance_of_best is the chance that all tries reach the score: one is enough":
        lambda score, scores, tries: _share(score, scores) ** tries,
    "chance_of_best is the chance that no try reaches the score: take one minus it":
        lambda score, scores, tries: (1 - _share(score, scores)) ** tries,
    "chance_of_best leaves out scores that are equal to the given one: they reach it, too":
        lambda score, scores, tries: 1 - (1 - (scores > score).double().mean()) ** tries,
    "chance_of_best takes the scores below the given one: better is higher":
        lambda score, scores, tries: 1 - (1 - (scores <= score).double().mean()) ** tries,
    "chance_of_best counts scores: divide by their number":
        lambda score, scores, tries: 1 - (1 - (scores >= score).double().sum()) ** tries,
}  # fmt: skip
