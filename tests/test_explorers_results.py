"""What becomes of a clip: a file, a cell of code, a place in the history; and what is offered before there is one."""

import dataclasses
import html
import re
from base64 import b64decode

import numpy as np
import pytest
import torch
from IPython.core.interactiveshell import InteractiveShell
from models_for_tests import PROMPT, in_one_step, tiny
from PIL import Image, ImageSequence

from xattn_helpers import generate, load, track
from xattn_helpers.display import explorers, play_clips, videos
from xattn_helpers.display.explorers import AttentionExplorer, BiasExplorer, PathDrawer, SwapExplorer, TrackExplorer
from xattn_helpers.display.explorers.choices import Vocabulary, check_text
from xattn_helpers.display.explorers.code import track_text
from xattn_helpers.display.explorers.results import RUNS
from xattn_helpers.pocket.world.vocabulary import check_prompt

BENT = track([(0.2, 0.3), (0.6, 0.7), (0.8, 0.2)], size=[0.3, 0.4, (0.5, 0.25)])


def pocket_like():
    """A tiny model that understands the words of the pocket world alone."""
    return dataclasses.replace(tiny(), text=dataclasses.replace(tiny().text, check=check_prompt))


def changed_swap(model):
    explorer = SwapExplorer(model)
    explorer.window.value, explorer.group.value, explorer.cells.value = (0.0, 0.7), "up", 2
    return explorer


def changed_drawer(model):
    drawer = PathDrawer(model, PROMPT, ["burger", "water"], seed=4, tracks=[BENT, track([(0.5, 0.5)], size=0.2)])
    drawer.pad.value = [{**drawer.pad.value[0], "times": [0.0, 0.3, 1.0]}, drawer.pad.value[1]]
    drawer.strength.value, drawer.schedule.value = 0.05, "always"
    return drawer


def changed_bias(model):
    explorer = BiasExplorer(model, PROMPT, tracks=BENT)
    explorer.inside.value, explorer.cells.value = 3.0, 1
    return explorer


CHANGED = {
    "attention": lambda model: AttentionExplorer(model, PROMPT, seed=2),
    "swap": changed_swap,
    "track": lambda model: TrackExplorer(model, PROMPT, "burger"),
    "drawer": changed_drawer,
    "bias": changed_bias,
}


@pytest.mark.parametrize("name", CHANGED)
def test_the_code_makes_the_clip_bit_for_bit(model, name):
    explorer = CHANGED[name](model)
    explorer.run()
    assert explorer.code_box.value == explorer.player.film.code == explorer.code()
    names = {"model": model}
    exec(explorer.code_box.value, names)
    assert torch.equal(names["clip"].latents, explorer.clip.latents), explorer.code()


def test_the_code_loads_a_model_by_its_name_and_is_empty_while_the_controls_are_wrong():
    assert 'model = load("pocket-t2i")' in PathDrawer(load("pocket-t2i")).code().replace("'", '"')
    explorer = AttentionExplorer(tiny(), PROMPT)
    explorer.word.value = "shark"
    assert explorer.code_box.value == explorer.player.film.code == ""


@pytest.mark.parametrize(
    "path", [BENT, track([(0.1, 0.2)], size=0.2), track([(0, 0), (1, 1)], smooth=True, easing="ease")]
)
def test_the_text_of_a_track_makes_that_track(path):
    assert eval(track_text(path), {"track": track}) == path


def test_the_code_is_shown_on_demand(model):
    explorer = SwapExplorer(model)
    assert explorer.code_box.layout.display == "none"
    explorer.code_button.value = True
    assert explorer.code_box.layout.display == ""


# Files


@pytest.mark.parametrize("suffix", [".webp", ".gif", ".png"])
def test_a_clip_is_saved_and_offered_for_download(model, tmp_path, monkeypatch, suffix):
    monkeypatch.chdir(tmp_path)
    explorer = AttentionExplorer(model, PROMPT)
    explorer.run()
    explorer.saver.suffix.value = suffix
    explorer.saver.button.click()
    explorer.saver.button.click()
    first = tmp_path / f"a-burger-floats-on-the-water-seed-0{suffix}"
    assert first.exists() and explorer.saver.path.name == f"a-burger-floats-on-the-water-seed-0-2{suffix}"
    with Image.open(first) as picture:
        assert len(list(ImageSequence.Iterator(picture))) == 3 and picture.size == (32, 32)
    data = re.search(r'base64,([^"]*)"', explorer.message.value)[1]
    assert b64decode(data) == explorer.saver.path.read_bytes() and "Saved as" in explorer.message.value


def test_mp4_is_offered_where_ffmpeg_is(model, monkeypatch):
    monkeypatch.setattr(explorers.results, "find_ffmpeg", lambda: True)
    assert ".mp4" in AttentionExplorer(model).saver.suffix.options
    monkeypatch.setattr(explorers.results, "find_ffmpeg", lambda: False)
    assert ".mp4" not in AttentionExplorer(model).saver.suffix.options


def test_what_cannot_be_saved_is_said(model, monkeypatch, tmp_path):
    explorer = AttentionExplorer(model, PROMPT)
    explorer.saver.button.click()
    assert "no clip yet" in explorer.message.value
    explorer.run()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(videos.Path, "write_bytes", lambda *_: (_ for _ in ()).throw(OSError(28, "disk full")))
    explorer.saver.button.click()
    assert "disk full" in explorer.message.value


# The history


def test_the_history_has_the_last_six_runs_and_brings_them_back(model):
    drawer = PathDrawer(in_one_step(model), PROMPT, "burger", tracks=BENT)
    for seed in range(RUNS + 1):
        drawer.seed.value = seed
        drawer.run()
    drawer.run()  # nothing new
    assert [entry.settings["seed"] for entry in drawer.history.entries] == [6, 5, 4, 3, 2, 1]
    assert len(drawer.history.row.children) == RUNS
    drawer.pad.value = [{"word": "water", "points": [[0.5, 0.5]], "sizes": [[0.2, 0.2]], "times": None}]
    picture, button = drawer.history.row.children[3].children
    assert button.description == "burger, seed 3" and picture.value[:4] == b"RIFF"
    button.click()
    assert drawer.seed.value == drawer.clip.seed == drawer.own.seed == 3
    assert drawer.tracks == [BENT] and drawer.is_current() and not drawer.player.film.stale


def test_an_attention_explorer_keeps_the_controls_alone(model):
    explorer = AttentionExplorer(model, PROMPT)
    explorer.run()
    explorer.seed.value = 1
    explorer.run()
    explorer.history.row.children[1].children[1].click()
    assert explorer.seed.value == 0 and explorer.clip.seed == 1 and "have changed" in explorer.message.value


# Choices


def test_a_prompt_is_put_together_from_the_vocabulary():
    drawer = PathDrawer(pocket_like(), "a burger floats on the water")
    vocabulary = drawer.vocabulary
    assert vocabulary.layout.display == "" and vocabulary.prompt() == "a burger floats on the water"
    vocabulary.thing.value = "wolf"
    assert "on the water" not in vocabulary.scene.options and drawer.prompt.value == vocabulary.prompt()
    vocabulary.scene.value = "at night"
    assert drawer.prompt.value == "a wolf runs at night" and drawer.words == ["wolf"]
    vocabulary.thing.value = "apple"
    assert drawer.prompt.value.startswith("an apple ")
    check_text(drawer.model, drawer.prompt.value, "apple")
    assert Vocabulary(tiny(), None).layout.display == "none"


def test_a_word_that_the_model_does_not_know_is_said_at_once(calls):
    explorer = AttentionExplorer(pocket_like(), PROMPT)
    explorer.prompt.value = "a dragon floats on the water"
    explorer.word.value = "dragon"
    assert "do not know the word 'dragon'" in html.unescape(explorer.message.value)
    explorer.run()
    assert not calls and "dragon" in explorer.message.value


def test_all_words_are_there_to_be_clicked(model):
    explorer = AttentionExplorer(model, PROMPT)
    assert list(explorer.choices.options) == ["a", "burger", "floats", "on", "the", "water"]
    explorer.choices.value = "water"
    assert explorer.word.value == "water"
    explorer.word.value = "the water"
    assert explorer.choices.value is None


def test_a_clip_is_a_video_in_a_notebook(model):
    shell = InteractiveShell()
    play_clips(shell)
    clip = generate(model, PROMPT, seed=0, progress=False)
    data, _ = shell.display_formatter.format(clip)
    assert data["text/plain"].startswith("Clip('a burger") and 'alt="a video of 3 frames' in data["text/html"]
    assert np.array_equal(clip.video, generate(model, PROMPT, seed=0, progress=False).video)
