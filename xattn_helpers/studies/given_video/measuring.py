"""What is measured of an edit: the object against the drawn truth, the background against the given video."""

import numpy as np
import torch

from ...backbones.model import Model
from ...measures.adherence import HALF, centre_distance
from ...measures.boxes import Masks, boxes_of
from ...measures.detection import look
from ...measures.fidelity import appearance_change, background_psnr, background_ssim, mask_iou
from ...measures.video import Video
from ..rows import Row
from .clips import Drawn, EditedClip


def measure_edit(clip: EditedClip, drawn: Drawn, video: Video, rebuilt: Video, device: str) -> Row:
    """A row of an edited video; `rebuilt` is the given one after the autoencoder."""
    view = look(video, device)
    objects = drawn.masks | drawn.true_masks
    row: Row = {"old seen": seen(view.masks(clip.word))} | object_row(clip, drawn, video, view.masks(clip.new_word))
    # The truth has soft edges outside the masks, so that it is not perfect either: it is the best that an edit can be.
    for name, pixels in (("", video), ("autoencoder ", rebuilt), ("truth ", drawn.truth)):
        row[f"{name}psnr"] = background_psnr(pixels, drawn.video, objects)
        row[f"{name}ssim"] = background_ssim(pixels, drawn.video, objects)
    row["filled psnr"] = background_psnr(video, drawn.truth, ~drawn.masks | drawn.true_masks)
    return row


def through_autoencoder(model: Model, video: Video) -> Video:
    """A video after the autoencoder, which no edit of latents can be closer to."""
    return model.decode(model.codec.encode(torch.from_numpy(video)[None])).numpy()[0]


def object_row(clip: EditedClip, drawn: Drawn, video: Video, masks: Masks) -> Row:
    """The edited object against the true one; nothing is measured where none shall be.

    "appearance" is against the truth, and "appearance of old" against the given object, where that one stays.
    """
    names = ("new seen", "iou", "distance", "old iou", "appearance")
    if not drawn.true_masks.any():
        return dict.fromkeys(names)
    boxes = boxes_of(masks)
    return {
        "new seen": seen(masks),
        "iou": mask_iou(masks, drawn.true_masks),
        "distance": centre_distance(boxes, boxes_of(drawn.true_masks)),
        "old iou": mask_iou(masks, drawn.masks),
        "appearance": appearance_change(video, masks, drawn.truth, drawn.true_masks),
    }


def seen(masks: Masks) -> bool:
    """Whether an object is in more than half of the frames."""
    return bool(np.mean(masks.any((1, 2))) > HALF)
