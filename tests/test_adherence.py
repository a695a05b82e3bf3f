"""Measures of adherence against values that can be computed by hand, and on drawn videos."""

import math

import numpy as np
import pytest
from drawn_videos import draw
from measures_for_tests import BESIDE, SQUARE, UPPER_HALF, boxes

from xattn_helpers.measures.adherence import (
    adherence,
    ap50,
    centre_distance,
    centre_distances,
    covered,
    mean_iou,
    outside_change,
    single,
    size,
    size_ratio,
    travelled,
)
from xattn_helpers.measures.boxes import boxes_of

GOT, ASKED = boxes(SQUARE, UPPER_HALF, None, BESIDE), boxes(SQUARE, SQUARE, SQUARE, SQUARE)


# Overlap and coverage


def test_a_frame_without_detection_counts_zero_for_the_overlap_and_not_for_the_rest():
    assert mean_iou(GOT, ASKED) == pytest.approx((1 + 0.5 + 0 + 1 / 3) / 4)
    assert ap50(GOT, ASKED) == pytest.approx(2 / 3), "an overlap of exactly one half is one"
    assert centre_distance(GOT, ASKED) == pytest.approx((0 + 0.125 + 0.25) / 3 / math.sqrt(2))


def test_a_frame_that_overlaps_by_less_than_half_is_not_found():
    width = 0.75  # IoU is 1/3 and 3/5 where one box holds the other
    assert ap50(boxes((0, 0, 0.25, 1)), boxes((0, 0, width, 1))) == 0
    assert ap50(boxes((0, 0, 0.45, 1)), boxes((0, 0, width, 1))) == 1


def test_covered_means_more_than_half_of_the_frames_however_many_there_are():
    assert not covered(boxes(SQUARE, None)) and covered(boxes(SQUARE, SQUARE, None))
    assert not covered(boxes(*[SQUARE] * 8, *[None] * 8)) and covered(boxes(*[SQUARE] * 9, *[None] * 7))


# Places


def test_distance_from_corner_to_corner_is_one_in_any_picture():
    corners = boxes((0, 0, 0, 0)), boxes((1, 1, 1, 1))
    assert centre_distance(*corners) == centre_distance(*corners, aspect=1.8) == pytest.approx(1)
    across = boxes((0, 0.5, 0, 0.5)), boxes((1, 0.5, 1, 0.5))
    assert centre_distance(*across, aspect=4 / 3) == pytest.approx(4 / 5)
    down = boxes((0.5, 0, 0.5, 0)), boxes((0.5, 1, 0.5, 1))
    assert centre_distance(*down, aspect=4 / 3) == pytest.approx(3 / 5)


def test_distances_of_frames_are_nan_where_either_is_missing():
    distances = centre_distances(boxes(SQUARE, None, BESIDE), boxes(SQUARE, SQUARE, None))
    np.testing.assert_array_equal(distances, [0, np.nan, np.nan])


def test_a_picture_is_square_unless_its_aspect_is_told():
    across = 0.25 / math.sqrt(2)
    assert centre_distances(boxes(BESIDE), boxes(SQUARE)) == pytest.approx([across])
    assert centre_distance(boxes(BESIDE), boxes(SQUARE)) == pytest.approx(across)
    assert adherence(boxes(BESIDE), boxes(SQUARE))["distance"] == pytest.approx(across)


def test_how_much_of_the_way_an_object_goes():
    asked = boxes((0, 0, 0.25, 0.25), (0.25, 0, 0.5, 0.25), (0.75, 0, 1, 0.25))
    assert travelled(asked, asked) == pytest.approx(1)
    assert travelled(boxes(SQUARE, SQUARE, SQUARE), asked) == 0
    half = boxes((0, 0, 0.25, 0.25), None, (0.375, 0.5, 0.625, 0.75))
    assert travelled(half, asked) == pytest.approx(0.5), "what goes across the asked way does not count"
    assert travelled(boxes(None, *asked[1:].tolist()), asked) == pytest.approx(1), "the same frames of both"
    assert travelled(asked[::-1], asked) == pytest.approx(-1)


def test_nothing_travels_along_a_target_that_stands():
    asked = boxes((0, 0, 0.25, 0.25), (0.25, 0, 0.5, 0.25))
    assert np.isnan(travelled(asked, boxes(SQUARE, SQUARE)))
    trembling = boxes((0, 0, 0.25, 0.25), (0.0005, 0, 0.2505, 0.25))  # less than a tenth of a pixel
    assert np.isnan(travelled(asked, trembling))
    slow = boxes((0, 0, 0.25, 0.25), (0.01, 0, 0.26, 0.25))
    assert travelled(asked, slow) == pytest.approx(25)
    assert np.isnan(travelled(boxes(SQUARE, None), asked)), "seen once, it has no way"


# Sizes


def test_size_is_the_side_of_a_square_as_large():
    assert size(GOT) == pytest.approx((0.5 + math.sqrt(0.125) + 0.5) / 3)
    assert size(boxes((0, 0, 0.8, 0.2), None)) == pytest.approx(0.4)


def test_a_ratio_of_sizes_is_a_geometric_mean_of_got_over_asked():
    assert size_ratio(boxes((0, 0, 1, 0.25), None), boxes(SQUARE, SQUARE)) == pytest.approx(1)
    assert size_ratio(boxes((0, 0, 0.25, 0.25), (0, 0, 1, 1)), boxes(SQUARE, SQUARE)) == pytest.approx(1)
    assert size_ratio(boxes((0, 0, 0.25, 0.25)), boxes(SQUARE)) == pytest.approx(0.5)


# What else changed


def test_change_outside_looks_at_neither_object():
    free = np.zeros((1, 4, 4, 3), np.uint8)
    video, masks, free_masks = free.copy(), np.zeros((1, 4, 4), bool), np.zeros((1, 4, 4), bool)
    masks[0, 0, 0], free_masks[0, 3, 3] = True, True
    video[0, 0, 0], video[0, 3, 3] = 255, 255  # the object moved
    assert outside_change(video, free, masks, free_masks) == 0
    video[0, 1, 1] = 51  # 0.2 of white, in one of the 14 other pixels
    assert outside_change(video, free, masks, free_masks) == pytest.approx(0.2 / 14)
    assert outside_change(free, video, masks, free_masks) == pytest.approx(0.2 / 14), "bytes do not wrap around"
    assert np.isnan(outside_change(video, free, ~masks, masks))


def test_change_outside_of_drawn_videos_is_that_of_the_scene():
    path, elsewhere = [(0.3, 0.6), (0.4, 0.6)], [(0.7, 0.6), (0.7, 0.7)]
    video, (masks,) = draw([("truck", path, 0.4)])
    moved, (moved_masks,) = draw([("truck", elsewhere, 0.4)])
    assert outside_change(video, moved, masks, moved_masks) < 0.003, "only the soft edge of the object"
    brighter = np.where(moved < 204, moved + 51, moved)  # by 0.2, where there is room
    room = (moved < 204).mean(axis=-1)[~(masks | moved_masks)].mean()
    assert outside_change(video, brighter, masks, moved_masks) == pytest.approx(0.2 * room, abs=0.003)
    night, (night_masks,) = draw([("truck", path, 0.4)], scene="at night")
    assert outside_change(video, night, masks, night_masks) > 0.1


def test_one_instance_only():
    assert single(np.array([1, 1, 2, 0])) == pytest.approx(2 / 3), "a frame without any is not counted"
    assert single(np.array([2, 3])) == 0 and np.isnan(single(np.zeros(3)))


# All of it


def test_a_row_has_every_measure_of_the_detected_boxes():
    row = adherence(GOT, ASKED, aspect=2)
    assert row == pytest.approx({
        "covered": True, "iou": mean_iou(GOT, ASKED), "ap50": 2 / 3, "distance": centre_distance(GOT, ASKED, 2),
        "size ratio": 0.5 ** (1 / 6), "travelled": math.nan,
    }, nan_ok=True)  # fmt: skip
    asked = boxes(SQUARE, BESIDE)
    row = adherence(boxes(SQUARE, SQUARE), asked)
    assert row["travelled"] == 0 and row["iou"] == pytest.approx(2 / 3) and row["ap50"] == 0.5


@pytest.fixture(scope="module")
def ball():
    """Exact masks of a ball, which fills 60 x 60 pixels, on its way down to the right, and the corners of its boxes."""
    upper_left = np.array([[10, 2], [34, 34], [58, 66]]) / 128
    path = (upper_left + 30 / 128).tolist()
    return draw([("ball", path, 0.5)])[1][0], upper_left


def test_a_drawn_object_keeps_to_its_own_path(ball):
    masks, upper_left = ball
    own = np.concatenate([upper_left, upper_left + 60 / 128], axis=1)
    perfect = {"covered": True, "iou": 1, "ap50": 1, "distance": 0, "size ratio": 1, "travelled": 1}
    assert adherence(boxes_of(masks), own) == pytest.approx(perfect)
    backwards = adherence(boxes_of(masks), own[::-1])
    assert backwards["travelled"] == pytest.approx(-1) and backwards["ap50"] == pytest.approx(1 / 3)


def test_a_drawn_object_beside_its_path_by_hand(ball):
    masks, upper_left = ball
    beside = np.concatenate([upper_left + [15 / 128, 0], upper_left + [75 / 128, 60 / 128]], axis=1)
    row = adherence(boxes_of(masks), beside, aspect=2)  # 45 of 60 columns are common
    assert row["iou"] == pytest.approx(45 / 75) and row["ap50"] == 1
    assert row["distance"] == pytest.approx(2 * 15 / 128 / math.sqrt(5))
    larger = np.concatenate([upper_left, upper_left + 80 / 128], axis=1)
    row = adherence(boxes_of(masks), larger)
    assert row["size ratio"] == pytest.approx(60 / 80) and row["iou"] == pytest.approx(0.75**2)
