"""The painted scenes: seeded, in range, and different from each other."""

import pytest
import torch

from xattn_helpers.pocket.world.brushes import Canvas
from xattn_helpers.pocket.world.scenes import SCENES, paint, paint_all


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("scene", SCENES)
def test_a_scene_is_a_picture_that_its_seed_decides(scene):
    picture = paint(scene, generator(), size=32)
    assert picture.shape == (3, 32, 32) and picture.dtype == torch.float32
    assert 0 <= picture.min() and picture.max() <= 1
    assert torch.equal(picture, paint(scene, generator(), size=32))
    assert not torch.equal(picture, paint(scene, generator(1), size=32))


@pytest.mark.parametrize("scene", SCENES)
def test_a_scene_looks_the_same_at_every_size(scene):
    large = torch.nn.functional.avg_pool2d(paint(scene, generator(), size=256), 4)
    assert (large - paint(scene, generator(), size=64)).abs().mean() < 0.01


def test_each_scene_is_painted_with_variation_and_is_itself():
    pictures = paint_all(6, size=32).flatten(2)  # (scenes, variants, pixels)
    means = pictures.mean(1, keepdim=True)
    assert pictures.std(1).mean((1,)).min() > 0.005  # every scene varies
    nearest = torch.cdist(pictures.flatten(0, 1), means[:, 0]).argmin(1)  # and is nearest to its own mean
    assert torch.equal(nearest, torch.arange(len(SCENES)).repeat_interleave(6))


def test_a_variant_does_not_depend_on_how_many_are_painted():
    two, three = paint_all(2, size=16), paint_all(3, size=16)
    assert two.shape == (len(SCENES), 2, 3, 16, 16)
    assert torch.equal(two, three[:, :2])
    assert not torch.equal(two, paint_all(2, seed=1, size=16))


def test_the_global_random_numbers_are_left_alone():
    torch.manual_seed(0)
    expected = torch.rand(3)
    torch.manual_seed(0)
    paint_all(1, size=16)
    assert torch.equal(torch.rand(3), expected)


def test_an_unknown_scene_is_named_with_the_possible_ones():
    with pytest.raises(ValueError, match="unknown scene 'on the moon'; possible ones: 'in the ocean', "):
        paint("on the moon", generator())


def test_brushes_against_hand_computation():
    canvas = Canvas(generator(), 4)  # pixel centres .125, .375, .625, .875; an edge spreads over 1.5 pixels = .375
    assert canvas.below(0.5)[:, 0].tolist() == pytest.approx([0, 1 / 6, 5 / 6, 1])
    assert canvas.band(0.375, 0.25)[:, 0].tolist() == pytest.approx([1 / 6, 5 / 6, 1 / 6, 0])
    assert canvas.tint("#ff8000", 0).flatten().tolist() == pytest.approx([1, 128 / 255, 0])
    canvas.fill(canvas.below(0.5), canvas.tint("#ffffff", 0))
    assert canvas.picture[0, :, 0].tolist() == pytest.approx([0, 1 / 6, 5 / 6, 1])
    canvas.fill(0.5, canvas.tint("#000000", 0))
    assert canvas.picture[0, :, 0].tolist() == pytest.approx([0, 1 / 12, 5 / 12, 0.5])
