"""Finding an object in real video: OWLv2 (Minderer et al. 2023) through transformers, loaded when it is first asked."""

from threading import Lock

import numpy as np
import torch
from jaxtyping import Float

from ..backbones.checkpoints import quiet
from .boxes import Boxes
from .video import Video

HUB = "google/owlv2-base-patch16-ensemble"  # Apache 2.0; 0.6 GB to download the first time
LEAST_SCORE = 0.1  # below it nothing is seen: the value of transformers' own post-processing
AT_ONCE = 4  # frames in a call, which bounds the memory
_LOADED: dict[str, tuple] = {}
_LOADING = Lock()  # or two threads would load a network each


def detect_boxes(video: Video, word: str, source: str = HUB, least_score: float = LEAST_SCORE) -> Boxes:
    """The box with the highest score in each frame, x0, y0, x1, y1 in [0, 1]; NaN where none reaches `least_score`.

    `video` is uint8, (frames, height, width, 3); `source` a folder or an id on the model hub. Raises OSError, which
    says what to do, for a detector that cannot be loaded.
    """
    model, processor = load(source)
    parts = np.split(video, range(AT_ONCE, len(video), AT_ONCE))
    return np.concatenate([_detect(model, processor, part, word, least_score) for part in parts])


def load(source: str = HUB) -> tuple:
    """The network, on a GPU where there is one, and its processor; each source is read once.

    Raises OSError for one that cannot be loaded.
    """
    with _LOADING:
        if source not in _LOADED:
            _LOADED[source] = _read(source)
        return _LOADED[source]


def _read(source: str) -> tuple:
    from transformers import Owlv2ForObjectDetection, Owlv2Processor

    try:
        with quiet():
            processor = Owlv2Processor.from_pretrained(source)
            model = Owlv2ForObjectDetection.from_pretrained(source)
    except Exception as error:  # the libraries raise many kinds: all mean that it is not to be had
        reason = str(error).strip().split("\n")[0]
        raise OSError(
            f"detector={source!r} could not be loaded, as this machine is offline or there is no such model: download "
            "it elsewhere and pass its folder, as in detect(video, word, detector='folder'), or take "
            "detector='pocket', which needs no network and knows the objects of the pocket world "
            f"({reason.rstrip('.')})."
        ) from error
    return model.to("cuda" if torch.cuda.is_available() else "cpu").eval(), processor


@torch.no_grad()
def _detect(model, processor, frames: Video, word: str, least_score: float) -> Boxes:
    """Boxes of the highest score, as `detect_boxes`."""
    inputs = processor(images=list(frames), text=[[f"a photo of a {word}"]] * len(frames), return_tensors="pt")
    output = model(**inputs.to(model.device))
    scores, patches = output.logits[..., 0].float().sigmoid().max(1)  # over the patches of each frame
    x, y, width, height = output.pred_boxes[torch.arange(len(frames)), patches].float().cpu().unbind(1)
    boxes = torch.stack([x - width / 2, y - height / 2, x + width / 2, y + height / 2], 1).numpy()
    boxes = np.where(scores.cpu().numpy()[:, None] >= least_score, boxes, np.nan)
    return _of_picture(boxes, *frames.shape[1:3])


def _of_picture(boxes: Float[np.ndarray, "frames 4"], height: int, width: int) -> Boxes:
    """Boxes in parts of the picture, from parts of the square that the processor pads it to, below and on the right."""
    return (boxes * max(height, width) / [width, height, width, height]).clip(0, 1)
