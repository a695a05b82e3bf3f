"""Videos whose every pixel is known, for the tests of display; not square, to catch swapped axes."""

import io

import numpy as np
from PIL import Image

FRAMES, HEIGHT, WIDTH = 16, 96, 128


def moving_square() -> np.ndarray:
    """A smooth picture with a bright square that moves to the right."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    background = np.stack([x, 2 * y, 255 - x], axis=-1).astype(np.uint8)
    video = np.repeat(background[None], FRAMES, axis=0)
    for frame in range(FRAMES):
        video[frame, 30:60, 4 * frame : 4 * frame + 30] = (240, 160, 40)
    return video


def plain(level: int, frames: int = FRAMES, height: int = HEIGHT, width: int = WIDTH) -> np.ndarray:
    """Every pixel of the same grey."""
    return np.full((frames, height, width, 3), level, np.uint8)


def decode(data: bytes) -> tuple[np.ndarray, list[int]]:
    """The frames of an animation and how many milliseconds each is shown."""
    image, frames, durations = Image.open(io.BytesIO(data)), [], []
    for index in range(getattr(image, "n_frames", 1)):
        image.seek(index)
        frames.append(np.asarray(image.convert("RGB")))
        durations.append(image.info.get("duration"))
    return np.stack(frames), durations
