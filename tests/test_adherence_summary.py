"""What is said of many videos, and of input that does not fit."""

import numpy as np
import pytest
from measures_for_tests import BESIDE, SQUARE, UPPER_HALF, boxes

from xattn_helpers.measures.adherence import (
    adherence,
    ap50,
    centre_distance,
    mean_iou,
    outside_change,
    size,
    size_ratio,
    summary,
    travelled,
)
from xattn_helpers.measures.statistics import Estimate

GOT, ASKED = boxes(SQUARE, UPPER_HALF, None, BESIDE), boxes(SQUARE, SQUARE, SQUARE, SQUARE)


def test_nothing_seen():
    nothing = boxes(None, None)
    row = adherence(nothing, boxes(SQUARE, SQUARE))
    assert row["covered"] is False and row["iou"] == 0 and np.isnan(size(nothing))
    for name in ("ap50", "distance", "size ratio", "travelled"):
        assert np.isnan(row[name])


def test_a_summary_has_published_definitions_and_intervals():
    rows = [adherence(GOT, ASKED), adherence(boxes(None, SQUARE), ASKED[:2]), adherence(ASKED, ASKED)]
    rows.append(adherence(boxes(None, None), ASKED[:2]))
    overlap, distance = (1 + 0.5 + 1 / 3) / 4, rows[0]["distance"]
    assert summary(rows) == {
        "coverage": Estimate.rate([True, False, True, False]),
        "mIoU": Estimate.mean([overlap, 1]),
        "mIoU of all": Estimate.mean([overlap, 0.5, 1, 0]),
        "AP50": Estimate.mean([2 / 3, 1, 1]),
        "centroid distance": Estimate.mean([distance, 0, 0]),
    }


def test_a_summary_of_nothing_has_no_numbers():
    for estimate in summary([]).values():
        assert np.isnan(estimate.value) and estimate.n == 0


@pytest.mark.parametrize("measure", [mean_iou, ap50, centre_distance, size_ratio, travelled, adherence])
def test_boxes_of_other_frames_are_an_error(measure):
    with pytest.raises(ValueError, match="boxes has 4 frames and targets 2: there must be one for each"):
        measure(GOT, ASKED[:2])


def test_videos_of_other_shapes_are_an_error():
    video, masks = np.zeros((2, 4, 4, 3), np.uint8), np.zeros((2, 4, 4), bool)
    with pytest.raises(ValueError, match=r"shapes \(2, 4, 4, 3\), \(1, 4, 4, 3\)"):
        outside_change(video, video[:1], masks, masks)
    for wrong in ((masks[:1], masks), (masks, masks[:1]), (masks[:1], masks[:1])):
        with pytest.raises(ValueError, match="they must be of the same frames"):
            outside_change(video, video, *wrong)
