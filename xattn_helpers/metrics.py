"""Measuring videos: detectors, where an object is, and how sure a figure is; `adherence.py` compares with targets."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from scipy import ndimage
from scipy.stats import binomtest, bootstrap

from .models import load_detector

LEAST_AREA = 0.005  # share of the picture below which a patch is noise, not an object: 9 x 9 of 128 x 128 pixels
_DETECTORS = {}


@dataclass
class Detections:
    """What the pocket detector sees in a video."""

    labels: np.ndarray  # (frames, height, width): 0 background, i + 1 the i-th object
    objects: tuple[str, ...]
    scenes: np.ndarray  # (frames,) index into scene_names
    scene_names: tuple[str, ...]
    sure: np.ndarray | None = None  # (frames, height, width): probability of the label, in [0, 1]

    def masks(self, word: str) -> np.ndarray:
        """Where an object is, bool (frames, height, width), patches of noise left out."""
        return np.stack([_patches(mask)[0] for mask in self._labelled(word)])

    def counts(self, word: str) -> np.ndarray:
        """How many instances of an object each frame has, (frames,)."""
        return np.array([_patches(mask)[1] for mask in self._labelled(word)])

    def _labelled(self, word: str) -> np.ndarray:
        if word not in self.objects:
            raise ValueError(f"word={word!r}: the pocket detector knows {', '.join(self.objects)}")
        return self.labels == self.objects.index(word) + 1

    def scene(self) -> str:
        """The scene of most frames."""
        return self.scene_names[np.bincount(self.scenes).argmax()]


def _patches(mask: np.ndarray) -> tuple[np.ndarray, int]:
    """A mask without patches smaller than LEAST_AREA, and the number of patches that stay; touching parts are one."""
    joined = ndimage.binary_dilation(mask, iterations=2)  # a thin gap, as under a balloon's knot, does not make two
    numbered, count = ndimage.label(joined)
    areas = ndimage.sum_labels(mask, numbered, np.arange(1, count + 1))
    large = np.flatnonzero(areas >= LEAST_AREA * mask.size) + 1
    return mask & np.isin(numbered, large), len(large)


@torch.no_grad()
def look(video: np.ndarray, device: str = "cpu") -> Detections:
    """All that the pocket detector sees in a video, uint8 (frames, height, width, 3)."""
    if device not in _DETECTORS:
        _DETECTORS[device] = load_detector(device)
    network = _DETECTORS[device]
    by_pixel, by_frame = network(torch.from_numpy(np.ascontiguousarray(video)).to(device).permute(0, 3, 1, 2) / 255)
    config = network.config
    sure, labels = by_pixel.softmax(1).max(1)
    scenes = by_frame.argmax(1).cpu().numpy()
    return Detections(
        labels.byte().cpu().numpy(), tuple(config.objects), scenes, tuple(config.scenes), sure.cpu().numpy()
    )


def detect(video: np.ndarray, word: str, detector: str = "pocket") -> tuple[np.ndarray, np.ndarray]:
    """Boxes (frames, 4) as x0, y0, x1, y1 in [0, 1], NaN where nothing is seen, and masks (frames, h, w), bool.

    `detector` is "pocket" for the pocket world or, for real video, "owlv2", or another OWLv2 as a folder or hub id
    "owner/name"; its masks are its boxes. Raises ValueError for an unknown detector or, with "pocket", an object that
    it does not know, and OSError for one that cannot be loaded.
    """
    if detector == "pocket":
        masks = look(video).masks(word)
        return boxes_of(masks), masks
    if detector != "owlv2" and not Path(detector).is_dir() and str(detector).count("/") != 1:
        raise ValueError(f"detector={detector!r}: possible is 'pocket' or, for real video, 'owlv2', a folder, a hub id")
    from . import owl

    boxes = owl.find(video, word, owl.HUB if detector == "owlv2" else str(detector))
    return boxes, masks_of(boxes, *video.shape[1:3])


def boxes_of(masks: np.ndarray) -> np.ndarray:
    """The tight box of each mask, (frames, 4) as x0, y0, x1, y1 in [0, 1]; NaN for an empty mask."""
    boxes = np.full((len(masks), 4), np.nan)
    for box, mask in zip(boxes, masks, strict=True):
        rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
        if len(rows):
            height, width = mask.shape
            box[:] = columns[0] / width, rows[0] / height, (columns[-1] + 1) / width, (rows[-1] + 1) / height
    return boxes


def masks_of(boxes: np.ndarray, height: int, width: int) -> np.ndarray:
    """Filled boxes, bool (frames, height, width): a pixel is in when its middle is; none is in a box of NaN."""
    x0, y0, x1, y1 = boxes.T[:, :, None]  # (frames, 1) each; comparisons with NaN are false
    across, down = (np.arange(width) + 0.5) / width, (np.arange(height) + 0.5) / height
    return ((y0 <= down) & (down < y1))[:, :, None] & ((x0 <= across) & (across < x1))[:, None]


def centres(boxes: np.ndarray) -> np.ndarray:
    """Middles of boxes, (frames, 2) as x, y."""
    return (boxes[:, :2] + boxes[:, 2:]) / 2


def interval(values, level: float = 0.95, seed: int = 0) -> tuple[float, float, float]:
    """Mean of the values and a bootstrap interval for it (percentiles of 9,999 resamples); NaNs are left out."""
    values = np.asarray(values, float)
    values = values[~np.isnan(values)]
    if len(values) < 2 or np.ptp(values) == 0:
        mean = values.mean() if len(values) else np.nan
        return mean, mean, mean
    found = bootstrap((values,), np.mean, confidence_level=level, method="percentile", rng=seed).confidence_interval
    return values.mean(), found.low, found.high


def share(hits, level: float = 0.95) -> tuple[float, float, float]:
    """The share of hits and Wilson's interval for it, which stays honest when all or none are; NaN without any."""
    hits = [bool(hit) for hit in hits]
    if not hits:
        return np.nan, np.nan, np.nan
    bounds = binomtest(sum(hits), len(hits)).proportion_ci(level, method="wilson")
    return sum(hits) / len(hits), bounds.low, bounds.high
