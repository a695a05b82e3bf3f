"""Figures on single tokens: pictures and maps under their own captions, and a dot for every token."""

import numpy as np
import pytest
import torch

from xattn_helpers.attention.maps import soft_threshold
from xattn_helpers.display import description_of
from xattn_helpers.display.attention_figures import (
    captioned,
    maps_and_shapes,
    maps_by_size,
    maps_of_steps,
    scores_by_kind,
    shares_by_layer,
)

PICTURE = np.full((4, 6, 3), 7, np.uint8)
MAP = torch.tensor([[0.1, 0.2], [0.3, 0.5]])


def test_every_picture_has_its_caption_and_each_map_its_own_range():
    figure = captioned([PICTURE, MAP, 4 * MAP, None, MAP[:1]], ["one", "two", "three", "", "five"], columns=2)
    axes = figure.axes
    assert [axis.get_title() for axis in axes] == ["one", "two", "three", "", "five", ""]  # three rows of two
    assert [len(axis.images) for axis in axes] == [1, 1, 1, 0, 1, 0]
    np.testing.assert_array_equal(axes[0].images[0].get_array(), PICTURE)
    np.testing.assert_array_equal(axes[1].images[0].get_array(), axes[2].images[0].get_array())
    assert "one; two; three; five" in description_of(figure)


@pytest.mark.parametrize(
    ("pictures", "captions", "fault"),
    [([], [], "pictures: given none"), ([MAP], ["a", "b"], "captions: given 2"), ([MAP[0]], ["a"], "pictures: given")],
)
def test_what_cannot_be_drawn_is_refused(pictures, captions, fault):
    with pytest.raises(ValueError, match=fault):
        captioned(pictures, captions)


def test_a_row_of_dots_for_each_kind():
    (axis,) = scores_by_kind({"words": [0.25, 1.0], "padding": [0.5, torch.nan, 0.75]}).axes
    rows = [line for line in axis.lines if line.get_label() in ("words", "padding")]
    np.testing.assert_array_equal(rows[0].get_xdata(), [0.25, 1])
    np.testing.assert_array_equal(rows[1].get_xdata(), [0.5, np.nan, 0.75])
    assert [set(np.ravel(line.get_ydata())) for line in rows] == [{0}, {-1}]
    assert [label.get_text() for label in axis.get_yticklabels()] == ["words", "padding"]


def titles(figure):
    return [axis.get_title() for axis in figure.axes]


def shown(axis):
    return None if not axis.images else np.asarray(axis.images[0].get_array())


def test_each_map_has_a_column_and_each_height_a_row():
    high, other = torch.rand(1, 4, 4), torch.rand(1, 4, 4)
    figure = maps_by_size([high, MAP[None], other], ["down", "mid", "up"], [0.5, 0.25, torch.tensor(0.125)])
    assert titles(figure) == ["down, 4 high: 0.50", "", "up, 4 high: 0.12", "", "mid, 2 high: 0.25", ""]
    alone = captioned([high[0], other[0], MAP], ["", "", ""]).axes
    for place, axis in zip((0, 2, 4), alone, strict=False):
        np.testing.assert_array_equal(shown(figure.axes[place]), shown(axis))
    assert [shown(figure.axes[place]) for place in (1, 3, 5)] == [None, None, None]


def test_early_steps_are_shown_and_the_picture_last():
    maps, scores = torch.rand(14, 2, 2), torch.arange(14) / 20
    figure = maps_of_steps(maps, scores, PICTURE)
    steps = [0, 1, 2, 4, 7, 13]
    assert titles(figure) == [*(f"step {step + 1}: {step / 20:.2f}" for step in steps), "picture"]
    np.testing.assert_array_equal(shown(figure.axes[6]), PICTURE)
    for step, axis in zip(steps, figure.axes, strict=False):
        np.testing.assert_array_equal(shown(axis), shown(captioned([maps[step]], [""]).axes[0]))


@pytest.mark.parametrize("steps", [1, 2])
def test_a_run_of_few_steps_shows_all_of_them(steps):
    assert titles(maps_of_steps(torch.rand(steps, 2, 2), [0.5] * steps, PICTURE))[:-1] == [
        f"step {step + 1}: 0.50" for step in range(steps)
    ]


def test_a_map_stands_beside_its_soft_threshold():
    faint = torch.tensor([[0.0, 0.01], [0.02, 0.04]])
    figure = maps_and_shapes([MAP, faint[None]], ["up", "down"])
    assert titles(figure) == ["up, 2 high: at most 0.50", "its shape", "down, 2 high: at most 0.04", "its shape"]
    wanted = captioned([MAP, soft_threshold(MAP), faint, soft_threshold(faint)], [""] * 4)
    for axis, alone in zip(figure.axes, wanted.axes, strict=False):
        np.testing.assert_array_equal(shown(axis), shown(alone))


def test_shares_are_stacked_for_each_layer():
    shares = torch.tensor([[0.1, 0.2, 0.3, 0.4], [0.4, 0.3, 0.2, 0.1], [0.25, 0.25, 0.5, 0.0]])
    (axis,) = shares_by_layer(shares, ["down\n16", "mid\n4", "up\n8"]).axes
    heights = {bars.get_label(): [bar.get_height() for bar in bars] for bars in axis.containers}
    assert list(heights) == ["start", "words", "end", "padding"]
    np.testing.assert_allclose(list(heights.values()), shares.T)
    assert [label.get_text() for label in axis.get_xticklabels()] == ["down\n16", "mid\n4", "up\n8"]


@pytest.mark.parametrize(
    ("draw", "fault"),
    [
        (lambda: maps_by_size([MAP], ["a", "b"], [0.5]), "names: given 2"),
        (lambda: maps_and_shapes([MAP, MAP], ["a"]), "names: given 1"),
        (lambda: shares_by_layer(torch.rand(2, 4), ["a"]), "layers: given 1"),
        (lambda: shares_by_layer(torch.rand(2, 3), ["a", "b"]), "shares: given 3 in a layer"),
        (lambda: maps_by_size([MAP], ["a"], [0.5, 1]), "scores: given 2"),
        (lambda: maps_of_steps(MAP[None], [], PICTURE), "scores: given 0"),
    ],
)
def test_as_many_names_and_scores_as_maps_are_needed(draw, fault):
    with pytest.raises(ValueError, match=fault):
        draw()
