"""The paper's energy, written once more from its released code and its text, in numpy, a pixel at a time."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from diffusers import FlowMatchEulerDiscreteScheduler
from test_energies import blob, box

from xattn_helpers import load
from xattn_helpers.backbones.noise import Noise
from xattn_helpers.edits.energies import ENERGIES, lvd_energy, released_energy
from xattn_helpers.edits.steps import LAWS
from xattn_helpers.edits.targets import draw, track
from xattn_helpers.studies.guidance.paper import CODE, TEXT

LAYERS = 16  # text cross-attentions of ModelScope, of which six are filled with zeros
FILLED = [(16, 3), (16, 3), (8, 5), (8, 5), (8, 5), (8, 5), (8, 5), (16, 3), (16, 3), (16, 3)]  # rows, heads
ETA, WEIGHT, FRAMES = 15, 4, 3
PATH = track([(0.3, 0.3), (0.6, 0.5)], size=0.4)


def stretched(values: np.ndarray) -> np.ndarray:
    return (values - values.min()) / (values.max() - values.min())


def shape_by_hand(values: np.ndarray) -> np.ndarray:
    """norm(sigmoid(20 (norm(A) - 1/2))), of whatever is stretched together."""
    return stretched(1 / (1 + np.exp(-20 * (stretched(values) - 0.5))))


def disc_by_hand(side: int, frame: int) -> np.ndarray:
    """1 where the middle of a cell is inside of the circle, else 0."""
    centre, radius = PATH.centres(FRAMES)[frame], 0.4 / 2
    drawn = np.zeros((side, side))
    for row in range(side):
        for column in range(side):
            x, y = (column + 0.5) / side, (row + 0.5) / side
            drawn[row, column] = math.hypot(x - centre[0], y - centre[1]) <= radius
    return drawn


def loss_of_the_code(layers: list[np.ndarray]) -> float:
    """eta * weight * mean over all layers, heads and pixels of (target - shape)^2, summed over frames."""
    total = 0.0
    for frame in range(FRAMES):
        of_layers = [0.0] * LAYERS
        for number, maps in enumerate(layers):
            target = shape_by_hand(disc_by_hand(maps.shape[-1], frame))  # twice in the code: of 0 and 1 no difference
            shape = shape_by_hand(maps[:, frame])  # all heads of the frame together
            of_layers[number] = float(((target[None] - shape) ** 2).mean())
        total += WEIGHT * sum(of_layers) / LAYERS
    return ETA * total


def test_the_codes_loss_is_ours_at_a_strength_of_37_5():
    rng = np.random.default_rng(0)
    layers = [rng.random((heads, FRAMES, side, side)) ** 3 for side, heads in FILLED]
    ours = []
    for maps in layers:
        target = draw(PATH, FRAMES, maps.shape[-2], maps.shape[-1], CODE["shape"])
        ours.append(ENERGIES[CODE["energy"]](torch.tensor(maps), target.double()).mean(0).sum())
    loss = CODE["strength"] * torch.stack(ours).mean()
    assert loss.item() == pytest.approx(loss_of_the_code(layers), rel=1e-6)
    assert CODE["strength"] == ETA * WEIGHT * len(FILLED) / LAYERS


def test_stretching_over_all_heads_is_another_energy_than_stretching_each():
    maps = torch.rand(3, 2, 8, 8, generator=torch.Generator().manual_seed(0))
    maps[0] *= 0.1  # a weak head, which only "shape" makes as strong as the others
    target = torch.cat([box(1, 1, 3), box(2, 2, 3)])
    together, alone = released_energy(maps, target), ENERGIES["shape"](maps, target)
    assert not torch.allclose(together[0], alone[0], rtol=0.05)
    torch.testing.assert_close(released_energy(maps[:1], target), ENERGIES["shape"](maps[:1], target))
    torch.testing.assert_close(released_energy(maps[0], target), ENERGIES["shape"](maps[0], target))


def test_the_text_asks_for_boxes_the_squared_difference_and_its_own_schedule():
    for setting in TEXT.values():
        assert setting["shape"] == "box" and setting["schedule"] == "paper" and setting["energy"] == "shape"
    assert {setting["strength"] for setting in TEXT.values()} == {15.0, 20.0, 25.0}
    assert {setting["law"] for setting in TEXT.values()} == {"(1 - abar) / abar", "(1 - alpha) / alpha", "1 - abar"}


# The two readings of alpha in eq. 4


def test_alpha_of_a_timestep_is_one_minus_its_beta():
    noise = load("pocket", device="cpu").noise
    abar = noise.scheduler.alphas_cumprod.double()
    for timestep in (0, 1, 500, 999):
        before = abar[timestep - 1] if timestep else 1.0
        beta = 1 - float(abar[timestep] / before)
        level = noise.solver(4).noise.level(timestep)
        ratio = LAWS["(1 - alpha) / alpha"](replace(level, step_alpha=noise.step_alpha(timestep)))
        assert ratio == pytest.approx(beta / (1 - beta), rel=1e-3)
    assert noise.solver(4).level(1).step_alpha == pytest.approx(noise.step_alpha(noise.solver(4).timesteps[1]))


def test_where_there_is_no_signal_the_step_has_no_end():
    flow = Noise(FlowMatchEulerDiscreteScheduler(shift=3.0))
    assert flow.step_alpha(1000) == 0 and LAWS["(1 - alpha) / alpha"](flow.solver(4).level(0)) == math.inf
    share = [(1 - sigma) ** 2 / ((1 - sigma) ** 2 + sigma**2) for sigma in (0.5, 0.499)]
    assert flow.step_alpha(500) == pytest.approx(share[0] / share[1])


# LVD


def test_lvds_energy_by_hand():
    maps = torch.cat([blob(0, 0), blob(0, 0)])[None].repeat(2, 1, 1, 1)  # two heads, a square that stands
    target = torch.cat([box(0, 0), box(0, 2)])
    background, cells_inside, cells_outside = 0.01, 3, 45  # of 75 % of 4 and of 60
    first = 2 * (1 - 1.0 + 4 * background)
    second = 2 * (1 - background + 4 * (4 + (cells_outside - 4) * background) / cells_outside)
    mass = 4 + 60 * background
    x = (4 * 1.0 + background * (64 * 4 - 4 * 1.0)) / mass  # of 64 cells around 4, the square's around 1
    places = [(x - 1) ** 2 + (x - 1) ** 2, (x - 3) ** 2 + (x - 1) ** 2]
    steps = [(0 - 2) ** 2, 0]  # the map stands, the target goes two cells; the last frame has no step
    wanted = [first + 0.03 * (places[0] + steps[0]), second + 0.03 * (places[1] + steps[1])]
    energy = lvd_energy(maps, target)
    assert energy.shape == (2, 2) and cells_inside == round(0.75 * 4)
    torch.testing.assert_close(energy, torch.tensor([wanted, wanted]), rtol=1e-4, atol=1e-4)
