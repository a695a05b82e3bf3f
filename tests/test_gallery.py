"""The gallery of a class: what is handed in, what is measured of it anew, and what is refused."""

import json
import zipfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from drawn_videos import draw

from xattn_helpers import track
from xattn_helpers.display import gallery, hand_in, leaderboard
from xattn_helpers.measures import entries
from xattn_helpers.measures.adherence import mean_iou
from xattn_helpers.measures.boxes import boxes_of
from xattn_helpers.sampling import Clip

FRAMES, SIZE = 6, 0.35
WAY = track([(0.25, 0.3), (0.75, 0.7)], size=SIZE)
PROMPT = "a burger on the road"


def clip_along(path, prompt=PROMPT, seed=3):
    """A drawn clip whose burger is at the places of a path, and its boxes by its exact masks."""
    video, masks = draw([("burger", path.centres(FRAMES).tolist(), SIZE)])
    return Clip(video, None, prompt, seed), boxes_of(masks[0])


@pytest.fixture(scope="module")
def near():
    return clip_along(WAY)


@pytest.fixture(scope="module")
def far():
    return clip_along(track([(0.75, 0.3), (0.25, 0.7)]))


def test_what_is_handed_in_is_read_again_as_it_was(near, tmp_path):
    handed = hand_in(tmp_path / "new" / "folder", "Ann", near[0], "burger", WAY)
    (file,) = (tmp_path / "new" / "folder").iterdir()
    stored = entries.read(file)
    assert np.array_equal(stored.video, near[0].video) and stored.path == WAY
    assert (stored.name, stored.word, stored.prompt, stored.seed) == ("Ann", "burger", PROMPT, 3)
    assert stored.iou == handed.iou and repr(stored) == f"Ann: burger, mIoU {stored.iou:.2f}"


def test_the_iou_is_that_of_the_clip_and_not_a_number_in_the_file(near, far, tmp_path):
    good, bad = (hand_in(tmp_path, name, clip[0], "burger", WAY) for name, clip in (("good", near), ("bad", far)))
    assert good.iou == pytest.approx(mean_iou(near[1], WAY.boxes(FRAMES)), abs=0.03)
    assert bad.iou == pytest.approx(mean_iou(far[1], WAY.boxes(FRAMES)), abs=0.03) and bad.iou < good.iou - 0.3
    file = tmp_path / entries.file_name("bad")
    with np.load(file) as stored:
        about, video = json.loads(str(stored["about"])), stored["video"]
    np.savez_compressed(file, video=video, about=json.dumps(about | {"iou": 1.0, "mIoU": 1.0}))
    assert entries.read(file).iou == bad.iou


def test_the_table_is_sorted_and_says_what_is_no_entry(near, far, tmp_path):
    hand_in(tmp_path, "Bob", far[0], "burger", WAY)
    hand_in(tmp_path, "Ann", near[0], "burger", WAY)
    (tmp_path / "broken.clip.npz").write_bytes(b"no zip")
    (tmp_path / "notes.txt").write_text("of no interest")
    text = leaderboard(tmp_path).data
    first, second = (line for line in text.splitlines() if line.startswith(("| 1 ", "| 2 ")))
    assert "Ann" in first and "6 of 6" in first and "Bob" in second and "no entry of a gallery" in text
    assert "notes" not in text
    page = gallery(tmp_path).data
    assert page.index("1. Ann") < page.index("2. Bob") and page.count("<img") == 2


def test_a_name_has_one_clip_and_names_do_not_meet(near, far, tmp_path):
    for name in ("Ann", "ann", "Änn", "Ann "):
        hand_in(tmp_path, name, far[0], "burger", WAY)
    hand_in(tmp_path, "Ann", near[0], "burger", WAY)
    best, *others = entries.read_all(tmp_path)[0]
    assert best.name == "Ann" and sorted(entry.name for entry in others) == ["ann", "Änn"]


def test_two_students_of_one_name_keep_both_clips(near, far, tmp_path, monkeypatch):
    for author, clip in (("first", near[0]), ("second", far[0])):
        monkeypatch.setattr(entries, "author", partial(str, author))
        hand_in(tmp_path, "anonymous", clip, "burger", WAY)
    assert [entry.name for entry in entries.read_all(tmp_path)[0]] == ["anonymous"] * 2


def test_a_user_without_a_name_can_hand_in(near, tmp_path, monkeypatch):
    def unknown():
        raise KeyError("uid not found")

    monkeypatch.setattr(entries.getpass, "getuser", unknown)
    hand_in(tmp_path, "Ann", near[0], "burger", WAY)
    assert len(list(tmp_path.iterdir())) == 1


def test_a_name_of_others_is_text_and_nothing_else(near, tmp_path):
    for number, name in enumerate(("<b>x</b>", "a|b", "[a](http://b)", "../../up", "$x$")):
        hand_in(tmp_path / "shared", name, near[0], "burger", WAY)
        assert len(list((tmp_path / "shared").iterdir())) == number + 1
    table, page = leaderboard(tmp_path / "shared").data, gallery(tmp_path / "shared").data
    assert "<b>x" not in table + page and "](" not in table and "$x$" not in table and "a\\|b" in table
    assert [path.name for path in tmp_path.iterdir()] == ["shared"]


def test_an_empty_gallery_says_so(tmp_path):
    assert "Nobody" in leaderboard(tmp_path).data and "Nobody" in gallery(tmp_path).data


def test_a_class_can_hand_in_at_the_same_time(near, tmp_path):
    names = [f"student {number % 4}" for number in range(12)]
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda name: hand_in(tmp_path, name, near[0], "burger", WAY), names))
    found, faults = entries.read_all(tmp_path)
    assert len(found) == 4 and not faults and len(list(tmp_path.iterdir())) == 4
    assert all(file.stat().st_mode & 0o444 == 0o444 for file in tmp_path.iterdir())


# What is refused


@pytest.mark.parametrize("name", ["", "   ", "x" * 41, "a\nb"])
def test_a_name_that_cannot_be_shown_is_refused(near, tmp_path, name):
    with pytest.raises(ValueError, match="name .*1 to 40 characters"):
        hand_in(tmp_path, name, near[0], "burger", WAY)


@pytest.mark.parametrize("keys", [[(0.5, 0.5)], [(0.4, 0.5), (0.7, 0.5)]])
def test_a_path_that_stays_where_it_is_is_refused(near, tmp_path, keys):
    with pytest.raises(ValueError, match="path: .*must lead further"):
        hand_in(tmp_path, "Ann", near[0], "burger", track(keys, size=SIZE))
    assert not list(tmp_path.iterdir())


def test_a_path_may_come_back(near, tmp_path):
    hand_in(tmp_path, "Ann", near[0], "burger", track([(0.2, 0.2), (0.8, 0.2), (0.8, 0.8), (0.2, 0.2)], size=SIZE))


def test_words_that_are_not_there_or_not_known_are_refused(near, tmp_path):
    with pytest.raises(ValueError, match="'truck'.*must be one of the prompt"):
        hand_in(tmp_path, "Ann", near[0], "truck", WAY)
    with pytest.raises(ValueError, match="detector knows"):
        hand_in(tmp_path, "Ann", near[0], "road", WAY)
    assert not list(tmp_path.iterdir())


def test_folders_that_cannot_be_are_named(near, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ValueError, match="folder: .*can be written"):
        hand_in(tmp_path / "file", "Ann", near[0], "burger", WAY)
    with pytest.raises(ValueError, match="folder: .*not there"):
        leaderboard(tmp_path / "nowhere")


def test_wrong_kinds_are_refused(near, tmp_path):
    for arguments in ((near[0].video, "burger", WAY), (near[0], 3, WAY), (near[0], "burger", WAY.boxes(FRAMES))):
        with pytest.raises(ValueError, match="must be"):
            hand_in(tmp_path, "Ann", *arguments)


@pytest.mark.parametrize("content", [{"video": np.zeros((2, 8, 8, 3), np.uint8)}, {"about": np.array("{}")}, {}])
def test_files_of_another_kind_are_told(tmp_path, content):
    np.savez(tmp_path / "x.clip.npz", **content)
    _, (fault,) = entries.read_all(tmp_path)
    assert fault.startswith("x.clip.npz is no entry")


def test_a_file_that_would_fill_the_memory_is_not_unpacked(tmp_path, monkeypatch):
    monkeypatch.setattr(entries, "LARGEST", 1000)
    with zipfile.ZipFile(tmp_path / "x.clip.npz", "w", zipfile.ZIP_DEFLATED) as parts:
        parts.writestr("video.npy", bytes(100_000))
    with pytest.raises(ValueError, match="it would fill"):
        entries.read(tmp_path / "x.clip.npz")


def test_a_clip_that_is_too_large_is_refused(near, tmp_path, monkeypatch):
    monkeypatch.setattr(entries, "LARGEST", near[0].video.nbytes - 1)
    with pytest.raises(ValueError, match="clip: .*at most"):
        hand_in(tmp_path, "Ann", replace(near[0]), "burger", WAY)
