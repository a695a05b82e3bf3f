"""Pictures of lesson 04 and sizes in words: what is drawn is what is given, and boxes are where they were asked."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from xattn_helpers import track
from xattn_helpers.attention.maps import soft_threshold
from xattn_helpers.display.pixels import COLORMAP, colored, stretch
from xattn_helpers.studies.resize import pictures
from xattn_helpers.studies.resize.table import WORDS

SMALL, LARGE = track([(0.5, 0.5)], size=0.3), track([(0.5, 0.5)], size=0.8)


def image(shade=0):
    return SimpleNamespace(video=np.full((1, 32, 32, 3), shade, np.uint8))


class Sides:
    """A detector's view of clips that carry their sizes along."""

    def __init__(self, is_clear):
        self.is_clear = is_clear

    def sizes(self, clips, word):
        assert word == "burger"
        return [clip.side for clip in clips]


def clip(side):
    return SimpleNamespace(side=side)


def drawn(figure):
    return {axis.get_title().replace("\n", " "): np.asarray(axis.images[0].get_array()) for axis in figure.axes}


def red(picture):
    return int((picture == (255, 0, 0)).all(-1).sum())


def painted(values):
    """A map (1, height, width) in the colours of a grid."""
    return colored(stretch(values.numpy()), COLORMAP)[0]


def test_a_box_for_each_size_in_words_stands_where_the_object_stands():
    boxes = np.array([[0.2, 0.4, 0.4, 0.6], [0.3, 0.4, 0.5, 0.6], [np.nan] * 4])  # 0.2 wide and high
    paths = pictures.in_words("ball", boxes)
    assert list(paths) == ["smaller", "small", "original", "big", "bigger"]
    for name, times in WORDS.items():
        left, top, right, bottom = paths[name].boxes(1)[0]
        assert (left + right, top + bottom) == pytest.approx((0.7, 1.0))
        assert (right - left) * (bottom - top) == pytest.approx((0.2 * times) ** 2)
    assert list(pictures.in_words("ball", boxes, ("big",))) == ["big"]


def test_images_have_the_boxes_that_were_asked_of_each():
    shown = drawn(pictures.boxed({"a": (image(), SMALL), "b": (image().video, LARGE)}))
    assert list(shown) == ["a", "b"] and 0 < red(shown["a"]) < red(shown["b"])


def test_targets_stand_beside_the_map_and_its_soft_threshold():
    maps = torch.rand(1, 4, 4, generator=torch.Generator().manual_seed(0))
    target = LARGE.mask(1, 4, 4, "disc")
    shown = drawn(pictures.targets(image(), LARGE, maps, target, 1 - target))
    assert red(shown["unguided"]) > 0
    wanted = {"map A": maps, "shape(A)": soft_threshold(maps), "target, drawn": target}
    for title, values in (wanted | {"target, from shape(A)": 1 - target}).items():
        np.testing.assert_array_equal(shown[title], painted(values), title)


def test_gradients_are_as_long_as_over_all_channels():
    gradient = torch.zeros(1, 2, 1, 3, 3)
    gradient[0, :, 0, 0, 0] = torch.tensor([-3.0, 4.0])  # 5 long
    gradient[0, 0, 0, 2, 2] = 4.5
    latents = torch.zeros(1, 2, 1, 3, 3)
    latents[0, 0, 0, 1, 1], latents[0, 1, 0, 2, 0] = 1, 9
    shown = drawn(pictures.gradients(image(7), latents, {"large box": gradient}))
    np.testing.assert_array_equal(shown["what it will be"], image(7).video[0])
    np.testing.assert_array_equal(shown["the latents now: noise"], painted(latents[0, :1, 0]), "the first channel")
    length = torch.zeros(1, 3, 3)
    length[0, 0, 0], length[0, 2, 2] = 5, 4.5
    np.testing.assert_array_equal(shown["gradient, large box"], painted(length))


def test_each_energy_pulls_downhill_for_each_target():
    maps, target = torch.tensor([[[1.0, 2.0], [3.0, 4.0]]]), torch.tensor([[[0.0, 1.0], [0.0, 0.0]]])
    energies = {
        "squared": lambda values, aim: (values - aim).square().sum((-2, -1)),
        "signed": lambda values, aim: (aim - values).sum((-2, -1)),
    }
    pulls = pictures.downhill(maps, {"a": target, "b": 2 * target}, energies)
    assert torch.equal(pulls["a"]["squared"], torch.tensor([[-2.0, -2.0], [-6.0, -8.0]]))
    assert torch.equal(pulls["b"]["squared"], torch.tensor([[-2.0, 0.0], [-6.0, -8.0]]))
    assert torch.equal(pulls["a"]["signed"], torch.ones(2, 2)) and torch.equal(pulls["b"]["signed"], torch.ones(2, 2))
    assert not maps.requires_grad


@pytest.mark.parametrize("is_clear", [True, False])
def test_sizes_are_in_rows_below_those_that_were_asked(is_clear):
    ways = {"equal": [clip(0.25), clip(0.5)]}
    text = pictures.sizes_text({"small": SMALL, "large": LARGE}, ways, "burger", Sides(is_clear))
    assert text == ("asked            0.30  0.80\nequal            0.25  0.50" if is_clear else "")


@pytest.mark.parametrize("is_clear", [True, False])
def test_words_are_compared_with_silence_where_the_box_is_the_same(is_clear):
    spoken = {"“small”, large box": (clip(0.5), LARGE), "balloon": (clip(0.9), track([(0.2, 0.2)]))}
    text = pictures.against_words(spoken, {SMALL: clip(0.1), LARGE: clip(0.7)}, "burger", Sides(is_clear))
    assert text == ("“small”, large box: size 0.50; with a prompt that says no size: 0.70" if is_clear else "")
