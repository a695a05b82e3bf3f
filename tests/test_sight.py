"""What the detector sees in clips: numbers of videos that are drawn by hand, and no words where it sees nothing."""

from types import SimpleNamespace

import numpy as np
import pytest

from xattn_helpers import track
from xattn_helpers.studies import sight as sights
from xattn_helpers.studies.sight import Sight

BOXES = {"kite": [[0.2, 0.2, 0.6, 0.6], [np.nan] * 4], "truck": [[0.0, 0.0, 0.4, 0.1], [0.0, 0.0, 0.4, 0.1]]}
CLIP = SimpleNamespace(video=np.zeros((2, 8, 8, 3), np.uint8))


@pytest.fixture(autouse=True)
def detector(monkeypatch):
    """Knows where both objects are in every video of two frames."""
    monkeypatch.setattr(sights, "detect", lambda video, word: (np.array(BOXES[word]), None))


def test_a_drawn_world_is_seen():
    sight = Sight("pocket-dit")
    assert sight.is_clear
    np.testing.assert_array_equal(sight.boxes(CLIP, "kite"), BOXES["kite"])
    assert sight.sizes([CLIP, CLIP], "truck") == pytest.approx([0.2, 0.2])
    assert sight.sizes([CLIP], "kite") == pytest.approx([0.4])
    assert sight.overlap(CLIP, "kite", track([(0.4, 0.4)], size=0.4)) == "IoU 0.50", "a frame without it counts 0"
    assert sight.shares(CLIP, ["kite", "truck"]) == "(frames with kite 50%, truck 100%)"


def test_of_another_world_nothing_is_said():
    sight = Sight("modelscope")
    boxes = sight.boxes(CLIP, "kite")
    assert not sight.is_clear and np.isnan(boxes).all() and boxes.shape == (2, 4)
    assert np.isnan(sight.sizes([CLIP], "kite")).all()
    assert sight.overlap(CLIP, "kite", track([(0.4, 0.4)], size=0.4)) == sight.shares(CLIP, ["kite"]) == ""
