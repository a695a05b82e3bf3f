"""Guidance and Bias on the shipped image model: does the object go where it is sent?"""

from functools import cache

import numpy as np
import pytest

from xattn_helpers import Bias, Guidance, detect, generate, load, track

PROMPT, SEEDS = "a burger floats on the water", [0, 1, 2, 3, 4, 5]
PLACE = track([(0.25, 0.7)], size=0.35)


def mean_overlap(edits=()) -> float:
    """IoU of the burger's box with the asked one, mean over seeds; 0 where there is no burger."""
    clips = generate(load("pocket-t2i"), [PROMPT] * len(SEEDS), seed=SEEDS, edits=edits, progress=False)
    asked, overlaps = PLACE.boxes(1)[0], []
    for clip in clips:
        boxes, _ = detect(clip.video, "burger")
        overlaps.append(0.0 if np.isnan(boxes[0, 0]) else iou(boxes[0], asked))
    return float(np.mean(overlaps))


def iou(box: np.ndarray, asked: np.ndarray) -> float:
    low, high = np.maximum(box[:2], asked[:2]), np.minimum(box[2:], asked[2:])
    common = np.prod((high - low).clip(min=0))
    return float(common / (np.prod(box[2:] - box[:2]) + np.prod(asked[2:] - asked[:2]) - common))


@cache
def free() -> float:
    return mean_overlap()


@pytest.mark.parametrize("edit", [Guidance("burger", PLACE), Bias("burger", PLACE)], ids=["guidance", "bias"])
def test_a_burger_goes_where_it_is_sent(edit):
    moved = mean_overlap(edit)
    assert free() < 0.3 and moved > 0.45 and moved > free() + 0.2
