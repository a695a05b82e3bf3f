"""Boxes and masks against each other, against drawn objects, and against values that can be computed by hand."""

import numpy as np
import pytest
from drawn_videos import draw

from xattn_helpers.measures.boxes import areas, boxes_of, centres, detected, frame_iou, masks_of

NOTHING = [np.nan] * 4


@pytest.fixture(scope="module")
def drawn():
    """Masks of a burger on its way from the upper left to the right, and the way."""
    path = [(0.25, 0.25), (0.5, 0.375), (0.75, 0.5)]
    return draw([("burger", path, 0.25)])[1][0], np.array(path)


def test_boxes_are_tight_in_parts_of_the_picture_and_nan_where_nothing_is():
    masks = np.zeros((3, 64, 96), bool)
    masks[0, 16:32, 24:48] = True
    masks[1, 63, 0] = masks[1, 10, 95] = True  # the corners of a box that touches three sides
    boxes = boxes_of(masks)
    np.testing.assert_allclose(boxes, [[24 / 96, 16 / 64, 48 / 96, 32 / 64], [0, 10 / 64, 1, 1], NOTHING])
    assert boxes_of(np.ones((1, 5, 7), bool)).tolist() == [[0, 0, 1, 1]]


def test_boxes_of_a_drawn_object_are_where_it_was_put(drawn):
    masks, path = drawn
    boxes = boxes_of(masks)
    np.testing.assert_allclose(centres(boxes), path, atol=1 / 128)
    long_sides = (boxes[:, 2:] - boxes[:, :2]).max(axis=1)
    np.testing.assert_allclose(long_sides, 0.25, atol=2 / 128)


def test_masks_of_boxes_are_pixels_whose_middle_is_inside():
    boxes = np.array([[0.25, 0, 0.75, 0.5], NOTHING, [0, 0, 1, 1], [0.25, 0.25, 0.3125, 0.375]])
    masks = masks_of(boxes, 4, 8)
    assert masks.shape == (4, 4, 8) and masks.dtype == bool
    assert masks.sum((1, 2)).tolist() == [2 * 4, 0, 32, 0], "middles on the right and lower edge are out"
    assert masks[0, :2, 2:6].all()
    on_the_edge = masks_of(np.array([[0.3125, 0.375, 0.4375, 0.625]]), 4, 8)
    assert np.argwhere(on_the_edge[0]).tolist() == [[1, 2]], "those on the left and upper edge are in"


def test_boxes_of_masks_of_boxes_are_the_boxes():
    boxes = np.array([[0.25, 0, 0.75, 0.5], NOTHING, [0, 0.25, 0.125, 1]])
    np.testing.assert_array_equal(boxes_of(masks_of(boxes, 4, 8)), boxes)


def test_centres_areas_and_presence():
    boxes = np.array([[0.1, 0.2, 0.5, 0.4], NOTHING])
    np.testing.assert_allclose(centres(boxes), [[0.3, 0.3], [np.nan, np.nan]])
    np.testing.assert_allclose(areas(boxes), [0.4 * 0.2, np.nan])
    assert detected(boxes).tolist() == [True, False]
    assert detected(np.array([[0.1, 0.2, np.nan, 0.4]])).tolist() == [False], "a part of a box is none"


def test_overlap_of_each_frame_by_hand():
    square = (0.2, 0.2, 0.6, 0.6)
    boxes = np.array([square, (0.2, 0.2, 0.6, 0.4), NOTHING, (0.4, 0.2, 0.8, 0.6), (0.6, 0.2, 0.8, 0.6)])
    # All, the upper half, nothing, half beside it (0.08 of 0.16 + 0.16 - 0.08), and side by side
    np.testing.assert_allclose(frame_iou(boxes, np.array([square] * 5)), [1, 0.5, 0, 1 / 3, 0])
    np.testing.assert_allclose(frame_iou(np.array([square] * 5), boxes), [1, 0.5, 0, 1 / 3, 0])
    apart = np.array([(0.0, 0.0, 0.1, 0.1)]), np.array([(0.5, 0.5, 1.0, 1.0)])
    assert frame_iou(*apart) == [0], "two negative sides are no overlap"
    point = np.array([(0.5, 0.5, 0.5, 0.5)])
    assert frame_iou(point, point) == [0]


def test_overlap_of_boxes_agrees_with_that_of_their_masks():
    boxes, targets = np.array([[0.125, 0.25, 0.5, 0.75]]), np.array([[0.25, 0, 0.875, 0.5]])
    one, other = masks_of(boxes, 8, 8), masks_of(targets, 8, 8)
    assert frame_iou(boxes, targets) == pytest.approx((one & other).sum() / (one | other).sum())


def test_other_shapes_are_errors():
    with pytest.raises(ValueError, match=r"masks is an array of bool \(4, 8\); it must be masks \(frames, height"):
        boxes_of(np.ones((4, 8), bool))
    with pytest.raises(ValueError, match=r"boxes is an array of .* \(4,\); it must be boxes \(frames, 4\)"):
        masks_of(np.array([0, 0, 1, 1]), 4, 4)
    for columns in (3, 5):
        with pytest.raises(ValueError, match=rf"boxes is an array of float64 \(2, {columns}\)"):
            masks_of(np.zeros((2, columns)), 4, 4)
    for wrong in (np.zeros((3, 4)), np.zeros((2, 3)), np.zeros(4)):
        with pytest.raises(ValueError, match=r"targets is an array .*; it must be|boxes has 2 frames and targets 3"):
            frame_iou(np.zeros((2, 4)), wrong)
    with pytest.raises(ValueError, match="x1 < x0 or y1 < y0"):
        frame_iou(np.zeros((1, 4)), np.array([[0.5, 0, 0.2, 1]]))
