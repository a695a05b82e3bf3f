"""Energies against hand computations, and their gradients against what they ask for."""

from types import MappingProxyType

import pytest
import torch

from xattn_helpers.attention.maps import soft_threshold
from xattn_helpers.edits.energies import (
    ENERGIES,
    box_energy,
    centre_energy,
    combine,
    shape_energy,
    signed_energy,
    size_energy,
    top_energy,
    velocity_energy,
)


def blob(row: int, column: int, side: int = 2, size: int = 8) -> torch.Tensor:
    maps = torch.full((1, size, size), 0.01)
    maps[0, row : row + side, column : column + side] = 1.0
    return maps


def box(row: int, column: int, side: int = 2, size: int = 8) -> torch.Tensor:
    return (blob(row, column, side, size) > 0.5).float()


def test_box_energy_by_hand():
    maps = torch.tensor([[[0.3, 0.1], [0.1, 0.5]]])
    targets = torch.tensor([[[1.0, 0.0], [0.0, 0.0]]])
    assert box_energy(maps, targets).item() == pytest.approx((1 - 0.3 / 1.0) ** 2)
    assert box_energy(0.01 * maps, targets).item() == pytest.approx(0.49), "a share, however little is attended to"
    assert box_energy(0 * maps, targets).item() == 1, "of nothing, nothing is inside"


def test_shape_energies_by_hand():
    maps = torch.rand(3, 4, 8, 8, generator=torch.Generator().manual_seed(0))  # heads, frames
    targets = (torch.rand(4, 8, 8, generator=torch.Generator().manual_seed(1)) > 0.5).float()
    difference = targets - soft_threshold(maps)
    torch.testing.assert_close(shape_energy(maps, targets), (difference**2).mean((-1, -2)))
    torch.testing.assert_close(signed_energy(maps, targets), difference.mean((-1, -2)))
    assert shape_energy(maps, targets).shape == (3, 4)


def test_top_energy_by_hand():
    maps = torch.tensor([[[1.0, 0.2], [0.4, 0.0]]])
    targets = torch.tensor([[[1.0, 0.0], [0.0, 0.0]]])
    assert top_energy(maps, targets).item() == pytest.approx(1 - 1.0 + 0.4)  # one cell inside, one outside
    for scale in (2, 0.01):
        assert top_energy(scale * maps, targets).item() == pytest.approx(0.4)  # however much is attended to in all


def test_top_energy_looks_at_a_fifth_of_the_cells_of_the_target():
    """Ten cells inside: the two largest there, .9 and .7, and the two largest outside, 1 and .6."""
    maps = torch.tensor([0.9, 0.7, 0.3, 0.2, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 1.0, 0.6, 0.5, 0.0, 0.0, 0.0])
    targets = (torch.arange(16) < 10).float()
    energy = top_energy(maps.view(1, 4, 4), targets.view(1, 4, 4))
    assert energy.item() == pytest.approx(1 - 0.8 + 0.8)


def test_where_a_target_leaves_no_cells_in_or_outside_these_count_as_unattended():
    """Of a target everywhere, 20 % are three cells: the largest are 1, .5 and .3, and outside is nothing."""
    maps = torch.tensor([1.0, 0.5, 0.3] + [0.2] * 13).view(1, 4, 4)
    assert top_energy(maps, torch.ones(1, 4, 4)).item() == pytest.approx(1 - 1.8 / 3 + 0)
    assert top_energy(maps, torch.zeros(1, 4, 4)).item() == pytest.approx(1 - 0 + 1.0)


def test_top_energy_counts_cells_by_the_size_of_each_frames_target():
    maps = torch.rand(2, 8, 8, generator=torch.Generator().manual_seed(0))
    targets = torch.cat([box(0, 0, 2), box(2, 2, 5)])
    alone = torch.cat([top_energy(maps[frame : frame + 1], targets[frame : frame + 1]) for frame in (0, 1)])
    torch.testing.assert_close(top_energy(maps, targets), alone)


def test_a_cell_that_is_half_in_the_target_is_inside():
    maps, targets = torch.tensor([[[1.0, 0.5]]]), torch.tensor([[[0.5, 0.49]]])
    assert top_energy(maps, targets).item() == pytest.approx(1 - 1.0 + 0.5)


def test_centre_and_size_energies_know_distance_and_area():
    assert centre_energy(blob(0, 0), box(0, 4)).item() == pytest.approx((4 / 8) ** 2, abs=1e-3)
    assert size_energy(blob(0, 0, 2), box(4, 4, 4)).item() == pytest.approx((4 / 64 - 16 / 64) ** 2, abs=1e-4)
    assert centre_energy(blob(2, 2), box(2, 2)).item() == pytest.approx(0, abs=1e-6)
    assert size_energy(blob(2, 2), box(5, 5)).item() == pytest.approx(0, abs=1e-6)


def test_velocity_energy_compares_steps_and_not_places():
    moving, target = torch.cat([blob(0, 0), blob(0, 2)]), torch.cat([box(4, 0), box(4, 2)])
    torch.testing.assert_close(velocity_energy(moving, target), torch.zeros(2), atol=1e-6, rtol=0)
    still = torch.cat([blob(0, 0), blob(0, 0)])
    torch.testing.assert_close(velocity_energy(still, target), torch.tensor([0.0, (2 / 8) ** 2]), atol=1e-3, rtol=0)


@pytest.mark.parametrize("name", [name for name in ENERGIES if name != "signed"])
def test_a_perfect_map_has_less_energy_than_a_wrong_one(name):
    targets = torch.cat([box(1, 1, 3), box(3, 3, 3)])
    right = targets + 0.01
    wrong = torch.cat([blob(5, 0, 2), blob(0, 0, 2)])
    assert ENERGIES[name](right, targets).sum() < ENERGIES[name](wrong, targets).sum()


def test_the_signed_energy_prefers_attention_everywhere():
    """Why the code squares eq. 3: to the letter, a map of all ones beats the perfect one."""
    targets, everywhere = box(1, 1, 3), torch.ones(1, 8, 8)
    everywhere[0, 0, 0] = 0  # a constant map has no shape
    assert signed_energy(everywhere, targets).item() < signed_energy(targets, targets).item() - 0.5


@pytest.mark.parametrize("name", ENERGIES)
def test_every_energy_has_a_finite_gradient_that_lowers_it(name):
    generator = torch.Generator().manual_seed(0)
    maps = torch.rand(2, 3, 8, 8, generator=generator, dtype=torch.float64).requires_grad_(True)
    targets = torch.cat([box(1, 1, 3), box(2, 3, 3), box(4, 4, 3)]).double()
    energy = ENERGIES[name](maps, targets).sum()
    (gradient,) = torch.autograd.grad(energy, maps)
    assert gradient.isfinite().all() and gradient.abs().max() > 0
    after = ENERGIES[name](maps - 1e-6 * gradient / gradient.norm(), targets).sum()
    assert after < energy


@pytest.mark.parametrize("value", [0.0, 1.0])
@pytest.mark.parametrize("name", ENERGIES)
def test_a_constant_map_has_a_finite_gradient(name, value):
    maps = torch.full((1, 8, 8), value, requires_grad=True)
    (gradient,) = torch.autograd.grad(ENERGIES[name](maps, box(1, 1)).sum(), maps)
    assert gradient.isfinite().all()


def test_energies_combine_with_weights():
    maps, targets = blob(0, 0), box(3, 3)
    combined = combine(MappingProxyType({"box": 2.0, "centre": 3.0}))(maps, targets)
    torch.testing.assert_close(combined, 2 * box_energy(maps, targets) + 3 * centre_energy(maps, targets))
    torch.testing.assert_close(combine("box")(maps, targets), box_energy(maps, targets))
    assert combine(box_energy) is box_energy


@pytest.mark.parametrize("wrong", ["boxes", {"box": 1.0, "colour": 2.0}])
def test_unknown_energies_are_listed(wrong):
    with pytest.raises(ValueError, match="weights must be 'box', 'shape'"):
        combine(wrong)
    with pytest.raises(ValueError, match="energy={}: no energy is named; possible are box, shape"):
        combine({})


@pytest.mark.parametrize("weight", [float("nan"), float("inf")])
def test_weights_are_finite(weight):
    with pytest.raises(ValueError, match="weights=.*'size'.*with finite weights"):
        combine({"box": 1.0, "size": weight})
