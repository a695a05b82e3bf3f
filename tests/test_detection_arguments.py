"""What detection refuses, and what it says."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from xattn_helpers.measures.detection import detect, look


@pytest.fixture
def noise() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (2, 32, 48, 3), np.uint8)


def clip(video):
    return SimpleNamespace(video=video, latents=None)


@pytest.mark.parametrize(
    "change, message",
    [
        (lambda v: v / 255, r"video is float64 from 0 to 1: it must be uint8.*from \[0, 1\] it is \(255 \* video\)"),
        (lambda v: torch.from_numpy(v) / 255, r"video is float32 from 0 to 1: it must be uint8.*\(255 \* video\)"),
        (lambda v: v / 127.5 - 1, r"video is float64 from -1 to 1: it must be uint8.*\(127.5 \* \(video \+ 1\)\)"),
        (lambda v: v.astype(np.float32), "video is float32 from 0 to 255: .*it is video.astype"),
        (lambda v: v.astype(np.int64), "video is int64 from 0 to 255: .*it is video.astype"),
        (lambda v: v / 510, r"video is float64 from 0 to 0.5: .*it is \(255 \* video\)"),
        (lambda v: v / 127.5, "video is float64 from 0 to 2: .*; it is video.astype"),
        (lambda v: v / 170 - 1, r"video is float64 from -1 to 0.5: .*it is \(127.5 \* \(video \+ 1\)\)"),
        (lambda v: v / 85 - 1, "video is float64 from -1 to 2: .* such as clip.video$"),
        (lambda v: v / 100 - 2, "video is float64 from -2 to 0.55: .* such as clip.video$"),
        (lambda v: v.astype(np.int64) - 1, "video is int64 from -1 to 254: .* such as clip.video$"),
        (lambda v: v.astype(np.int64) + 1, "video is int64 from 1 to 256: .* such as clip.video$"),
        (lambda v: v.astype(np.int64) // 2 + 9, "video is int64 from 9 to 136: .*; it is video.astype"),
        (lambda v: v.astype(np.int64) - 9, "video is int64 from -9 to 246: it must be uint8, .* such as clip.video$"),
        (lambda v: v > 9, r"video is bool of shape \(2, 32, 48, 3\): it must be uint8, .* such as clip.video$"),
        (lambda v: torch.from_numpy(v).bfloat16(), "video is float32 from 0 to 255: it must be uint8"),
        (lambda v: (v / 255)[:0], r"video is float64 of shape \(0, 32, 48, 3\): it must be uint8"),
        (lambda v: v[:0], r"video has shape \(0, 32, 48, 3\) and is empty"),
        (lambda v: v[0], r"video has shape \(32, 48, 3\): .*of one picture it is picture\[None\]"),
        (lambda v: v.transpose(0, 3, 1, 2), r"shape \(2, 3, 32, 48\): .*it is video.transpose\(0, 2, 3, 1\)"),
        (lambda v: v.transpose(3, 0, 1, 2), r"shape \(3, 2, 32, 48\): .*it is video.transpose\(1, 2, 3, 0\)"),
        (lambda v: np.concatenate([v, v[..., :1]], -1), r"shape \(2, 32, 48, 4\): .*it is video\[\.\.\., :3\]"),
        (lambda v: v[None], r"shape \(1, 2, 32, 48, 3\): .*of several videos pass one after the other, videos\[0\]"),
        (lambda v: v[None, None], r"shape \(1, 1, 2, 32, 48, 3\): .* such as clip.video$"),
        (lambda v: v[0, ..., :1], r"shape \(32, 48, 1\): .* such as clip.video$"),
        (lambda v: v[..., :2], r"shape \(2, 32, 48, 2\): .* such as clip.video$"),
        (lambda v: v[..., 0], r"video has shape \(2, 32, 48\): it must be uint8, \(frames, height, width, 3\)"),
    ],
)
def test_an_array_that_is_no_video_is_an_error_that_says_what_to_pass(random_detector, noise, change, message):
    noise[0, 0, 0], noise[1, 0, 0] = 0, 255
    with pytest.raises(ValueError, match=message):
        detect(change(noise), "ball", detector="random")
    with pytest.raises(ValueError, match=message):
        look(change(noise), detector="random")


@pytest.mark.parametrize(
    "change, message",
    [
        (clip, "video is a SimpleNamespace: pass its pixels, clip.video"),
        (lambda v: [clip(v)], r"video is a list of SimpleNamespace: .*pass one after the other, clips\[0\].video"),
        (lambda v: list(v), "video is a list of ndarray: it must be uint8"),
        (lambda v: [], "video is a list of nothing: it must be uint8"),
        (lambda v: "video.mp4", "video is a str: it must be uint8"),
        (lambda v: None, "video is a NoneType: it must be uint8"),
    ],
)
def test_what_is_no_array_is_an_error_that_says_what_to_pass(random_detector, noise, change, message):
    with pytest.raises(TypeError, match=message):
        detect(change(noise), "ball", detector="random")


@pytest.mark.parametrize("shape", [(1, 40, 32, 3), (1, 32, 40, 3)])
def test_sides_that_the_detector_cannot_take_are_an_error(random_detector, shape):
    with pytest.raises(ValueError, match=f"video is {shape[1]} x {shape[2]} pixels: .*takes sides that 16 divides"):
        detect(np.zeros(shape, np.uint8), "ball", detector="random")


def test_unknown_words_and_detectors_are_errors(random_detector, noise):
    with pytest.raises(ValueError, match="word='wolf': the detector knows burger, ball"):
        detect(noise, "wolf", detector="random")
    for word in ("", "  ", None, 3):
        with pytest.raises(ValueError, match=f"word={word!r}.*it must be (the name of an object|a text)"):
            detect(noise, word, detector="random")
    with pytest.raises(
        ValueError, match="detector='yolo': possible is 'pocket' or 'random' or, for real video, 'owlv2'"
    ):
        detect(noise, "ball", detector="yolo")
    with pytest.raises(ValueError, match="detector='owlv2': possible is 'pocket' or 'random'$"):
        look(noise, detector="owlv2")
