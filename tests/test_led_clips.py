"""Clips that were led along paths: the boxes drawn on them, and the overlap in their titles."""

import re

import numpy as np
import pytest

from xattn_helpers import generate, track
from xattn_helpers.display import draw_boxes, strip
from xattn_helpers.studies import led_clips, sight

LEFT, RIGHT = (track([(x, 0.5), (x, 0.6)], size=0.4) for x in (0.25, 0.75))
SEEN = sight.Sight("pocket-dit")


@pytest.fixture(scope="module")
def clips(model):
    """Two clips of random weights."""
    return {name: generate(model, f"a {name} on the water", progress=False) for name in ("burger", "ball")}


@pytest.fixture
def left_box(monkeypatch):
    """A detector that sees every object where `LEFT` is, and the words that it was asked for."""
    words = []

    def detect(video, word):
        words.append(word)
        return LEFT.boxes(len(video)), None

    monkeypatch.setattr(sight, "detect", detect)
    return words


def test_of_several_paths_each_clip_has_that_of_its_word(clips, left_box):
    shown = led_clips.videos(clips, {"ball": RIGHT, "burger": LEFT}, SEEN, columns=2).data
    assert left_box == ["burger", "ball"]
    assert re.findall(r"(\w+) IoU (\d\.\d\d)<", str(shown)) == [("burger", "1.00"), ("ball", "0.00")]


def test_one_path_is_that_of_all_clips(clips, left_box):
    figure = led_clips.strips(clips, {"wolf": LEFT}, SEEN)
    assert left_box == ["wolf", "wolf"]
    assert [axis.get_ylabel() for axis in figure.axes] == ["burger IoU 1.00", "ball IoU 1.00"]
    for axis, clip in zip(figure.axes, clips.values(), strict=True):
        wanted = strip(draw_boxes(clip.video, LEFT.boxes(len(clip.video))), led_clips.FRAMES)
        np.testing.assert_array_equal(axis.images[0].get_array(), wanted)


def test_what_the_detector_does_not_know_is_not_measured(clips, left_box):
    figure = led_clips.strips(clips, {"wolf": LEFT}, sight.Sight("wan"))
    assert left_box == [] and [axis.get_ylabel() for axis in figure.axes] == ["burger", "ball"]
