"""Right answers to the exercises on attention maps and tokens, written in another way than the checks."""

import torch
from torch.nn import functional as F

from xattn_helpers import check
from xattn_helpers.check import maps, tokens


def right_word_map(query, key, token, height, width):
    picture = torch.zeros(height, width)
    for head in range(len(query)):
        for pixel in range(height * width):
            exponentials = [float(torch.exp(query[head, pixel] @ word / word.numel() ** 0.5)) for word in key[head]]
            picture[pixel // width, pixel % width] += exponentials[token] / sum(exponentials) / len(query)
    return picture


def right_record(query, key, tokens):
    eye = torch.eye(key.shape[-2]).expand(key.shape[1], -1, -1)  # as values: the output is the probabilities
    return F.scaled_dot_product_attention(query[1], key[1], eye).mean(0)[:, tokens]


def right_mean_map(coarse, fine):
    large = F.interpolate(coarse.mean((0, 1))[None, None], scale_factor=2, mode="bilinear")[0, 0]
    return torch.stack([large, fine.mean(1).mean(0)]).mean(0)


def right_shares(probabilities, count):
    ends = torch.tensor([1, count - 1, count, probabilities.shape[1]])
    return probabilities.mean(0).cumsum(0)[ends - 1].diff(prepend=torch.zeros(1))


def right_chance(score, scores, tries):
    missed = sum(float(value) < score for value in scores) / len(scores)
    return 1 - missed**tries


EXERCISES = {
    "word_map": (check.word_map, right_word_map, maps.WORD_MAP_MISTAKES),
    "record": (check.record, right_record, maps.RECORD_MISTAKES),
    "mean_map": (check.mean_map, right_mean_map, maps.MEAN_MISTAKES),
    "token_shares": (check.token_shares, right_shares, tokens.SHARES_MISTAKES),
    "chance_of_best": (check.chance_of_best, right_chance, tokens.CHANCE_MISTAKES),
}
