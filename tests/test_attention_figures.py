"""Figures on single tokens: pictures and maps under their own captions, and a dot for every token."""

import numpy as np
import pytest
import torch

from xattn_helpers.display import description_of
from xattn_helpers.display.attention_figures import captioned, scores_by_kind

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
