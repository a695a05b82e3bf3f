"""Measures of adherence against values that can be computed by hand."""

import math

import numpy as np
import pytest

from xattn_helpers import adherence
from xattn_helpers.adherence import (
    ap50,
    centre_distance,
    compare,
    covered,
    frame_iou,
    mean_iou,
    outside_change,
    single,
    size,
    size_ratio,
    summary,
    travelled,
)


def boxes(*rows) -> np.ndarray:
    return np.array([row if row else [np.nan] * 4 for row in rows], float)


SQUARE = (0.2, 0.2, 0.6, 0.6)
HALF = (0.2, 0.2, 0.6, 0.4)  # the upper half of it
THIRD = (0.4, 0.2, 0.8, 0.6)  # half beside it: 0.08 of 0.16 + 0.16 - 0.08
GOT, ASKED = boxes(SQUARE, HALF, None, THIRD), boxes(SQUARE, SQUARE, SQUARE, SQUARE)


def test_overlap_of_each_frame_by_hand():
    np.testing.assert_allclose(frame_iou(GOT, ASKED), [1, 0.5, 0, 1 / 3])
    assert frame_iou(boxes((0, 0, 0.1, 0.1)), boxes((0.5, 0.5, 1, 1))) == [0]


def test_a_frame_without_detection_counts_zero_for_the_overlap_and_not_for_the_rest():
    assert mean_iou(GOT, ASKED) == pytest.approx((1 + 0.5 + 0 + 1 / 3) / 4)
    assert ap50(GOT, ASKED) == pytest.approx(2 / 3)
    way = (0 + 0.1 + 0.2) / 3  # of the centres, in parts of the side; the diagonal is sqrt 2
    assert centre_distance(GOT, ASKED) == pytest.approx(way / math.sqrt(2))


def test_distance_from_corner_to_corner_is_one_in_any_picture():
    corners = boxes((0, 0, 0, 0)), boxes((1, 1, 1, 1))
    assert centre_distance(*corners) == centre_distance(*corners, aspect=1.8) == pytest.approx(1)
    across = boxes((0, 0.5, 0, 0.5)), boxes((1, 0.5, 1, 0.5))
    assert centre_distance(*across, aspect=4 / 3) == pytest.approx(4 / 5)


def test_covered_means_more_than_half_of_the_frames_however_many_there_are():
    assert not covered(boxes(SQUARE, None)) and covered(boxes(SQUARE, SQUARE, None))
    assert not covered(boxes(*[SQUARE] * 8, *[None] * 8)) and covered(boxes(*[SQUARE] * 9, *[None] * 7))


def test_sizes_and_their_ratio():
    assert size(GOT) == pytest.approx((0.4 + math.sqrt(0.08) + 0.4) / 3)
    assert size_ratio(boxes((0, 0, 0.8, 0.2), None), boxes(SQUARE, SQUARE)) == pytest.approx(1)
    assert size_ratio(boxes((0, 0, 0.2, 0.2), (0, 0, 0.8, 0.8)), boxes(SQUARE, SQUARE)) == pytest.approx(1)
    assert size_ratio(boxes((0, 0, 0.2, 0.2)), boxes(SQUARE)) == pytest.approx(0.5)


def test_how_much_of_the_way_an_object_goes():
    asked = boxes((0, 0, 0.2, 0.2), (0.2, 0, 0.4, 0.2), (0.6, 0, 0.8, 0.2))
    assert travelled(asked, asked) == pytest.approx(1)
    assert travelled(boxes(SQUARE, SQUARE, SQUARE), asked) == 0
    assert travelled(boxes(None, *asked[1:].tolist()), asked) == pytest.approx(1), "the same frames of both"
    assert travelled(asked[::-1], asked) == pytest.approx(-1)
    assert np.isnan(travelled(asked, boxes(SQUARE, SQUARE, SQUARE)))


def test_nothing_seen():
    nothing = boxes(None, None)
    row = compare(nothing, boxes(SQUARE, SQUARE))
    assert row["covered"] is False and row["iou"] == 0 and np.isnan(size(nothing))
    assert all(np.isnan(row[name]) for name in ("ap50", "distance", "size ratio", "travelled"))


def test_change_outside_looks_at_neither_object():
    free = np.zeros((1, 4, 4, 3), np.uint8)
    video, here, there = free.copy(), np.zeros((1, 4, 4), bool), np.zeros((1, 4, 4), bool)
    here[0, 0, 0], there[0, 3, 3] = True, True
    video[0, 0, 0], video[0, 3, 3] = 255, 255  # the object moved
    assert outside_change(video, free, here, there) == 0
    video[0, 1, 1] = 51  # 0.2 of white, in one of the 14 other pixels
    assert outside_change(video, free, here, there) == pytest.approx(0.2 / 14)
    assert outside_change(free, video, here, there) == pytest.approx(0.2 / 14), "unsigned bytes do not wrap around"
    assert np.isnan(outside_change(video, free, ~here, here))


def test_one_instance_only():
    assert single(np.array([1, 1, 2, 0])) == pytest.approx(2 / 3) and np.isnan(single(np.zeros(3)))


def test_a_summary_has_published_definitions_and_intervals():
    rows = [compare(GOT, ASKED), compare(boxes(None, None), ASKED[:2]), compare(ASKED, ASKED)]
    table = summary(rows)
    means = {name: figure["mean"] for name, figure in table.items()}
    assert means == pytest.approx({
        "coverage": 2 / 3, "mIoU": (rows[0]["iou"] + 1) / 2, "mIoU of all": (rows[0]["iou"] + 0 + 1) / 3,
        "AP50": (2 / 3 + 1) / 2, "centroid distance": rows[0]["distance"] / 2,
    })  # fmt: skip
    assert {name: figure["n"] for name, figure in table.items()} == {
        "coverage": 3, "mIoU": 2, "mIoU of all": 3, "AP50": 2, "centroid distance": 2,
    }  # fmt: skip
    assert table["coverage"]["low"] > 0.2, "Wilson's"
    assert all(figure["low"] <= figure["mean"] <= figure["high"] for figure in table.values())
    assert all(np.isnan(figure["mean"]) and figure["n"] == 0 for figure in summary([]).values())


@pytest.mark.parametrize("measure", [frame_iou, mean_iou, centre_distance, size_ratio, travelled, compare])
def test_boxes_of_other_frames_are_an_error(measure):
    with pytest.raises(ValueError, match=r"boxes \(4, 4\) and targets \(2, 4\): both must be \(frames, 4\)"):
        measure(GOT, ASKED[:2])


def test_videos_of_other_shapes_are_an_error():
    video, masks = np.zeros((2, 4, 4, 3), np.uint8), np.zeros((2, 4, 4), bool)
    with pytest.raises(ValueError, match=r"shapes \(2, 4, 4, 3\), \(1, 4, 4, 3\)"):
        adherence.outside_change(video, video[:1], masks, masks)
