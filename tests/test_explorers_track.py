"""The explorer of tracks, without a browser."""

import dataclasses
import html

import numpy as np
import pytest
import torch
from models_for_tests import PROMPT, tiny

from xattn_helpers import Guidance, capture, generate, track
from xattn_helpers.display import draw_boxes, heatmaps
from xattn_helpers.display.explorers import TrackExplorer
from xattn_helpers.display.explorers.track import BLANK, GAP

PATH = track([(0.25, 0.25), (0.75, 0.75)], size=0.35)  # what the sliders say at first
RED = (255, 0, 0)


@pytest.fixture(scope="module")
def reference(model):
    """A guided clip, the maps of its word, and its unguided clip."""
    options = {"seed": 0, "progress": False}
    with capture(model, cells=(1, 2)) as attention:
        clip = generate(model, PROMPT, edits=Guidance.for_track("burger", PATH), **options)
    return clip, attention.maps("burger"), generate(model, PROMPT, **options)


@pytest.fixture
def explorer(model, reference):
    """With a clip that is there already."""
    clip, maps, own = reference
    explorer = TrackExplorer(model, PROMPT, "burger")
    explorer.explore(clip, maps, PATH, own)
    return explorer


def test_the_preview_is_there_at_once_and_nothing_runs_before_the_button(model, calls):
    explorer = TrackExplorer(model, PROMPT)
    height, width = model.defaults.height, model.defaults.width
    assert explorer.picture.shape == (height, width, 3)
    before = explorer.picture
    explorer.end_x.value = 0.3
    assert not calls and not np.array_equal(explorer.picture, before)
    explorer.run_button.click()
    explorer.wait()
    assert calls and explorer.picture.shape == (height, 3 * width + 2 * GAP, 3)
    assert not explorer.run_button.disabled and explorer.run_button.description == "Run"


def test_the_preview_shows_the_box_of_the_frame_on_grey_or_on_the_unguided_clip(model, explorer, reference):
    empty, frames = TrackExplorer(model, PROMPT), len(reference[0].video)
    for frame in range(frames):
        empty.frame.value = explorer.frame.value = frame
        inside = draw_boxes(np.zeros_like(reference[0].video), PATH.boxes(frames), RED)[frame]
        for shown in (empty.picture, explorer.picture):
            assert (shown[:, : inside.shape[1]][inside.any(-1)] == RED).all()
    assert (empty.picture[0, -1] == BLANK).all()
    assert np.array_equal(explorer.picture[0, inside.shape[1] - 1], reference[2].video[-1][0, -1])
    explorer.seed.value = 1
    assert (explorer.picture[0, inside.shape[1] - 1] == BLANK).all(), "the unguided clip is of another seed"


def test_it_shows_the_guided_frame_and_the_map_with_the_box_that_was_asked_for(explorer, reference):
    clip, maps, _ = reference
    explorer.frame.value = 1
    height, width = clip.video.shape[1:3]
    explorer.start_x.value = 0.6  # changes the preview alone
    for index, video in ((1, clip.video), (2, heatmaps(maps, size=height))):
        left = index * (width + GAP)
        assert np.array_equal(explorer.picture[:, left : left + width], draw_boxes(video, PATH.boxes(3))[1])


def test_controls_mean_what_the_call_means(model, reference):
    explorer = TrackExplorer(model, PROMPT, "burger")
    explorer.run()
    torch.testing.assert_close(explorer.clip.latents, reference[0].latents, atol=1e-4, rtol=0)
    torch.testing.assert_close(explorer.maps, reference[1], atol=1e-4, rtol=0)
    explorer.by_middle.value, explorer.middle_y.value, explorer.end_size.value = True, 0.2, 0.55
    explorer.strength.value = 0.1
    explorer.run()
    path = track([(0.25, 0.25), (0.5, 0.2), (0.75, 0.75)], size=[0.35, 0.45, 0.55])
    assert np.allclose(explorer.asked.boxes(5), path.boxes(5))
    wanted = generate(model, PROMPT, seed=0, edits=Guidance.for_track("burger", path, strength=0.1), progress=False)
    torch.testing.assert_close(explorer.clip.latents, wanted.latents, atol=1e-4, rtol=0)


def test_the_model_runs_again_only_when_a_control_changed(explorer, calls):
    explorer.run()
    assert not calls and "have changed" not in explorer.message.value
    explorer.end_y.value = 0.5
    assert "have changed" in explorer.message.value
    explorer.run()
    assert calls and explorer.asked.keys[-1] == (0.75, 0.5) and "have changed" not in explorer.message.value


def test_the_sliders_go_where_the_track_of_a_clip_is(model, reference):
    explorer = TrackExplorer(model, PROMPT, "burger")
    bent = track([(0.2, 0.3), (0.4, 0.6), (0.8, 0.5)], size=[0.3, 0.35, (0.5, 0.32)])
    explorer.explore(*reference[:2], bent)
    assert explorer.track().keys == bent.keys and explorer.asked is bent
    assert (explorer.start_size.value, round(explorer.end_size.value, 6)) == (0.3, 0.4)


def test_the_player_moves_the_frame_and_nothing_runs(explorer, calls):
    before = explorer.picture
    explorer.play.value = 2
    assert explorer.frame.value == 2 and not calls and not np.array_equal(explorer.picture, before)


def test_the_words_are_those_of_the_prompt(explorer):
    assert explorer.word.options == ("a", "burger", "floats", "on", "the", "water")
    explorer.prompt.value = "a big bus drives at night"
    assert explorer.word.options == ("a", "big", "bus", "drives", "at", "night")


@pytest.mark.parametrize(
    ("control", "value", "says"),
    [
        ("word", "<bus>", "'<bus>' is not in the prompt"),
        ("word", "", "word: it is empty"),
        ("prompt", " ", "prompt: it is empty"),
        ("prompt", "burger " * 50, "tokens"),
        ("strength", -1, "strength=-1"),
        ("strength", 1e9, "standard deviations"),
    ],
)
def test_what_fails_is_a_message_and_the_old_clip_stays(explorer, reference, control, value, says):
    getattr(explorer, control).value = value
    explorer.run()
    assert says in html.unescape(explorer.message.value) and "<bus>" not in explorer.message.value
    assert explorer.clip is reference[0] and not explorer.run_button.disabled


def test_a_word_that_is_not_there_is_said_before_the_model_runs(explorer, calls):
    for prompt, word in (("a dog on the grass", "burger"), ("", "burger"), (PROMPT, "dog")):
        explorer.prompt.value, explorer.word.value = prompt, word
        explorer.run()
    assert not calls and "'dog' is not in the prompt" in html.unescape(explorer.message.value)


def test_the_controls_begin_with_the_defaults_of_a_track(model):
    explorer, usual = TrackExplorer(model, PROMPT), Guidance.for_track("burger", PATH)
    assert explorer.strength.value == usual.strength > 0
    assert explorer.track() == PATH


def test_a_model_with_pictures_of_another_shape():
    wide = tiny()
    wide = dataclasses.replace(wide, defaults=dataclasses.replace(wide.defaults, height=40, width=72))
    explorer = TrackExplorer(wide, PROMPT, "burger")
    assert explorer.picture.shape == (40, 72, 3)
    explorer.run()
    assert explorer.clip is not None and explorer.maps.shape == (3, 20, 36), explorer.message.value
    assert explorer.picture.shape == (40, 3 * 72 + 2 * GAP, 3)


def test_an_image_model_has_one_frame():
    explorer = TrackExplorer(tiny(frames=1), PROMPT, "burger")
    explorer.run()
    assert explorer.maps.shape[0] == 1 and explorer.frame.disabled and explorer.play.disabled


def test_a_stored_notebook_shows_one_short_line(explorer):
    assert repr(explorer) == f"TrackExplorer({PROMPT!r}, 'burger'); run this notebook to use it"
