"""Transforms of maps, on maps with known answers."""

import math

import numpy as np
import pytest
import torch
from drawn_videos import disc

from xattn_helpers.attention import maps


@pytest.fixture
def random():
    return torch.rand((2, 5, 6, 8), generator=torch.Generator().manual_seed(0))


# Transforms


def test_normalised_maps_span_zero_to_one_each(random):
    stretched = maps.normalise(random * 3 + 7)
    assert torch.allclose(stretched, maps.normalise(random), atol=1e-5)
    assert (stretched.amin((-2, -1)) == 0).all() and torch.allclose(stretched.amax((-2, -1)), torch.ones(2, 5))
    assert (maps.normalise(torch.full((3, 4, 4), 0.2)) == 0).all()


def test_soft_threshold_against_a_computation_by_hand():
    # norm(A) = 0, 1/4, 1/2, 1; with s = 2 the sigmoid of -1, -1/2, 0, 1, stretched again
    shape = maps.soft_threshold(torch.tensor([[0.1, 0.2], [0.3, 0.5]]), sharpness=2)
    sigmoid = [1 / (1 + math.exp(-x)) for x in (-1, -0.5, 0, 1)]
    wanted = [(value - sigmoid[0]) / (sigmoid[3] - sigmoid[0]) for value in sigmoid]
    assert np.allclose(shape.flatten(), wanted, atol=1e-6)
    assert np.allclose(wanted, [0, 0.2350037, 0.5, 1], atol=1e-6)


def test_the_papers_sharpness_is_twenty():
    # norm(A) = 0, 0.55, 1: sigmoids of -10, 1, 10
    shape = maps.soft_threshold(torch.tensor([[0.0, 0.55, 1.0]]))
    low, middle, high = (1 / (1 + math.exp(-x)) for x in (-10, 1, 10))
    assert shape[0, 1] == pytest.approx((middle - low) / (high - low), abs=1e-5)


def test_soft_threshold_at_the_papers_sharpness_is_almost_a_mask_and_has_a_gradient(random):
    shape = maps.soft_threshold(random.requires_grad_())
    assert ((shape < 0.02) | (shape > 0.98)).float().mean() > 0.6
    shape.square().sum().backward()
    assert random.grad.abs().sum() > 0


# Centres


def test_centre_of_mass_of_pixels_and_discs():
    corner = torch.zeros(4, 10)
    corner[0, 9] = 2
    assert np.allclose(maps.centre_of_mass(corner), [0.95, 0.125])
    assert np.allclose(maps.centre_of_mass(torch.ones(4, 10)), [0.5, 0.5])
    centres = maps.centre_of_mass(torch.stack([disc(64, 96, 0.3, 0.6), disc(64, 96, 0.7, 0.4)]))
    assert np.allclose(centres, [[0.3, 0.6], [0.7, 0.4]], atol=0.01)
    assert maps.centre_of_mass(torch.zeros(3, 4, 4, dtype=torch.bool)).isnan().all()


def test_the_soft_threshold_frees_the_centre_from_the_background():
    shown = 0.2 + 0.1 * disc(32, 32, 0.75, 0.75, 0.15).float()
    assert maps.centre_of_mass(shown)[0] < 0.6
    assert np.allclose(maps.centre_of_mass(maps.soft_threshold(shown)), [0.75, 0.75], atol=0.01)
