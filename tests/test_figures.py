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
from xattn_helpers.display.plots import panels
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


def test_a_title_on_the_left_keeps_its_lines_and_long_lines_are_broken():
    grey = np.full((8, 8, 3), 90, np.uint8)
    figure = image_grid([[grey], [grey]], ["same shape, bigger\nseen in 4 of 4", f"{'word ' * 6}\nend"])
    titles = [ax.get_ylabel() for ax in figure.axes]
    assert titles == ["same shape, bigger\nseen in 4 of 4", "word word word word word\nword\nend"]


def test_contact_sheet_has_a_strip_and_a_caption_per_video(video):
    figure = contact_sheet([video, SimpleNamespace(video=video[:, ::2, ::2])], ["a car", "a truck"], frames=3)
    assert [ax.get_ylabel() for ax in figure.axes] == ["a car", "a truck"]
    assert np.array_equal(content(figure.axes[0]), strip(video, 3))
    assert np.array_equal(content(figure.axes[1]), strip(video[:, ::2, ::2], 3))


# plots


@pytest.mark.parametrize(("rows", "columns"), [(1, 1), (1, 3), (2, 1), (2, 3)])
def test_panels_are_an_array_of_rows_and_columns_in_a_closed_figure(rows, columns):
    before = plt.get_fignums()
    figure, axes = panels(rows, columns, (7, 3))
    assert axes.shape == (rows, columns) and list(axes.flat) == figure.axes
    assert plt.get_fignums() == before, "an open figure is shown a second time"
    assert figure.get_size_inches().tolist() == [7, 3] and figure.dpi == 90


def test_panels_share_heights_and_have_widths_where_this_is_asked():
    figure, [(left, right)] = panels(1, 2, (6, 2), dpi=50, sharey=True, width_ratios=[3, 1])
    left.set_ylim(-2, 5)
    assert right.get_ylim() == (-2, 5)
    assert pixels(figure).shape[:2] == (100, 300)
    assert left.get_position().width == pytest.approx(3 * right.get_position().width, rel=0.01)
    _, [(left, right)] = panels(1, 2, (6, 2))
    left.set_ylim(-2, 5)
    assert right.get_ylim() == (0, 1), "by default each has its own heights"


def test_panels_take_the_resolution_of_the_settings_where_none_is_given():
    with plt.rc_context({"figure.dpi": 33}):
        assert panels(1, 1, (2, 2), dpi=None)[0].dpi == 33
        assert panels(1, 1, (2, 2))[0].dpi == 90


def test_panels_with_squares_stand_close_unless_another_layout_is_asked():
    gaps = []
    for options in ({}, {"layout": "constrained"}):
        figure, [(left, right)] = panels(1, 2, (8, 2), **options)
        for axis in (left, right):
            axis.imshow(np.eye(4))
        pixels(figure)  # does the layout
        gaps.append(right.get_position().x0 - left.get_position().x1)
    assert 0 < gaps[0] < gaps[1] / 2


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
