"""What is measured of videos; the pocket detector is replaced by labels that are painted here."""

import numpy as np
import pytest
import torch

from xattn_helpers import metrics
from xattn_helpers.metrics import Detections, boxes_of, centres, interval
from xattn_helpers.pocket.detector import PocketDetector

OBJECTS, SCENES = ("burger", "ball"), ("on the road", "at night")


@pytest.fixture
def seen():
    """Three frames of 64 x 96: a burger; two burgers, touching, and noise; a ball alone."""
    labels = np.zeros((3, 64, 96), np.uint8)
    labels[0, 16:32, 24:48] = 1
    labels[1, 0:20, 0:20] = 1
    labels[1, 40:60, 40:60] = 1
    labels[1, 40:60, 61:80] = 1  # one pixel apart from the other: the same burger
    labels[1, 2, 90] = 1  # noise
    labels[2, 10:50, 10:50] = 2
    return Detections(labels, OBJECTS, np.array([1, 1, 0]), SCENES)


@pytest.fixture
def detector(monkeypatch):
    """A random detector that was 'trained' on two objects."""
    torch.manual_seed(0)
    network = PocketDetector(OBJECTS, SCENES).eval().requires_grad_(False)
    monkeypatch.setattr(metrics, "_DETECTORS", {"cpu": network})
    return network


def test_masks_without_noise_and_numbers_of_instances(seen):
    masks = seen.masks("burger")
    assert masks.dtype == bool and masks.shape == (3, 64, 96)
    assert masks.sum((1, 2)).tolist() == [16 * 24, 400 + 400 + 380, 0]
    assert seen.counts("burger").tolist() == [1, 2, 0] and seen.counts("ball").tolist() == [0, 0, 1]
    assert seen.scene() == "at night"


@pytest.mark.parametrize("ask", ["masks", "counts"])
def test_an_object_that_the_detector_does_not_know_is_an_error_that_lists_them(seen, ask):
    with pytest.raises(ValueError, match="word='wolf': the pocket detector knows burger, ball"):
        getattr(seen, ask)("wolf")


def test_boxes_are_tight_in_parts_of_the_picture_and_nan_where_nothing_is(seen):
    boxes = boxes_of(seen.masks("burger"))
    assert np.allclose(boxes[0], [24 / 96, 16 / 64, 48 / 96, 32 / 64])
    assert np.allclose(boxes[1], [0, 0, 80 / 96, 60 / 64]) and np.isnan(boxes[2]).all()
    whole = boxes_of(np.ones((1, 5, 7), bool))
    assert whole.tolist() == [[0, 0, 1, 1]]
    assert np.allclose(centres(boxes)[0], [36 / 96, 24 / 64]) and np.isnan(centres(boxes)[2]).all()


def test_looking_at_a_video_names_pixels_and_scenes(detector):
    video = np.random.default_rng(0).integers(0, 256, (2, 32, 48, 3), np.uint8)
    found = metrics.look(video)
    by_pixel, by_frame = detector(torch.from_numpy(video).permute(0, 3, 1, 2) / 255)
    assert np.array_equal(found.labels, by_pixel.argmax(1)) and np.array_equal(found.scenes, by_frame.argmax(1))
    assert np.allclose(found.sure, by_pixel.softmax(1).amax(1)) and found.sure.shape == (2, 32, 48)
    assert (found.objects, found.scene_names) == (OBJECTS, SCENES)
    boxes, masks = metrics.detect(video[:, ::-1], "ball")  # a view with negative strides
    assert boxes.shape == (2, 4) and masks.shape == (2, 32, 48)
    assert np.array_equal(boxes, boxes_of(masks), equal_nan=True)


def test_an_unknown_detector_is_an_error(detector):
    with pytest.raises(ValueError, match="detector='yolo': possible is 'pocket'"):
        metrics.detect(np.zeros((1, 32, 32, 3), np.uint8), "ball", detector="yolo")


def test_an_interval_covers_the_mean_and_shrinks_with_more_values():
    values = np.random.default_rng(0).normal(3, 1, 400)
    mean, low, high = interval(values)
    assert mean == pytest.approx(values.mean()) and low < mean < high
    assert high - low == pytest.approx(2 * 1.96 / 20, rel=0.15)  # the normal approximation
    assert interval(values) == interval(values)
    few = interval(values[:40])
    assert few[2] - few[1] > high - low


def test_intervals_of_nothing_of_one_and_with_gaps():
    assert np.isnan(interval([])).all() and np.isnan(interval([np.nan])).all()
    assert interval([2.0]) == (2, 2, 2) and interval([1, 1, np.nan, 1]) == (1, 1, 1)
    assert interval([1, 2, 3, np.nan]) == interval([1, 2, 3])


def test_masks_of_boxes_are_pixels_whose_middle_is_inside():
    boxes = np.array([[0.25, 0, 0.75, 0.5], [np.nan] * 4, [0, 0, 1, 1]])
    masks = metrics.masks_of(boxes, 4, 8)
    assert masks.shape == (3, 4, 8) and masks.sum((1, 2)).tolist() == [2 * 4, 0, 32]
    assert np.array_equal(boxes_of(masks), boxes, equal_nan=True)


def test_a_share_of_nothing_is_nan_and_of_all_is_not_certain():
    assert np.isnan(metrics.share([])).all()
    assert metrics.share([True] * 20) == pytest.approx((1, 0.8389, 1), abs=1e-4)
