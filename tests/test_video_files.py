"""Reading given videos: each kind of file, cut and resized against a hand computation, and what is refused."""

import sys

import imageio_ffmpeg
import mediapy
import numpy as np
import pytest
import torch
from PIL import Image

from xattn_helpers import video_files
from xattn_helpers.display import save
from xattn_helpers.video_files import as_given, read_video

PLAIN = np.zeros((4, 16, 24, 3), np.uint8)
PLAIN[..., 0] = 10 + 60 * np.arange(4)[:, None, None]  # each frame of one colour, which every codec keeps


def write(folder, suffix, video=PLAIN):
    return save(video, folder / f"given{suffix}")


def write_pictures(folder, video=PLAIN, names=None):
    folder.mkdir()
    for number, frame in enumerate(video):
        Image.fromarray(frame).save(folder / (names[number] if names else f"frame_{number}.png"))
    return folder


@pytest.mark.parametrize("suffix", [".gif", ".webp", ".png", ".mp4"])
def test_a_file_is_read_as_it_was_written(tmp_path, suffix):
    read = read_video(write(tmp_path, suffix))
    assert read.shape == PLAIN.shape and read.dtype == np.uint8
    assert np.abs(read.astype(int) - PLAIN).max() <= 12
    assert (read_video(tmp_path / f"given{suffix}", 2) == read[:2]).all()


def test_pictures_of_a_folder_come_in_the_order_of_their_numbers(tmp_path):
    names = ["frame_1.png", "frame_2.png", "frame_10.png", "frame_11.png"]
    folder = write_pictures(tmp_path / "frames", names=names)
    (folder / "notes.txt").write_text("no picture")
    assert (read_video(folder) == PLAIN).all()


def test_a_picture_is_a_video_of_one_frame_and_has_no_transparency(tmp_path):
    Image.new("RGBA", (24, 16), (200, 100, 50, 255)).save(tmp_path / "one.png")
    assert (read_video(tmp_path / "one.png") == np.array([200, 100, 50])).all()


# Cut and resized


def test_a_video_that_fits_is_taken_as_it_is_and_nothing_is_said():
    given, said = as_given(PLAIN, 4, 16, 24)
    assert (given == PLAIN).all() and said == ""
    assert (as_given(torch.from_numpy(PLAIN), 4, 16, 24)[0] == PLAIN).all()


def test_the_first_frames_and_the_middle_are_taken():
    video = np.zeros((5, 20, 60, 3), np.uint8)
    video[:, :, 20:40] = 200  # the middle third: 20 x 20 pixels
    given, said = as_given(video, 3, 10, 10)
    assert given.shape == (3, 10, 10, 3) and given[:, 2:-2, 2:-2].min() > 195
    assert said == (
        "Of the given video, the first 3 of its frames are taken, its middle, 20 x 20 of 20 x 60 pixels, is cut out, "
        "the pictures are resized to 10 x 10 pixels."
    )
    tall, said = as_given(video.transpose(0, 2, 1, 3), 5, 20, 20)
    assert (tall == 200).all() and said == "Of the given video, its middle, 20 x 20 of 60 x 20 pixels, is cut out."


def test_resizing_is_the_mean_of_what_a_pixel_covers():
    video = np.zeros((1, 32, 32, 3), np.uint8)
    video[:, :16] = 100
    given, said = as_given(video, 1, 8, 8)
    assert abs(int(given[0, 1].mean()) - 100) < 6 and abs(int(given[0, 6].mean())) < 6
    assert said == "Of the given video, the pictures are resized to 8 x 8 pixels."


def test_a_file_is_not_read_further_than_needed(tmp_path, monkeypatch):
    opened = []
    picture = video_files._picture
    monkeypatch.setattr(video_files, "_picture", lambda path: opened.append(path.name) or picture(path))
    given, said = as_given(write_pictures(tmp_path / "frames"), 2, 16, 24)
    assert len(given) == 2 and opened == ["frame_0.png", "frame_1.png", "frame_2.png"] and "the first 2" in said


# Refused


@pytest.mark.parametrize(
    ("size", "message"),
    [((5, 16, 24), r"\(4, 16, 24, 3\), and 5 frames are needed; give a longer one, or frames=4"),
     ((4, 32, 24), "and 32 x 24 pixels are needed; give a larger one"), ((4, 16, 32), "and 16 x 32 pixels are needed")],
)  # fmt: skip
def test_a_video_that_is_too_short_or_too_small(size, message):
    with pytest.raises(ValueError, match=message):
        as_given(PLAIN, *size)


def test_files_that_are_none(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere.*there is no such file"):
        read_video(tmp_path / "nowhere.mp4")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match="no frame is in it; a folder needs pictures"):
        read_video(tmp_path / "empty")
    (tmp_path / "notes.txt").write_text("no video")
    with pytest.raises(ValueError, match="kind '.txt'; possible are .gif"):
        read_video(tmp_path / "notes.txt")


@pytest.mark.parametrize("suffix", [".gif", ".webp", ".png", ".mp4"])
def test_broken_files(tmp_path, suffix):
    content = write(tmp_path, suffix).read_bytes()
    broken = tmp_path / f"broken{suffix}"
    broken.write_bytes(b"no video at all" * 20)
    with pytest.raises(ValueError, match="it must be a video or a picture; it may be broken"):
        read_video(broken)
    broken.write_bytes(content[: len(content) // 3])
    try:
        assert len(read_video(broken)) < len(PLAIN)  # what was there before it broke off
    except ValueError as error:
        assert "it may be broken" in str(error)  # noqa: PT017


def test_frames_of_different_sizes(tmp_path):
    folder = write_pictures(tmp_path / "frames")
    Image.new("RGB", (8, 8)).save(folder / "frame_9.png")
    with pytest.raises(ValueError, match="frames of 16 x 24, 8 x 8; all must have the same size"):
        read_video(folder)


@pytest.mark.parametrize("installed", [True, False])
def test_a_missing_codec(tmp_path, monkeypatch, installed):
    (tmp_path / "film.mp4").write_bytes(b"film")

    def nowhere():
        raise RuntimeError("No ffmpeg exe could be found.")

    monkeypatch.setattr(mediapy, "video_is_available", lambda: False)
    monkeypatch.setattr(imageio_ffmpeg, "get_ffmpeg_exe", nowhere)
    if not installed:
        monkeypatch.setitem(sys.modules, "imageio_ffmpeg", None)
    with pytest.raises(ValueError, match=r".mp4 needs ffmpeg, which is missing; .*pip install imageio-ffmpeg.*.gif"):
        read_video(tmp_path / "film.mp4")
