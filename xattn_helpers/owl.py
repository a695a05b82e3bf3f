"""Finding an object in real video: OWLv2 (Minderer et al. 2023) through transformers, loaded when it is first asked."""

from functools import cache

import numpy as np
import torch

from .checkpoints import quiet

HUB = "google/owlv2-base-patch16-ensemble"  # Apache 2.0; 0.6 GB to download the first time
LEAST_SCORE = 0.1  # below it nothing is seen: the value of transformers' own post-processing
AT_ONCE = 4  # frames in a call, which bounds the memory


def find(video: np.ndarray, word: str, source: str = HUB, least: float = LEAST_SCORE) -> np.ndarray:
    """The best box of each frame, (frames, 4) as x0, y0, x1, y1 in [0, 1]; NaN where no score reaches `least`.

    `video` is uint8, (frames, height, width, 3); `source` a folder or an id on the model hub. Raises OSError, which
    says what to do, for a detector that cannot be loaded.
    """
    model, processor = load(source)
    parts = np.array_split(np.ascontiguousarray(video), -(-len(video) // AT_ONCE))
    return np.concatenate([_best(model, processor, part, word, least) for part in parts])


@cache
def load(source: str = HUB) -> tuple:
    """The network, on a GPU where there is one, and its processor; raises OSError for one that cannot be loaded."""
    from transformers import Owlv2ForObjectDetection, Owlv2Processor

    try:
        with quiet():
            processor = Owlv2Processor.from_pretrained(source)
            model = Owlv2ForObjectDetection.from_pretrained(source)
    except Exception as error:  # the libraries raise many kinds: all mean that it is not to be had
        said = str(error).strip().split("\n")[0]
        raise OSError(
            f"detector={source!r} could not be loaded: is the machine online, and does the model still exist under "
            "that name? Download it elsewhere and pass its folder, as in detect(video, word, detector='folder'); "
            f"detector='pocket' needs no network and knows the objects of the pocket world. ({said})"
        ) from error
    return model.to("cuda" if torch.cuda.is_available() else "cpu").eval(), processor


@torch.no_grad()
def _best(model, processor, frames: np.ndarray, word: str, least: float) -> np.ndarray:
    """Boxes (frames, 4) of the highest score."""
    inputs = processor(images=list(frames), text=[[f"a photo of a {word}"]] * len(frames), return_tensors="pt")
    output = model(**inputs.to(model.device))
    scores, which = output.logits[..., 0].float().sigmoid().max(1)  # over the patches of each frame
    x, y, width, height = output.pred_boxes[torch.arange(len(frames)), which].float().cpu().unbind(1)
    boxes = torch.stack([x - width / 2, y - height / 2, x + width / 2, y + height / 2], 1).numpy()
    boxes = np.where(scores.cpu().numpy()[:, None] >= least, boxes, np.nan)
    tall, wide = frames.shape[1:3]  # the processor pads pictures to a square, below and to the right
    return (boxes * max(tall, wide) / [wide, tall, wide, tall]).clip(0, 1)
