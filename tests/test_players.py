"""The players: what they store, against the recording and the clips; the scripts are tried in tests/browser."""

import base64
import html
import io
import json
import re

import numpy as np
import pytest
import torch
from IPython.display import HTML
from models_for_tests import recorded_clip
from PIL import Image

from xattn_helpers import track
from xattn_helpers.display.players import attention_player, swap_player, with_player
from xattn_helpers.display.players import track as paths
from xattn_helpers.display.players.attention import words_of
from xattn_helpers.display.players.fallback import STORE
from xattn_helpers.display.players.markup import SCRIPTS, player, script
from xattn_helpers.sampling import Clip


def clip(prompt, level=90, frames=4):
    video = np.full((frames, 32, 32, 3), level, np.uint8)
    return Clip(video, torch.zeros(4, frames, 4, 4), prompt, 0)


def data_of(page):
    """What the script of a player is given."""
    return json.loads(re.search(r'<script type="application/json">(.*?)</script>', page.data)[1])


def sheet(uri):
    picture = Image.open(io.BytesIO(base64.b64decode(uri.partition(",")[2])))
    return np.asarray(picture.convert("L"), float) / 255


# Attention


@pytest.fixture(scope="module")
def recorded():
    return recorded_clip(every_step=True)


def test_the_sheets_hold_the_recorded_maps(recorded):
    made, recording = recorded
    data = data_of(attention_player(made, recording, "burger", steps=3))
    assert data["words"][data["word"]] == "burger" and data["groups"] == ["all layers", "down", "mid", "up"]
    last = len(recording.steps) - 1
    assert data["steps"][0] == "mean of all" and data["steps"][-1].startswith(f"{last + 1} of {last + 1}, t = ")
    for group, name in enumerate(data["groups"]):
        height, width, frames = data["sizes"][group]
        pixels = sheet(data["sheets"][data["word"]][group]) * data["peaks"][data["word"]][group]
        for row, step in ((0, None), (len(data["steps"]) - 1, last)):
            maps = recording.maps("burger", group=None if group == 0 else name, step=step).numpy()
            assert maps.shape == (frames, height, width)
            stored = pixels[row * height : (row + 1) * height].reshape(height, frames, width).transpose(1, 0, 2)
            assert np.abs(stored - maps).mean() < 0.04 * maps.max()
        assert data["at"][group] == [0, 1, 2], "a map for each frame"


def test_without_single_steps_there_is_the_mean(recorded):
    made, recording = recorded_clip()
    assert data_of(attention_player(made, recording))["steps"] == ["mean of all"]


def test_a_word_that_is_not_there_is_refused(recorded):
    with pytest.raises(ValueError, match="word='pizza': possible is a word of the prompt: a, burger"):
        attention_player(*recorded, "pizza")


def test_words_have_no_marks_and_are_there_once():
    assert words_of("A man's burger, a well-known one; a burger…") == [
        "A", "man's", "burger", "a", "well-known", "one",
    ]  # fmt: skip


# Swap and track


def test_a_swap_has_source_before_and_after_in_this_order():
    swapped = clip("a car", 200)
    swapped.source = clip("a <truck>", 10)
    page = swap_player(swapped, clip("a car", 90), "the truck's map").data
    assert [html.unescape(alt) for alt in re.findall(r'alt="([^"]*)"', page)] == [
        "the source: a <truck>", "before the swap: a car", "after the swap: a car",
    ]  # fmt: skip
    levels = [sheet(uri)[0, 0] * 255 for uri in re.findall(r'src="([^"]*)"', page)]
    assert np.allclose(levels, [10, 90, 200], atol=3)
    assert 'data-source="a &lt;truck&gt;"' in page and 'data-caption="the truck&#x27;s map"' in page


def test_a_swap_of_other_clips_is_refused():
    with pytest.raises(ValueError, match="clip: it has no source; possible are"):
        swap_player(clip("a car"), clip("a car"))
    swapped = clip("a car")
    swapped.source = clip("a truck", frames=5)
    with pytest.raises(ValueError, match="own: .*possible is the shape of clip"):
        swap_player(swapped, clip("a car"))


def test_a_track_says_how_well_it_was_obeyed(monkeypatch):
    path = track([(0.5, 0.5)], size=0.4)
    shifted = path.boxes(4) + [0.2, 0, 0.2, 0]  # half of the box: IoU one third
    monkeypatch.setattr(paths, "detect", lambda video, word: (shifted, None))
    page = paths.assembled(clip("a shark"), [("still", path, clip("a shark", 30))], "shark")
    (stored,) = data_of(page)
    assert stored["name"] == "still" and stored["measured"] == "mean IoU with the box 0.33"
    assert stored["boxes"] == [[0.3, 0.3, 0.7, 0.7]] * 4
    assert re.findall(r'alt="([^"]*)"', page.data) == ["without guidance: a shark", "guided, still: a shark"]


@pytest.mark.parametrize("word, said", [("shark", paths.NOT_SEEN), ("dragon", "")])
def test_an_object_that_is_lost_or_unknown(word, said):
    assert paths.measured(clip("a shark"), word, track([(0.5, 0.5)])) == said


def test_there_are_a_dozen_paths_within_the_picture():
    assert len(paths.ready_made()) == 12
    for path in paths.ready_made().values():
        assert path.centres(16).min() >= 0.2 and path.centres(16).max() <= 0.8


# The hook, and what a page is given


def test_an_explorer_leaves_its_player_behind_when_a_lesson_is_written(monkeypatch):
    bundle = {"text/plain": "an explorer"}
    shown = bundle | {"text/html": "<p>player"}
    monkeypatch.setenv(STORE, "1")
    assert with_player(bundle, lambda: HTML("<p>player")) == shown
    assert with_player((bundle, {"a": 1}), lambda: HTML("<p>player")) == (shown, {"a": 1})
    assert with_player(bundle, lambda: None) is bundle


def test_otherwise_no_player_is_made(monkeypatch):
    monkeypatch.delenv(STORE, raising=False)
    assert with_player({"text/plain": "an explorer"}, lambda: pytest.fail("made")) == {"text/plain": "an explorer"}


def test_data_cannot_end_its_script():
    page = player("track", "", {}, {"name": "</script><script>alert(1)"})
    assert page.count("</script>") == 1 + len(SCRIPTS["track"]) and json.dumps("</script>") not in page


@pytest.mark.parametrize("name", sorted({name for names in SCRIPTS.values() for name in names}))
def test_scripts_load_nothing_and_are_stored_without_comments(name):
    text = script(name)
    assert not re.search(r"fetch\(|https?:(?!//www\.w3\.org/2000/svg)|import\b|XMLHttp", text)
    assert "</script" not in text and not re.search(r"^\s*//", text, re.MULTILINE)
