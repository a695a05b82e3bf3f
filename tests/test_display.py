"""Tests of `xattn_helpers.display` against references: decoded files, numpy, torch's interpolation."""

import base64
import io
import re
import subprocess

import matplotlib
import mediapy
import numpy as np
import pytest
import torch
from PIL import Image

from xattn_helpers import display

matplotlib.use("Agg")
FRAMES, HEIGHT, WIDTH = 16, 96, 128  # not square, to catch swapped axes


@pytest.fixture
def video() -> np.ndarray:
    """A smooth picture with a bright square that moves to the right."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    background = np.stack([x, 2 * y, 255 - x], axis=-1).astype(np.uint8)
    clip = np.repeat(background[None], FRAMES, axis=0)
    for i in range(FRAMES):
        clip[i, 30:60, 4 * i : 4 * i + 30] = (240, 160, 40)
    return clip


@pytest.fixture
def gray() -> np.ndarray:
    return np.full((FRAMES, HEIGHT, WIDTH, 3), 128, np.uint8)


def decode(data: bytes) -> tuple[np.ndarray, list[int]]:
    """The frames of an animation and how many milliseconds each is shown."""
    image, frames, durations = Image.open(io.BytesIO(data)), [], []
    for i in range(getattr(image, "n_frames", 1)):
        image.seek(i)
        frames.append(np.asarray(image.convert("RGB")))
        durations.append(image.info.get("duration"))
    return np.stack(frames), durations


def embedded(page: display.HTML) -> list[bytes]:
    return [base64.b64decode(data) for data in re.findall(r"data:image/webp;base64,([^\"]+)", page._repr_html_())]


# show


def test_show_embeds_the_frames_at_their_own_size(video):
    (data,) = embedded(display.show(video, fps=8, width=300))
    frames, durations = decode(data)
    assert frames.shape == video.shape
    assert durations == [125] * FRAMES
    assert Image.open(io.BytesIO(data)).info["loop"] == 0
    assert np.abs(frames.astype(int) - video).mean() < 4
    assert len(data) < 40_000


def test_show_titles_are_escaped_and_columns_make_rows(video):
    page = display.show(video, video, video, titles=["a < b", "", '"c"'], columns=2)._repr_html_()
    assert "<div>a &lt; b</div>" in page and 'alt="&quot;c&quot;"' in page and 'alt="a video of 16 frames"' in page
    assert page.count("<tr") == 2 and page.count("<td") == 3
    assert page.count('width="200"') == 3


def test_show_accepts_tensors_floats_images_and_one_title(video):
    floats = torch.tensor(video) / 255
    page = display.show(floats, torch.tensor(video), video)
    assert len(set(embedded(page))) == 1
    still, _ = decode(embedded(display.show(video[0], titles="one"))[0])
    assert still.shape == (1, HEIGHT, WIDTH, 3)


# save


@pytest.mark.parametrize("suffix", ["webp", "gif", "png"])
def test_save_round_trip(video, tmp_path, suffix):
    path = display.save(video, tmp_path / "new" / f"clip.{suffix}", fps=10)
    frames, durations = decode(path.read_bytes())
    assert frames.shape == video.shape and durations == [100] * FRAMES
    assert np.abs(frames.astype(int) - video).mean() < {"webp": 4, "gif": 8, "png": 1e-9}[suffix]


def test_save_mp4(video, tmp_path):
    if not display._find_ffmpeg():
        pytest.skip("no ffmpeg")
    path = display.save(video[:, :95, :127], tmp_path / "clip.mp4", fps=8)  # odd sizes
    # Not mediapy.read_video: up to 1.2.7 it fails with recent versions of ffmpeg.
    command = [mediapy._get_ffmpeg_path(), "-v", "error", "-i", path, "-f", "rawvideo", "-pix_fmt", "rgb24", "-"]
    raw = subprocess.run(command, capture_output=True, check=True).stdout
    frames = np.frombuffer(raw, np.uint8).reshape(FRAMES, 95, 127, 3)
    assert np.abs(frames.astype(int) - video[:, :95, :127]).mean() < 6


def test_save_mp4_without_ffmpeg_says_what_helps(video, tmp_path, monkeypatch):
    monkeypatch.setattr(display, "_find_ffmpeg", lambda: False)
    with pytest.raises(RuntimeError, match=r"needs ffmpeg.*imageio-ffmpeg.*\.webp"):
        display.save(video, tmp_path / "clip.mp4")


# strip


def test_strip_equals_concatenation(video):
    white = np.full((HEIGHT, 3, 3), 255, np.uint8)
    expected = np.concatenate([video[2], white, video[-1], white, video[0]], axis=1)
    assert np.array_equal(display.strip(video, (2, -1, 0), gap=3), expected)


def test_strip_counts_frames_evenly(video):
    assert np.array_equal(display.strip(video), display.strip(video, (0, 5, 10, 15)))
    assert np.array_equal(display.strip(video[:1], 4), video[0])
    assert np.array_equal(display.strip(video, 1), video[0])


# overlay and heatmaps


def test_overlay_of_a_one_hot_map_lights_its_region_and_no_other(gray):
    maps = np.zeros((FRAMES, 12, 16))
    maps[:, 3, 9] = 0.02
    result = display.overlay(gray, maps, colormap="gray").astype(int)
    lit = result[0, :, :, 0] > result[0, 0, 0, 0]
    y, x = np.nonzero(lit)
    assert (y.min(), y.max(), x.min(), x.max()) == (20, 35, 68, 83)  # cell 24..31, 72..79, and half a cell around
    assert result[0, 27, 76, 0] == result.max()
    assert result[0, 0, 0, 0] == round(0.4 * 128)


def test_overlay_enlarges_as_torch_does(gray):
    maps = torch.rand(FRAMES, 6, 8, generator=torch.Generator().manual_seed(0))
    unit = (maps - maps.min()) / (maps.max() - maps.min())
    large = torch.nn.functional.interpolate(unit[:, None], (HEIGHT, WIDTH), mode="bilinear")[:, 0]
    result = display.overlay(gray, maps, alpha=1, colormap="gray")
    assert np.abs(result[..., 0] / 255 - large.numpy()).max() < 0.006


def test_overlay_normalises_the_clip_or_each_frame(gray):
    maps = np.zeros((FRAMES, 4, 4))
    maps[:, 0, 0] = np.linspace(1, 2, FRAMES)
    together = display.overlay(gray, maps, alpha=1, colormap="gray")[:, 0, 0, 0]
    alone = display.overlay(gray, maps, alpha=1, colormap="gray", per_frame=True)[:, 0, 0, 0]
    assert abs(int(together[0]) - 128) <= 1 and together[-1] == 255 and (np.diff(together.astype(int)) > 0).all()
    assert (alone == 255).all()


def test_overlay_limits(video):
    maps = torch.rand(FRAMES, 8, 8).bfloat16().requires_grad_()
    assert np.array_equal(display.overlay(video, maps, alpha=0), video)
    assert np.array_equal(display.overlay(video[0], maps[0], alpha=0), video[:1])
    constant = display.overlay(video, np.ones((FRAMES, 8, 8)), alpha=1, colormap="gray")
    assert (constant == 0).all()


def test_heatmaps_keep_every_attention_pixel():
    maps = np.arange(2 * 4 * 8.0).reshape(2, 4, 8)
    pictures = display.heatmaps(maps, size=32, colormap="gray")
    expected = np.kron(maps / maps.max(), np.ones((1, 4, 4))) * 255
    assert pictures.shape == (2, 16, 32, 3) and pictures.dtype == np.uint8
    assert np.abs(pictures[..., 1] - expected).max() <= 1  # colour maps have 256 steps
    assert display.heatmaps(maps, colormap="gray", per_frame=True)[0].max() == 255


# boxes and masks


def test_draw_boxes_paints_the_frame_of_the_box_only(gray):
    boxes = np.tile([0.25, 0.25, 0.75, 0.5], (FRAMES, 1))
    boxes[3] = np.nan
    result = display.draw_boxes(gray, torch.tensor(boxes), color=(1, 2, 3), thickness=2)
    expected = gray[0].copy()
    expected[24:48, 32:96] = (1, 2, 3)
    expected[26:46, 34:94] = 128
    assert np.array_equal(result[0], expected)
    assert np.array_equal(result[3], gray[3])  # not seen: not drawn
    assert (gray == 128).all()  # a copy


def test_draw_boxes_cuts_off_what_is_outside(gray):
    boxes = np.tile([-0.5, 0.5, 0.5, 1.5], (FRAMES, 1))
    red = (display.draw_boxes(gray, boxes, thickness=1) == (255, 0, 0)).all(axis=-1)[0]
    assert red[48, :64].all() and red[48:, 63].all() and red.sum() == 64 + 48 - 1


def test_draw_mask_tints_inside_and_outlines(gray):
    masks = np.zeros((FRAMES, 12, 16), bool)
    masks[:, 2:6, 4:12] = True  # rows 16..47, columns 32..95
    result = display.draw_mask(gray, masks, color="#ff0000", alpha=0.5)[0]
    assert (result[16, 32:96] == (255, 0, 0)).all() and (result[16:48, 95] == (255, 0, 0)).all()
    assert (result[17:47, 33:95] == (192, 64, 64)).all()
    result[16:48, 32:96] = 128
    assert (result == 128).all()
    assert np.array_equal(display.draw_mask(gray, torch.zeros(FRAMES, 4, 4)), gray)


# figures


def pixels(figure) -> np.ndarray:
    buffer = io.BytesIO()
    figure.savefig(buffer)
    return np.asarray(Image.open(buffer))


def test_image_grid_places_images_and_titles(video):
    figure = display.image_grid(
        [[video[0], torch.rand(16, 16)], [None, video[:1]], [video[3]]], ["first", "second", "third"], ["a", "b"]
    )
    assert len(figure.axes) == 6
    assert [ax.get_title() for ax in figure.axes[:2]] == ["a", "b"]
    assert [ax.get_ylabel() for ax in figure.axes[::2]] == ["first", "second", "third"]
    assert np.array_equal(figure.axes[3].images[0].get_array(), video[0])
    assert matplotlib.pyplot.get_fignums() == []  # closed: not displayed twice
    assert max(pixels(figure).shape) < 600


def test_image_grid_titles_stay_inside_the_figure(video):
    figure = display.image_grid([[video[0]] * 2] * 2, ["mean squared error of target and map"] * 2, ["one", "two"])
    pixels(figure)  # does the layout
    for ax in figure.axes:
        for text in (ax.title, ax.yaxis.label):
            box = text.get_window_extent()
            assert box.x0 >= -1 and box.y1 <= figure.bbox.y1 + 1


def test_contact_sheet_has_a_strip_and_a_caption_per_video(video):
    figure = display.contact_sheet([video, video[:, ::2, ::2]], ["a car", "a truck"], frames=3)
    assert [ax.get_ylabel() for ax in figure.axes] == ["a car", "a truck"]
    assert np.array_equal(figure.axes[0].images[0].get_array(), display.strip(video, 3))


# errors name the argument, what was given and what is possible

SHORT = np.zeros((4, 8, 8))
BOXES = np.tile([0.2, 0.2, 0.4, 0.4], (FRAMES, 1))
WRONG = {
    "no video": (lambda v: display.show(), "videos: given none"),
    "list": (lambda v: display.show([v, v]), r"videos\[0\]: given uint8 of shape \(2, 16"),
    "titles": (lambda v: display.show(v, v, titles="a"), "titles: given 1.*exactly 2"),
    "fps": (lambda v: display.show(v, fps=0), "fps.*above 0"),
    "columns": (lambda v: display.show(v, columns=0), "columns"),
    "channels first": (lambda v: display.strip(v.transpose(0, 3, 1, 2)), r"\(16, 3, 96, 128\).*height, width, 3"),
    "int64": (lambda v: display.strip(v.astype(int)), "video: given int64.*uint8"),
    "float range": (lambda v: display.strip(v.astype(float)), r"from 0 to 255; possible.*float in \[0, 1\]"),
    "frame": (lambda v: display.strip(v, (0, 16)), r"frames: given \[0, 16\].*up to 15"),
    "count": (lambda v: display.strip(v, 0), "frames: given.*count above 0"),
    "gap": (lambda v: display.strip(v, gap=-1), "gap: given -1"),
    "suffix": (lambda v: display.save(v, "a.avi"), "path: given a.avi.*mp4"),
    "map count": (lambda v: display.overlay(v, SHORT), "maps: given 4 for 16 frames"),
    "map shape": (lambda v: display.heatmaps(np.zeros(4)), r"maps: given float64 of shape \(4,\)"),
    "map NaN": (lambda v: display.heatmaps(np.full((1, 4, 4), np.nan)), "maps.*finite"),
    "colormap": (lambda v: display.overlay(v, v[..., 0], colormap="hot pink"), "colormap: given 'hot pink'.*viridis"),
    "alpha": (lambda v: display.overlay(v, v[..., 0], alpha=60), "alpha: given 60"),
    "size": (lambda v: display.heatmaps(SHORT, size=0), "size: given 0"),
    "box count": (lambda v: display.draw_boxes(v, BOXES[:3]), r"boxes: given shape \(3, 4\).*\(16, 4\)"),
    "box pixels": (lambda v: display.draw_boxes(v, BOXES * 100), r"boxes: given \[\[20. 20. 40. 40.\]\].*fractions"),
    "box order": (lambda v: display.draw_boxes(v, BOXES[:, ::-1]), "x0 <= x1"),
    "thickness": (lambda v: display.draw_boxes(v, BOXES, thickness=0), "thickness: given 0"),
    "color name": (lambda v: display.draw_boxes(v, BOXES, "reddish"), "color: given 'reddish'"),
    "color floats": (lambda v: display.draw_boxes(v, BOXES, (1.0, 0, 0)), "color.*integers"),
    "mask count": (lambda v: display.draw_mask(v, SHORT > 0), "masks: given 4 for 16 frames"),
    "soft mask": (lambda v: display.draw_mask(v, v[..., 0] / 255), "masks: given.*only 0 and 1"),
    "row titles": (lambda v: display.image_grid([[v[0]]], ["a", "b"]), "row_titles: given 2.*exactly 1"),
    "column titles": (lambda v: display.image_grid([[v[0]]], None, ["a", "b"]), "column_titles: given 2"),
    "empty grid": (lambda v: display.image_grid([]), "rows: given no cells"),
    "video in a cell": (lambda v: display.image_grid([[v]]), "rows: given 16 pictures in one cell"),
    "captions": (lambda v: display.contact_sheet([v], ["a", "b"]), "captions: given 2.*exactly 1"),
}


@pytest.mark.parametrize(("call", "message"), WRONG.values(), ids=WRONG)
def test_wrong_arguments(video, call, message):
    with pytest.raises(ValueError, match=message):
        call(video)
