"""Tests of `display.figures` and `display.plots`: what the figures hold."""

import io
from types import SimpleNamespace

import matplotlib
import numpy as np
import pytest
import torch
from display_videos import moving_square
from matplotlib import pyplot as plt
from PIL import Image

from xattn_helpers.display import contact_sheet, draw_intervals, draw_signed, image_grid, strip
from xattn_helpers.measures.statistics import Estimate

matplotlib.use("Agg")


@pytest.fixture
def video() -> np.ndarray:
    return moving_square()


def pixels(figure) -> np.ndarray:
    buffer = io.BytesIO()
    figure.savefig(buffer)
    return np.asarray(Image.open(buffer))


def content(ax) -> np.ndarray:
    return np.asarray(ax.images[0].get_array())


def test_image_grid_places_images_and_titles(video):
    figure = image_grid(
        [[video[0], torch.rand(16, 16)], [None, video[:1]], [video[3]]], ["first", "second", "third"], ["a", "b"]
    )
    assert len(figure.axes) == 6
    assert [ax.get_title() for ax in figure.axes[:2]] == ["a", "b"]
    assert [ax.get_ylabel() for ax in figure.axes[::2]] == ["first", "second", "third"]
    assert np.array_equal(content(figure.axes[3]), video[0])
    assert (content(figure.axes[2]) == 255).all() and (content(figure.axes[5]) == 255).all(), "empty cells are white"
    assert matplotlib.pyplot.get_fignums() == []  # closed: not displayed twice
    assert max(pixels(figure).shape) < 600


def test_image_grid_draws_each_map_in_its_own_range():
    figure = image_grid([[np.array([[0, 1], [2, 4]]), np.array([[5, 5.5], [5, 6]])]], colormap="gray")
    assert content(figure.axes[0])[..., 0].tolist() == [[0, 63], [127, 255]]
    assert content(figure.axes[1])[..., 0].tolist() == [[0, 127], [0, 255]]


def test_image_grid_takes_clips_of_one_frame(video):
    clip = SimpleNamespace(video=video[2:3])
    assert np.array_equal(content(image_grid([[clip]]).axes[0]), video[2])
    with pytest.raises(ValueError, match="rows: given 16 pictures in one cell"):
        image_grid([[SimpleNamespace(video=video)]])


def test_image_grid_titles_stay_inside_the_figure(video):
    figure = image_grid([[video[0]] * 2] * 2, ["mean squared error of target and map"] * 2, ["left", "right"])
    pixels(figure)  # does the layout
    for ax in figure.axes:
        for text in (ax.title, ax.yaxis.label):
            box = text.get_window_extent()
            assert box.x0 >= -1 and box.y1 <= figure.bbox.y1 + 1


def test_contact_sheet_has_a_strip_and_a_caption_per_video(video):
    figure = contact_sheet([video, SimpleNamespace(video=video[:, ::2, ::2])], ["a car", "a truck"], frames=3)
    assert [ax.get_ylabel() for ax in figure.axes] == ["a car", "a truck"]
    assert np.array_equal(content(figure.axes[0]), strip(video, 3))
    assert np.array_equal(content(figure.axes[1]), strip(video[:, ::2, ::2], 3))


# plots


@pytest.fixture
def ax():
    figure, ax = plt.subplots()
    yield ax
    plt.close(figure)


def test_intervals_reach_from_low_to_high(ax):
    stored = {"mean": 0.6, "low": 0.5, "high": 0.9, "n": 4}  # as older tables have it
    draw_intervals(ax, [1, 3], [Estimate(0.2, 0.1, 0.4, 9), stored], color="red", label="guided")
    dots, _, (bars,) = ax.containers[0]
    assert dots.get_xydata().tolist() == [[1, 0.2], [3, 0.6]] and dots.get_color() == "red"
    ends = [segment[:, 1].tolist() for segment in bars.get_segments()]
    assert np.allclose(ends, [[0.1, 0.4], [0.5, 0.9]])
    assert ax.get_legend_handles_labels()[1] == ["guided"]


def test_intervals_need_as_many_positions_as_figures(ax):
    with pytest.raises(ValueError, match="positions: given 2; possible: 1"):
        draw_intervals(ax, [1, 2], [Estimate(0.2, 0.1, 0.4, 9)])


def test_a_signed_map_has_zero_in_the_middle_of_its_colours(ax):
    draw_signed(ax, torch.tensor([[-0.5, 0.0], [0.25, 2.0]]), "minus the gradient")
    (image,) = ax.images
    assert (image.norm.vmin, image.norm.vmax, ax.get_title()) == (-2, 2, "minus the gradient")
    red, _, blue, _ = image.cmap(image.norm(np.array([2.0, 0.0, -2.0]))).T
    assert red[0] > blue[0] and abs(red[1] - blue[1]) < 0.02 and red[2] < blue[2]
    draw_signed(ax, np.zeros((2, 2)))
    assert ax.images[-1].norm.vmax == 1
