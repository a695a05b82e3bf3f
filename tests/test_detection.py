"""What is seen in videos: rules about patches on painted labels, and the trained detector on drawn videos."""

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import FrozenInstanceError
from threading import Barrier

import numpy as np
import pytest
import torch
from drawn_videos import draw
from measures_for_tests import OBJECTS, SCENES

from xattn_helpers.measures import detection, owlv2
from xattn_helpers.measures.boxes import boxes_of, centres, frame_iou
from xattn_helpers.measures.detection import Detections, detect, look
from xattn_helpers.pocket.detector import PocketDetector

FALLING = [(0.25, 0.2), (0.45, 0.4), (0.65, 0.75)]  # a path on which x and y differ


@pytest.fixture
def noise() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (2, 32, 48, 3), np.uint8)


def labelled(*rectangles: tuple[slice, slice], side: int = 128) -> Detections:
    """One frame in which the given rows and columns are a burger."""
    labels = np.zeros((1, side, side), np.uint8)
    for rows, columns in rectangles:
        labels[0, rows, columns] = 1
    return Detections(labels, OBJECTS, np.array([0]), SCENES)


# Patches


def test_masks_and_numbers_of_instances_are_an_objects_own():
    labels = np.zeros((3, 64, 96), np.uint8)
    labels[0, 16:32, 24:48] = 1
    labels[1, 0:20, 0:20] = labels[1, 40:60, 40:60] = 1
    labels[1, 2, 90] = 1  # noise
    labels[2, 10:50, 10:50] = 2
    seen = Detections(labels, OBJECTS, np.array([1, 1, 0]), SCENES)
    masks = seen.masks("burger")
    assert masks.dtype == bool and masks.shape == (3, 64, 96)
    assert masks.sum((1, 2)).tolist() == [16 * 24, 400 + 400, 0] and masks[0, 16:32, 24:48].all()
    assert seen.counts("burger").tolist() == [1, 2, 0] and seen.counts("ball").tolist() == [0, 0, 1]
    assert seen.scene() == "at night", "the scene of two frames of three"
    with pytest.raises(FrozenInstanceError):
        seen.objects = ()


def test_the_least_patch_is_half_a_percent_of_the_picture():
    """Of 128 x 128 pixels that is 81.92."""
    noise, least = labelled((slice(9), slice(9))), labelled((slice(41), slice(2)))
    assert noise.counts("burger") == [0] and not noise.masks("burger").any()
    assert least.counts("burger") == [1] and least.masks("burger").sum() == 82


def test_the_least_patch_counts_in_and_is_a_share_of_any_picture():
    """Of 40 x 40 pixels half a percent is exactly 8."""
    assert labelled((slice(2), slice(4)), side=40).counts("burger") == [1]
    assert labelled((slice(1), slice(7)), side=40).counts("burger") == [0]


@pytest.mark.parametrize("gap, count", [(0, 1), (4, 1), (5, 2)])
def test_parts_with_a_gap_of_at_most_four_pixels_are_one_object(gap, count):
    seen = labelled((slice(20), slice(20)), (slice(20), slice(20 + gap, 40 + gap)))
    assert seen.counts("burger") == [count] and seen.masks("burger").sum() == 800, "the gap itself is not the object"


@pytest.mark.parametrize("ask", ["masks", "counts"])
def test_an_object_that_the_detector_does_not_know_is_an_error_that_lists_them(ask):
    with pytest.raises(ValueError, match="word='wolf': the detector knows burger, ball"):
        getattr(labelled(), ask)("wolf")


def test_what_was_drawn_is_counted():
    masks = draw([("apple", [(0.25, 0.5)] * 2, 0.3), ("apple", [(0.75, 0.5), (0.3, 0.5)], 0.3)])[1]
    labels = masks.any(axis=0).astype(np.uint8)
    seen = Detections(labels, ("apple",), np.array([0, 0]), SCENES)
    assert seen.counts("apple").tolist() == [2, 1], "side by side, then one in front of the other"
    np.testing.assert_array_equal(seen.masks("apple"), masks.any(axis=0))


# Looking


def test_looking_names_pixels_and_scenes(random_detector, noise):
    seen = look(noise, detector="random")
    by_pixel, by_frame = random_detector(torch.from_numpy(noise).permute(0, 3, 1, 2) / 255)
    np.testing.assert_array_equal(seen.labels, by_pixel.argmax(1))
    np.testing.assert_array_equal(seen.scenes, by_frame.argmax(1))
    np.testing.assert_allclose(seen.confidence, by_pixel.softmax(1).amax(1), rtol=1e-5)
    assert seen.confidence.shape == (2, 32, 48) and (seen.objects, seen.scene_names) == (OBJECTS, SCENES)


def test_a_long_video_is_looked_at_in_parts_and_in_order(random_detector, monkeypatch):
    video = np.random.default_rng(1).integers(0, 256, (5, 16, 32, 3), np.uint8)
    whole = look(video, detector="random")
    monkeypatch.setattr(detection, "AT_ONCE", 2)
    parts = look(video, detector="random")
    np.testing.assert_allclose(parts.confidence, whole.confidence, rtol=1e-4)
    assert parts.scenes.shape == (5,)


def test_detecting_gives_the_boxes_of_the_masks(random_detector, noise):
    boxes, masks = detect(noise[:, ::-1], "ball", detector="random")  # a view with negative strides
    np.testing.assert_array_equal(masks, look(noise[:, ::-1], detector="random").masks("ball"))
    np.testing.assert_array_equal(boxes, boxes_of(masks))
    assert boxes.shape == (2, 4) and masks.shape == (2, 32, 48)


@pytest.mark.parametrize("word, side", [("burger", 0.35), ("truck", 0.45)])
def test_the_pocket_detector_finds_a_drawn_object_where_it_is(word, side):
    video, (exact,) = draw([(word, FALLING, side)])
    boxes, masks = detect(video, word)
    assert (masks & exact).sum() / (masks | exact).sum() > 0.9
    assert frame_iou(boxes, boxes_of(exact)).min() > 0.85
    np.testing.assert_allclose(centres(boxes), FALLING, atol=0.03)
    assert look(video).counts(word).tolist() == [1, 1, 1] and look(video).scene() == "on the road"


def test_the_pocket_detector_sees_neither_what_is_behind_nor_what_is_not_there():
    video, (behind, front) = draw([("ball", [(0.35, 0.6)], 0.4), ("wolf", [(0.65, 0.6)], 0.5)])
    seen = look(video)
    for word, exact in (("ball", behind), ("wolf", front)):
        masks = seen.masks(word)
        assert (masks & exact).sum() / (masks | exact).sum() > 0.8
    assert np.isnan(detect(video, "burger")[0]).all() and not detect(video, "burger")[1].any()


@pytest.mark.parametrize("name", ["owlv2", "somebody/owlv2-large", "folder"])
def test_detectors_of_boxes_have_these_filled_as_masks(noise, name, monkeypatch, tmp_path):
    detector = tmp_path if name == "folder" else name
    sources = []

    def detect_boxes(video, word, source):
        sources.append((len(video), word, source))
        return np.array([[0.25, 0, 0.75, 0.5], [np.nan] * 4])

    monkeypatch.setattr(owlv2, "detect_boxes", detect_boxes)
    boxes, masks = detect(noise, "anything", detector=detector)
    assert sources == [(2, "anything", owlv2.HUB if name == "owlv2" else str(detector))]
    assert masks.shape == (2, 32, 48) and masks[0, :16, 12:36].all() and masks.sum() == 16 * 24
    np.testing.assert_array_equal(boxes, boxes_of(masks))


def test_tensors_of_bytes_are_taken(random_detector, noise):
    boxes = detect(torch.from_numpy(noise), "ball", detector="random")[0]
    np.testing.assert_array_equal(boxes, detect(noise, "ball", detector="random")[0])


# Loading


def test_two_threads_load_one_network_and_see_the_same(random_detector, noise, monkeypatch):
    loaded, start = [], Barrier(4)

    def load_slowly(device):
        loaded.append(device)
        time.sleep(0.2)
        return random_detector

    def look_with_others():
        start.wait()
        return look(noise, detector="slow").labels

    monkeypatch.setitem(detection.DETECTORS, "slow", load_slowly)
    with ThreadPoolExecutor(4) as threads:
        labels = [future.result() for future in [threads.submit(look_with_others) for _ in range(4)]]
    assert loaded == ["cpu"]
    for other in labels[1:]:
        np.testing.assert_array_equal(other, labels[0])


def test_detectors_do_not_take_each_others_place(random_detector, noise, monkeypatch):
    torch.manual_seed(1)
    another = PocketDetector(("wolf",), SCENES).eval()
    monkeypatch.setitem(detection.DETECTORS, "another", lambda device: another)
    assert look(noise, detector="random").objects == OBJECTS
    assert look(noise, detector="another").objects == ("wolf",)
    assert look(noise, "cpu", "random").objects == OBJECTS


# What is not a video
