"""Masks of text, in all the shapes in which networks hand them to their attention."""

import pytest
import torch

from xattn_helpers.attention.processor import attention_maps

QUERY = torch.tensor([[[[1.0, 0.0]]], [[[0.0, 2.0]]]])  # (2 rows, 1 head, 1 pixel, 2)
KEY = torch.tensor([[[[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]]]).expand(2, 1, 3, 2)  # 3 tokens
REAL = torch.tensor([[True, True, False], [True, False, True]])


def by_hand(row):
    scores = torch.exp(QUERY[row, 0, 0] @ KEY[row, 0].T / 2**0.5) * REAL[row]
    return scores / scores.sum()


def test_without_a_mask_all_tokens_are_seen():
    maps = attention_maps(QUERY, KEY)
    scores = torch.exp(QUERY @ KEY.transpose(-1, -2) / 2**0.5)
    torch.testing.assert_close(maps, scores / scores.sum(-1, keepdim=True))


@pytest.mark.parametrize("shape", [(2, 3), (2, 1, 3), (2, 1, 1, 3)])
@pytest.mark.parametrize("kind", ["bool", "numbers", "half"])
def test_masked_tokens_draw_no_attention(shape, kind):
    mask = REAL.reshape(shape)
    if kind != "bool":
        mask = (~mask).to(torch.float16 if kind == "half" else torch.float32) * -10000.0
    maps = attention_maps(QUERY, KEY, mask)
    for row in range(2):
        torch.testing.assert_close(maps[row, 0, 0], by_hand(row))


def test_maps_of_half_precision_are_computed_in_single():
    maps = attention_maps(QUERY.half() * 300, KEY.half() * 300)  # a score of 127,000 is infinite in half precision
    assert maps.dtype == torch.float32 and maps.isfinite().all()
