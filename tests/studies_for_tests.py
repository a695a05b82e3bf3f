"""What tests of studies share: a detector that sees what is painted, painted videos, tiny models, known rows."""

import numpy as np
from models_for_tests import tiny

from xattn_helpers.measures.detection import Detections
from xattn_helpers.studies import models
from xattn_helpers.studies.guidance.table import MEANS
from xattn_helpers.studies.study import Study

SIDE = 64  # of painted pictures
OBJECTS = ("burger", "car", "truck")
SCENES = ("on the road", "at night")
CONFIDENCE = 0.75  # of the painted objects
BRIGHTEST = 255


def paint(*frames, word="burger", scene=0, background=0):
    """A video (frames, 64, 64, 3): each frame has rectangles (x0, y0, x1, y1) in pixels; None is an empty one."""
    video = np.full((len(frames), SIDE, SIDE, 3), background, np.uint8)
    for picture, rectangles in zip(video, frames, strict=True):
        for x0, y0, x1, y1 in rectangles or []:
            picture[y0:y1, x0:x1] = BRIGHTEST - OBJECTS.index(word)
    video[:, 0, 0] = scene  # this pixel tells the scene
    return video


def look_at_paint(video, device="cpu"):
    """Instead of the detector: an object where a pixel has its colour, and the scene that the first pixel says."""
    red = video[..., 0].astype(int)
    labels = np.where(red > BRIGHTEST - len(OBJECTS), BRIGHTEST - red + 1, 0)
    confidence = np.where(labels > 0, CONFIDENCE, 1.0)
    return Detections(labels, OBJECTS, red[:, 0, 0] % len(SCENES), SCENES, confidence)


def use_tiny_models(monkeypatch, **by_name):
    """Let studies measure tiny random models, whose weights have no digests."""
    monkeypatch.setattr(models, "model", lambda name, device, precision: by_name.get(name) or tiny())
    monkeypatch.setattr(Study, "weights", lambda study, case: {})


def row(setting, seed, iou, **changes):
    """A row of the study of guidance."""
    about = {"setting": setting, "prompt": "p", "word": "burger", "track": "stays", "seed": seed, "failed": ""}
    values = dict.fromkeys(("ap50", "distance", "size", "unguided size", *MEANS), 0.5)
    return about | values | {"covered": True, "scene kept": True, "single": 1.0, "iou": iou} | changes


def failed(setting, seed):
    """A row of a setting that guidance refused to run."""
    measured = row(setting, seed, None)
    about = {name: measured[name] for name in ("setting", "prompt", "word", "track", "seed")}
    return dict.fromkeys(measured) | about | {"failed": "too far"}
