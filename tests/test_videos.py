"""Tests of `display.videos` against decoded files."""

import base64
import io
import re
import subprocess
from types import SimpleNamespace

import mediapy
import numpy as np
import pytest
import torch
from display_videos import FRAMES, HEIGHT, WIDTH, decode, moving_square
from PIL import Image

from xattn_helpers.display import save, show, strip, videos


@pytest.fixture
def video() -> np.ndarray:
    return moving_square()


def embedded(page) -> list[bytes]:
    return [base64.b64decode(data) for data in re.findall(r"data:image/webp;base64,([^\"]+)", page._repr_html_())]


def alternatives(page) -> list[str]:
    return re.findall(r'alt="([^"]*)"', page._repr_html_())


# show


def test_show_embeds_the_frames_at_their_own_size(video):
    (data,) = embedded(show(video, width=300))
    frames, durations = decode(data)
    assert frames.shape == video.shape
    assert durations == [125] * FRAMES  # eight a second
    assert Image.open(io.BytesIO(data)).info["loop"] == 0
    assert np.abs(frames.astype(int) - video).mean() < 3
    assert len(data) < 40_000


def test_show_titles_are_escaped_and_columns_make_rows(video):
    page = show(video, video, video, titles=["a < b", "", '"c"'], columns=2)._repr_html_()
    assert "<div>a &lt; b</div>" in page and "<div></div>" not in page
    assert page.count("<tr") == 2 and page.count("<td") == 3
    assert page.count('width="200"') == 3


def test_show_puts_as_many_into_a_row_as_fit_into_1000_pixels(video):
    assert show(*[video[:1]] * 5)._repr_html_().count("<tr") == 1, "five of 200"
    assert show(*[video[:1]] * 6)._repr_html_().count("<tr") == 2
    assert show(*[video[:1]] * 6, width=100)._repr_html_().count("<tr") == 1
    wide = np.repeat(video[:1], 3, axis=2)  # 384 pixels
    assert show(wide, wide, wide)._repr_html_().count("<tr") == 2
    assert 'width="384"' in show(wide)._repr_html_()


def test_show_accepts_tensors_floats_images_and_a_single_title(video):
    floats = torch.tensor(video) / 255
    page = show(floats, torch.tensor(video), video)
    assert len(set(embedded(page))) == 1
    still, _ = decode(embedded(show(video[0], titles="a picture"))[0])
    assert still.shape == (1, HEIGHT, WIDTH, 3)


def test_a_clip_stands_for_its_video(video, tmp_path):
    clip = SimpleNamespace(video=video, prompt="a <burger>", latents=None)
    page = show(clip, video)
    assert len(set(embedded(page))) == 1 and "<div>" not in page._repr_html_()
    assert np.array_equal(strip(clip, [3]), video[3])
    frames, durations = decode(save(clip, tmp_path / "clip.png").read_bytes())
    assert np.array_equal(frames, video) and durations == [125] * FRAMES


def test_no_alternative_text_is_empty(video):
    clip = SimpleNamespace(video=video, prompt='a "burger"')
    page = show(clip, video, video[0], clip, clip, titles=["", None, "  ", "seed <3>", " "])
    own = "a video of 16 frames: a &quot;burger&quot;"
    assert alternatives(page) == [own, "a video of 16 frames", "an image", f"seed &lt;3&gt;, {own}", own]


def test_a_description_stands_for_what_is_seen(video):
    page = show(video, video, titles=["a", "b"], descriptions=["a square that moves to the <right>", ""])
    assert alternatives(page) == ["a square that moves to the &lt;right&gt;", "b, a video of 16 frames"]
    with pytest.raises(ValueError, match="descriptions: given 1.*exactly 2"):
        show(video, video, descriptions="one")


# save


@pytest.mark.parametrize("suffix", ["webp", "gif", "png"])
def test_save_round_trip(video, tmp_path, suffix):
    path = save(video, tmp_path / "new" / f"clip.{suffix}", fps=10)
    frames, durations = decode(path.read_bytes())
    assert frames.shape == video.shape and durations == [100] * FRAMES
    assert np.abs(frames.astype(int) - video).mean() < {"webp": 4, "gif": 8, "png": 1e-9}[suffix]


def test_save_mp4(video, tmp_path):
    if not videos.find_ffmpeg():
        pytest.skip("no ffmpeg")
    path = save(video[:, :95, :127], tmp_path / "clip.mp4", fps=8)  # odd sizes
    # Not mediapy.read_video: up to 1.2.7 it fails with recent versions of ffmpeg.
    command = [mediapy._get_ffmpeg_path(), "-v", "error", "-i", path, "-f", "rawvideo", "-pix_fmt", "rgb24", "-"]
    raw = subprocess.run(command, capture_output=True, check=True).stdout
    frames = np.frombuffer(raw, np.uint8).reshape(FRAMES, 95, 127, 3)
    assert np.abs(frames.astype(int) - video[:, :95, :127]).mean() < 6


def test_save_mp4_without_ffmpeg_says_what_helps(video, tmp_path, monkeypatch):
    monkeypatch.setattr(videos, "find_ffmpeg", lambda: False)
    with pytest.raises(RuntimeError, match=r"needs ffmpeg.*imageio-ffmpeg.*\.webp"):
        save(video, tmp_path / "clip.mp4")


# strip


def test_strip_equals_concatenation(video):
    white = np.full((HEIGHT, 3, 3), 255, np.uint8)
    expected = np.concatenate([video[2], white, video[-1], white, video[0]], axis=1)
    assert np.array_equal(strip(video, (2, -1, 0), gap=3), expected)
    assert np.array_equal(strip(video, np.array([2, 15, -16]), gap=3), expected)
    assert strip(video, 2).shape == (HEIGHT, 2 * WIDTH + 2, 3) and (strip(video, 2)[:, WIDTH : WIDTH + 2] == 255).all()


def test_strip_counts_frames_evenly(video):
    assert np.array_equal(strip(video), strip(video, (0, 5, 10, 15)))
    assert np.array_equal(strip(video[:1], 4), video[0])
    assert np.array_equal(strip(video, 1), video[0])
    assert np.array_equal(strip(video, 99, gap=0), np.concatenate(list(video), axis=1))
