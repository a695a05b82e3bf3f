"""The one softmax against a computation by hand, with every form of mask, and networks without text attention."""

import math
from types import SimpleNamespace

import pytest
import torch
from models_for_tests import tiny
from torch import nn

from xattn_helpers.attention.processor import attention_maps, listening

ROWS, HEADS, PIXELS, TOKENS, WIDTH = 2, 3, 5, 4, 6  # all different, so that no axis can stand for another


def random_heads(positions: int, seed: int) -> torch.Tensor:
    return torch.randn(ROWS, HEADS, positions, WIDTH, generator=torch.Generator().manual_seed(seed))


def by_hand(query: torch.Tensor, key: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """exp(q k / sqrt(width) + mask) over its sum, one product at a time."""
    maps = torch.zeros(ROWS, HEADS, PIXELS, TOKENS)
    for row, head, pixel, token in torch.cartesian_prod(*map(torch.arange, maps.shape)).tolist():
        product = float(query[row, head, pixel] @ key[row, head, token])
        maps[row, head, pixel, token] = math.exp(product / math.sqrt(WIDTH) + float(mask[row, head, pixel, token]))
    return maps / maps.sum(-1, keepdim=True)


def test_maps_are_the_softmax_of_scaled_products():
    query, key = random_heads(PIXELS, 0), random_heads(TOKENS, 1)
    wanted = by_hand(query, key, torch.zeros(ROWS, HEADS, PIXELS, TOKENS))
    torch.testing.assert_close(attention_maps(query, key), wanted)
    half = attention_maps(query.half(), key.half())
    assert half.dtype == torch.float32 and (half - wanted).abs().max() < 1e-2


@pytest.mark.parametrize(
    ("shape", "axes"),
    [
        ((ROWS, TOKENS), (ROWS, 1, 1, TOKENS)),
        ((ROWS, 1, TOKENS), (ROWS, 1, 1, TOKENS)),
        ((ROWS, HEADS, PIXELS, TOKENS), (ROWS, HEADS, PIXELS, TOKENS)),
    ],
)
def test_a_mask_of_numbers_is_added_to_the_scores(shape, axes):
    query, key = random_heads(PIXELS, 0), random_heads(TOKENS, 1)
    mask = torch.randn(shape, generator=torch.Generator().manual_seed(2))
    wanted = by_hand(query, key, mask.view(axes).expand(ROWS, HEADS, PIXELS, TOKENS))
    torch.testing.assert_close(attention_maps(query, key, mask), wanted)
    torch.testing.assert_close(attention_maps(query, key, mask.double()), wanted)


def test_a_mask_of_truths_leaves_the_other_tokens_out():
    query, key = random_heads(PIXELS, 0), random_heads(TOKENS, 1)
    mask = torch.tensor([[True, True, False, True], [True, False, True, True]])
    maps = attention_maps(query, key, mask)
    assert (maps[0, ..., 2] == 0).all() and (maps[1, ..., 1] == 0).all()
    numbers = torch.tensor([[0.0, 0.0, -math.inf, 0.0], [0.0, -math.inf, 0.0, 0.0]])
    torch.testing.assert_close(maps, attention_maps(query, key, numbers))


def test_a_network_without_text_attention_says_what_it_has():
    with pytest.raises(ValueError, match="^Linear has no text cross-attention .*; its attention modules: none$"):
        with listening(SimpleNamespace(network=nn.Linear(1, 1)), lambda *_: None, []):
            pass
    with pytest.raises(ValueError, match="UNet2DConditionModel has no .*; its attention modules: Attention$"):
        with listening(tiny(1).backbone, lambda *_: None, []):
            pass
