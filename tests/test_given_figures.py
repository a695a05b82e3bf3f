"""Lesson 08's clips, pictures and words: what is drawn and told are the clips and figures themselves."""

import numpy as np
import pytest
import torch
from drawn_videos import world

from xattn_helpers import load
from xattn_helpers.measures.statistics import Estimate
from xattn_helpers.studies import given_figures as figures
from xattn_helpers.studies.given_tuning import GivenTuning
from xattn_helpers.studies.given_video import GivenVideo, clips
from xattn_helpers.studies.given_video.clips import Painter
from xattn_helpers.studies.sight import Sight

ROW = {
    "new seen": True, "old seen": False, "iou": 0.714, "psnr": 29.06, "autoencoder psnr": 36.6,
}  # fmt: skip


@pytest.fixture
def clip(monkeypatch):
    """The first clip, drawn with one backdrop of each scene."""
    monkeypatch.setattr(clips, "World", lambda device: world())
    painter = Painter("cpu")
    monkeypatch.setattr(figures, "painter", lambda: painter)
    (chosen, *_) = figures.exchanges()
    for story in (chosen.source, chosen.truth):
        object.__setattr__(story, "backdrop", 0)
    return chosen


def test_clips_are_none_of_the_studies():
    own = [clip.source.actors[0].position for clip in figures.exchanges()]
    assert len(own) == figures.COUNT
    for study in (GivenVideo(), GivenTuning()):
        for clip in clips.sample_clips("object", study.count, study.first_seed):
            assert not any((clip.source.actors[0].position == path).all() for path in own)


def test_a_changed_clip_differs_in_size_and_place_alone(clip):
    changed = figures.changed(clip, 1.5, -0.2)
    (before,), (after,) = clip.source.actors, changed.truth.actors
    np.testing.assert_allclose(after.size, 1.5 * before.size)
    np.testing.assert_allclose(after.position - before.position, [[-0.2, 0.0]] * len(before.position))
    assert changed.source is clip.source and after.name == before.name
    assert (changed.target_prompt, changed.asked) == (clip.source.caption, {"scale": 1.5, "across": -0.2})


def test_the_first_frames_are_drawn(clip):
    drawn, whole = figures.drawn(clip, 3), figures.painter().draw(clip)
    assert (drawn.video == whole.video[:3]).all() and (drawn.true_masks == whole.true_masks[:3]).all()
    assert len(drawn.truth) == len(drawn.masks) == 3 and not (drawn.truth == drawn.video).all()


def test_a_video_is_resized_where_the_model_makes_others(clip, model):
    video, made = figures.drawn(clip, 2).video, model.defaults
    assert figures.fitted(video, model).shape == (2, made.height, made.width, 3)
    fitting = np.zeros((2, made.height, made.width, 3), np.uint8)
    assert figures.fitted(fitting, model) is fitting


def test_strips_have_some_frames_of_each_video():
    videos = {title: np.full((9, 8, 8, 3), value, np.uint8) for title, value in (("one", 10), ("two", 200))}
    figure = figures.strips(videos)
    assert [axis.get_ylabel() for axis in figure.axes] == ["one", "two"]
    assert np.asarray(figure.axes[1].images[0].get_array())[0, 0, 0] == 200


def test_a_mask_is_drawn_where_it_is_above_one_half():
    mask = torch.zeros(3, 4, 4)
    mask[1, :2, :2], mask[1, 2:] = 0.9, 0.4
    video = np.zeros((9, 8, 8, 3), np.uint8)
    tinted = figures.masked(video, mask).sum(-1) > 0
    assert tinted[1:5, :4, :4].all() and not tinted[1:5, 4:].any()  # a latent frame stands for four frames
    assert not tinted[0].any() and not tinted[5:].any()


def test_an_edit_is_told(clip):
    told = figures.told(ROW, clip)
    assert told == (
        f"{clip.new_word} seen, {clip.word} gone, IoU with the truth 0.71, background 29.1 dB (autoencoder 36.6)"
    )
    own = figures.changed(clip, 0.5)
    assert figures.told(ROW | {"new seen": False}, own).startswith(f"{clip.word} not seen, IoU")
    removed = figures.told(ROW | {"new seen": None, "iou": None, "old seen": True}, own)
    assert removed == f"{clip.word} still there, background 29.1 dB (autoencoder 36.6)"


def test_verdicts_are_those_of_the_truth(clip, capsys):
    drawn = figures.drawn(clip, 2)
    edits = {"perfect": (clip, drawn.truth), "as it was": (clip, drawn.video)}
    perfect, same = figures.verdicts(load("pocket-dit"), edits, Sight("pocket-dit"))
    assert perfect.startswith("perfect: ") and f"{clip.word} gone" in perfect
    assert same.startswith("as it was: ") and f"{clip.word} still there" in same and "background 60.0 dB" in same
    assert capsys.readouterr().out == "" and figures.verdicts(load("pocket-dit"), edits, Sight("wan")) == []
    assert "left out for this model" in capsys.readouterr().out


def test_edits_are_counted():
    lost = ROW | {"new seen": False, "old seen": True, "iou": 0.1, "psnr": 20.0}
    assert figures.counted([ROW, ROW, lost]) == ["2 of 3", "2 of 3", "0.51", "26.0 dB", "36.6 dB"]


def test_settings_are_the_figures_of_the_table():
    def setting(overlap, background):
        return {
            "IoU with the true mask": Estimate(overlap, overlap - 0.1, overlap + 0.1, 60),
            "background PSNR": Estimate(background, background - 1, background + 1, 60),
        }

    table = {
        "pocket-dit": {"object": {"edit": setting(0.6, 33), "no mask": setting(0.5, 27)}},
        "pocket": {"object": {"edit": setting(0.5, 30)}},
    }
    left, right = figures.by_setting(table).axes
    assert [bars[0].get_ydata().tolist() for bars in left.containers] == [[0.6, 0.5], [0.5]]
    assert [bars[0].get_ydata().tolist() for bars in right.containers] == [[33, 27], [30]]
    assert [label.get_text() for label in left.get_xticklabels()] == ["edit", "no mask"]
