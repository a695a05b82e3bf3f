"""Measures of maps, on maps with known answers."""

import math

import numpy as np
import pytest
import torch
from drawn_videos import disc

from xattn_helpers.attention.maps import soft_threshold
from xattn_helpers.measures.map_quality import (
    auroc,
    entropy,
    inside_and_outside,
    iou,
    jitter,
    leakage,
    roughness,
    shrink_mask,
)


@pytest.fixture
def random():
    return torch.rand((2, 5, 6, 8), generator=torch.Generator().manual_seed(0))


# Masks


def test_a_mask_shrinks_by_majority():
    mask = torch.zeros(1, 4, 8, dtype=torch.bool)
    mask[0, :2, :2] = True  # a whole cell
    mask[0, :2, 2] = True  # half of one
    mask[0, 2, 6] = True  # a quarter
    assert shrink_mask(mask, (2, 4)).tolist() == [[[True, True, False, False], [False] * 4]]
    assert torch.equal(shrink_mask(mask, (4, 8)), mask)
    seven = (torch.arange(16) < 7).reshape(1, 4, 4)
    assert not shrink_mask(seven, (1, 1)).any() and shrink_mask(~seven, (1, 1)).all()


def test_means_on_an_object_and_on_the_rest():
    mask = torch.zeros(1, 4, 4, dtype=torch.bool)
    mask[0, :2, :2] = True  # one cell of the maps
    maps = torch.tensor([[[0.9, 0.1], [0.2, 0.3]], [[0.0, 0.5], [0.5, 0.5]]])
    torch.testing.assert_close(inside_and_outside(maps, mask), torch.tensor([[0.9, 0.0], [0.2, 0.5]]))
    inside, outside = inside_and_outside(maps, torch.zeros_like(mask))
    assert inside.isnan().all() and torch.equal(outside, maps.mean((1, 2))), "an object that is not there"


# AUROC


def test_auroc_against_brute_force(random):
    scores = (random * 6).round()  # with ties
    masks = torch.rand(random.shape, generator=torch.Generator().manual_seed(1)) < 0.3
    measured = auroc(scores, masks)
    for index in np.ndindex(2, 5):
        inside, outside = scores[index][masks[index]], scores[index][~masks[index]]
        pairs = inside[:, None] - outside
        wanted = (pairs > 0).float().mean() + (pairs == 0).float().mean() / 2
        assert measured[index] == pytest.approx(float(wanted), abs=1e-6)


def test_auroc_of_known_maps():
    mask = disc()
    assert auroc(mask.float(), mask) == 1 and auroc(-mask.float(), mask) == 0
    assert auroc(torch.ones(12, 16), mask) == 0.5
    assert auroc(mask.half(), mask) == 1
    assert auroc(mask.float(), torch.zeros_like(mask)).isnan()
    large = torch.rand(96, 96)  # an empty or full mask is NaN at any size, not infinite by rounding
    assert auroc(large, torch.ones(96, 96, dtype=torch.bool)).isnan()


def test_auroc_broadcasts_masks_over_tokens(random):
    masks = torch.rand(5, 6, 8) < 0.5
    assert torch.equal(auroc(random, masks)[1], auroc(random[1], masks))


# Overlap


def test_iou_of_two_masks_is_intersection_over_union():
    left, right = torch.zeros(4, 4), torch.zeros(4, 4)
    left[:, :2], right[:, 1:3] = 1, 1
    assert iou(left, right.bool()) == pytest.approx(4 / 12)
    assert iou(left, left.bool()) == 1 and iou(left, ~left.bool()) == 0
    assert iou(left, torch.zeros(4, 4)).isnan()


def test_iou_of_a_soft_map_by_hand_and_after_the_soft_threshold():
    soft, mask = torch.tensor([[0.5, 0.25], [0.0, 1.0]]), torch.tensor([[True, False], [False, True]])
    assert iou(soft, mask) == pytest.approx(1.5 / 2.25)
    blurred = 0.3 + 0.1 * disc(48, 64).float() + 0.001 * torch.rand(48, 64)
    assert iou(soft_threshold(blurred), disc(48, 64)) > 0.99
    assert iou(soft_threshold(blurred), disc(48, 64, x=0.9, y=0.1)) < 0.05


# Noise


def test_entropy_of_one_pixel_of_half_the_pixels_and_of_all():
    pixel, half = torch.zeros(8, 8), torch.zeros(8, 8)
    pixel[3, 4], half[:4] = 0.7, 0.01
    measured = entropy(torch.stack([pixel, half, torch.full((8, 8), 0.02)]))
    assert np.allclose(measured, [0, math.log(32) / math.log(64), 1], atol=1e-6)


def test_roughness_of_constants_edges_ramps_and_checkerboards():
    height, width = 6, 9
    checkers = ((torch.arange(height)[:, None] + torch.arange(width)) % 2).float()
    edge = torch.zeros(height, width)
    edge[:, 4:] = 5
    pairs = height * (width - 1) + width * (height - 1)
    ramp = torch.arange(width).float().expand(height, width)
    measured = roughness(torch.stack([torch.full((height, width), 3.0), edge, ramp, checkers]))
    assert np.allclose(measured, [0, height / pairs, height / pairs, 1], atol=1e-6)


def test_noise_makes_a_map_rougher_and_spread_out():
    clean = disc(16, 16).float()
    noisy = clean + 0.3 * torch.rand(16, 16, generator=torch.Generator().manual_seed(0))
    assert roughness(noisy) > roughness(clean)
    assert entropy(noisy) > entropy(clean)


def test_leakage_of_tokens_that_know_know_nothing_and_avoid():
    masks = torch.stack([disc(x=0.3), disc(x=0.6)])  # (frames, h, w)
    tokens = torch.stack([masks.float(), torch.ones(2, 12, 16), -masks.float()])
    assert leakage(tokens, masks).tolist() == [[1, 1], [0, 0], [-1, -1]]
    noise = torch.rand((200, 2, 12, 16), generator=torch.Generator().manual_seed(0))
    assert leakage(noise, masks).mean().abs() < 0.02


# Jitter


def test_jitter_of_a_map_that_follows_trembles_or_stands():
    path = torch.stack([torch.linspace(0.2, 0.8, 13), torch.full((13,), 0.5)], -1)
    beside = path + torch.tensor([0.1, -0.05])
    assert jitter(beside, path) == pytest.approx(0, abs=1e-6), "beside it, but steady"
    standing = path.mean(0).expand(13, 2)
    assert jitter(standing, path) == pytest.approx(0.05, abs=1e-6), "the object's own step"
    signs = torch.tensor([(-1.0) ** frame for frame in range(13)])[:, None]
    trembling = path + signs * torch.tensor([0.03, 0.04])
    assert jitter(trembling, path) == pytest.approx(0.1, abs=1e-6), "2 x 0.05"


def test_jitter_leaves_out_frames_without_the_object_and_takes_many_at_once():
    path = torch.zeros(6, 2)
    centres = path.clone()
    centres[2] = torch.nan
    centres[5] = torch.tensor([0.6, 0.8])  # steps 0-1, 3-4: 0, step 4-5: 1
    assert jitter(centres, path) == pytest.approx(math.sqrt(1 / 3))
    assert torch.allclose(jitter(torch.stack([centres, path]), path), torch.tensor([math.sqrt(1 / 3), 0]))
    assert jitter(torch.full((6, 2), torch.nan), path).isnan()
