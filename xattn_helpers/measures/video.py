"""What a video is: uint8 pixels, (frames, height, width, 3); and what to say to anything else."""

import numpy as np
import torch
from jaxtyping import UInt8
from torch import Tensor

Video = UInt8[np.ndarray, "frames height width 3"]
LAYOUT = "it must be uint8, (frames, height, width, 3), such as clip.video"


def checked_video(video: Video | Tensor) -> Video:
    """The video as a contiguous array; a uint8 tensor on any device is taken too.

    Raises TypeError for what is no array, such as a clip, and ValueError for another kind of numbers, another shape or
    an empty array; each says what to pass instead.
    """
    if isinstance(video, Tensor):
        video = video.detach().cpu()
        video = (video.float() if video.dtype == torch.bfloat16 else video).numpy()  # numpy has no bfloat16
    if not isinstance(video, np.ndarray):
        raise TypeError(_no_array(video))
    if video.dtype != np.uint8:
        raise ValueError(_other_numbers(video))
    if video.ndim != 4 or video.shape[-1] != 3:
        raise ValueError(f"video has shape {video.shape}: {LAYOUT}{_hint(video.shape)}")
    if not video.size:
        raise ValueError(f"video has shape {video.shape} and is empty: {LAYOUT}")
    return np.ascontiguousarray(video)


def _no_array(video: object) -> str:
    kind = type(video).__name__
    if hasattr(video, "video"):
        return f"video is a {kind}: pass its pixels, clip.video"
    if isinstance(video, list | tuple):
        entries = type(video[0]).__name__ if video else "nothing"
        return f"video is a {kind} of {entries}: {LAYOUT}; of several clips pass one after the other, clips[0].video"
    return f"video is a {kind}: {LAYOUT}"


def _other_numbers(video: np.ndarray) -> str:
    is_float = np.issubdtype(video.dtype, np.floating)
    if not video.size or not is_float and not np.issubdtype(video.dtype, np.integer):
        return f"video is {video.dtype} of shape {video.shape}: {LAYOUT}"
    low, high = video.min(), video.max()
    complaint = f"video is {video.dtype} from {low:.4g} to {high:.4g}: {LAYOUT}"
    if is_float and 0 <= low and high <= 1:
        return complaint + "; from [0, 1] it is (255 * video).round().astype('uint8')"
    if is_float and -1 <= low and high <= 1:
        return complaint + "; from [-1, 1] it is (127.5 * (video + 1)).round().astype('uint8')"
    if 0 <= low and high <= 255:
        return complaint + "; it is video.astype('uint8')"
    return complaint


def _hint(shape: tuple[int, ...]) -> str:
    """What may be meant by another shape."""
    if len(shape) == 3 and shape[-1] == 3:
        return "; of one picture it is picture[None]"
    if len(shape) == 4 and shape[1] == 3:
        return "; with channels first it is video.transpose(0, 2, 3, 1)"
    if len(shape) == 4 and shape[0] == 3:
        return "; with channels first it is video.transpose(1, 2, 3, 0)"
    if len(shape) == 4 and shape[-1] == 4:
        return "; without its transparency it is video[..., :3]"
    if len(shape) == 5:
        return "; of several videos pass one after the other, videos[0]"
    return ""
