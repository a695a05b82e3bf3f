"""Guidance on the shipped image model: does the object go where it is sent?"""

import numpy as np

from xattn_helpers import Guidance, detect, generate, load, track

PROMPT, SEEDS = "a burger floats on the water", [0, 1, 2, 3, 4, 5]
PLACE = track([(0.25, 0.7)], size=0.35)


def overlaps(guidance) -> list[float]:
    """IoU of the burger's box with the asked one, for each seed; 0 where there is no burger."""
    clips = generate(load("pocket-t2i"), [PROMPT] * len(SEEDS), seed=SEEDS, guidance=guidance, progress=False)
    wanted, found = PLACE.boxes(1)[0], [detect(clip.video, "burger")[0][0] for clip in clips]
    return [0.0 if np.isnan(box[0]) else iou(box, wanted) for box in found]


def iou(box: np.ndarray, other: np.ndarray) -> float:
    low, high = np.maximum(box[:2], other[:2]), np.minimum(box[2:], other[2:])
    common = np.prod((high - low).clip(min=0))
    return float(common / (np.prod(box[2:] - box[:2]) + np.prod(other[2:] - other[:2]) - common))


def test_a_burger_goes_where_it_is_sent():
    free, guided = overlaps(None), overlaps(Guidance("burger", PLACE))
    assert np.mean(free) < 0.3, free
    assert np.mean(guided) > 0.45, guided
    assert np.mean(guided) > np.mean(free) + 0.2
