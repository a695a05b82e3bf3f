"""Finding an object in a video: `detect` for its boxes and masks, `look` for all that the pocket detector sees."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Annotated, Any, Protocol

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from scipy import ndimage
from torch import Tensor

from ..arguments import UNCHECKED, checked
from ..backbones.places import Device
from ..kinds import PathLike
from .boxes import Boxes, Masks, boxes_of, masks_of
from .video import Video, checked_video

LEAST_AREA = 0.005  # share of the picture below which a patch is noise, not an object: 9 x 9 of 128 x 128 pixels
HALF_GAP = 2  # pixels: parts up to twice as far apart are one object, such as a balloon and what hangs below its knot
AT_ONCE = 64  # frames in a call of the network, which bounds the memory

AnyVideo = Annotated[Video | Tensor, UNCHECKED]


class Segmenter(Protocol):
    """A network that names the object at every pixel, and the scene; one of fixed classes."""

    config: Any  # config.objects and config.scenes are what it knows, names in the order of the logits

    @property
    def multiple(self) -> int:
        """What divides the sides of the frames that it takes."""
        ...

    def __call__(
        self, frames: Float[Tensor, "frames 3 height width"]
    ) -> tuple[Float[Tensor, "frames classes height width"], Float[Tensor, "frames scenes"]]:
        """Frames in [0, 1] to logits; class 0 is the background, class i + 1 the i-th object."""
        ...


DETECTORS: dict[str, Callable[[str], Segmenter]] = {}  # name -> loader(device); the pocket world adds its own
_LOADED: dict[tuple[str, str], Segmenter] = {}
_LOADING = Lock()  # or two threads would load a network each


@dataclass(frozen=True)
class Detections:
    """What a detector with fixed classes sees in a video."""

    labels: Int[np.ndarray, "frames height width"]  # 0 background, i + 1 the i-th object
    objects: tuple[str, ...]
    scenes: Int[np.ndarray, " frames"]  # index into scene_names
    scene_names: tuple[str, ...]
    confidence: Float[np.ndarray, "frames height width"] | None = None  # probability of the label, in [0, 1]

    @checked
    def masks(self, word: str) -> Masks:
        """Where an object is, patches of noise left out. Raises ValueError for an object that it does not know."""
        return np.stack([_patches(mask)[0] for mask in self._labelled(word)])

    @checked
    def counts(self, word: str) -> Int[np.ndarray, " frames"]:
        """How many instances of an object each frame has. Raises ValueError for an object that it does not know."""
        return np.array([_patches(mask)[1] for mask in self._labelled(word)])

    def scene(self) -> str:
        """The scene of most frames."""
        return self.scene_names[np.bincount(self.scenes).argmax()]

    def _labelled(self, word: str) -> Masks:
        if word not in self.objects:
            raise ValueError(f"word={word!r}: the detector knows {', '.join(self.objects)}")
        return self.labels == self.objects.index(word) + 1


@checked
def detect(video: AnyVideo, word: str, detector: PathLike = "pocket") -> tuple[Boxes, Masks]:
    """An object's boxes (frames, 4) as x0, y0, x1, y1 in [0, 1], NaN where it is not seen, and masks (frames, h, w).

    `video` is uint8, (frames, height, width, 3). `detector` is "pocket" for the pocket world or, for real video,
    "owlv2", or another OWLv2 as a folder or hub id "owner/name"; its masks are its boxes. Raises TypeError or
    ValueError for what is not such a video, ValueError for an unknown detector or an object that it does not know, and
    OSError for one that cannot be loaded.
    """
    video = checked_video(video)
    if not word.strip():
        raise ValueError(f"word={word!r}: it must be the name of an object, such as 'burger'")
    if detector in DETECTORS:
        masks = look(video, detector=str(detector)).masks(word)
        return boxes_of(masks), masks
    from . import owlv2

    boxes = owlv2.detect_boxes(video, word, _source(detector))
    height, width = video.shape[1:3]
    return boxes, masks_of(boxes, height, width)


@checked
@torch.no_grad()
def look(video: AnyVideo, device: Device = "cpu", detector: str = "pocket") -> Detections:
    """All that a detector with fixed classes sees in a video, uint8 (frames, height, width, 3).

    Raises TypeError or ValueError for what is not such a video, and ValueError for an unknown detector or a size that
    it does not take.
    """
    video = checked_video(video)
    network = _load(detector, device)
    height, width = video.shape[1:3]
    if height % network.multiple or width % network.multiple:
        raise ValueError(
            f"video is {height} x {width} pixels: the detector {detector!r} takes sides that {network.multiple} divides"
        )
    parts = [_see(network, part, device) for part in np.split(video, range(AT_ONCE, len(video), AT_ONCE))]
    labels, confidence, scenes = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    return Detections(labels, tuple(network.config.objects), scenes, tuple(network.config.scenes), confidence)


def _see(network: Segmenter, video: Video, device: str | torch.device) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Labels and confidence (frames, height, width), and scenes (frames,)."""
    frames = torch.tensor(video, device=device).permute(0, 3, 1, 2) / 255
    by_pixel, by_frame = network(frames)
    confidence, labels = by_pixel.softmax(1).max(1)
    return labels.byte().cpu().numpy(), confidence.cpu().numpy(), by_frame.argmax(1).cpu().numpy()


def _patches(mask: Bool[np.ndarray, "height width"]) -> tuple[Bool[np.ndarray, "height width"], int]:
    """A mask without patches smaller than LEAST_AREA, and the number of patches that stay; near parts are one."""
    joined = ndimage.binary_dilation(mask, iterations=HALF_GAP)
    numbered = np.empty(mask.shape, np.int32)  # 0 nothing, from 1 the patches
    ndimage.label(joined, output=numbered)
    areas = np.bincount(numbered[mask])  # pixels of the mask itself, by number
    large = np.flatnonzero(areas >= LEAST_AREA * mask.size)
    return mask & np.isin(numbered, large), len(large)


def _load(detector: str, device: str | torch.device) -> Segmenter:
    if detector not in DETECTORS:
        raise ValueError(f"detector={detector!r}: possible is {_names()}")
    key = detector, str(torch.device(device))
    with _LOADING:
        if key not in _LOADED:
            _LOADED[key] = DETECTORS[detector](str(device))
        return _LOADED[key]


def _names() -> str:
    return " or ".join(repr(name) for name in DETECTORS)


def _source(detector: str | Path) -> str:
    """The folder or hub id of an OWLv2. Raises ValueError for what can be neither."""
    from .owlv2 import HUB

    if detector == "owlv2":
        return HUB
    name = str(detector)
    if not Path(name).is_dir() and name.count("/") != 1:
        raise ValueError(f"detector={name!r}: possible is {_names()} or, for real video, 'owlv2', a folder, a hub id")
    return name
