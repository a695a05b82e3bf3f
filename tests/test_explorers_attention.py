"""The explorer of recorded attention, without a browser."""

import dataclasses
import html

import numpy as np
import pytest
import torch
from models_for_tests import PROMPT, tiny

from xattn_helpers import capture, generate
from xattn_helpers.display import heatmaps
from xattn_helpers.display.explorers import AttentionExplorer
from xattn_helpers.display.explorers.choices import EVERYTHING


@pytest.fixture(scope="module")
def reference(model):
    with capture(model, every_step=True) as attention:
        clip = generate(model, PROMPT, seed=0, progress=False)
    return clip, attention


@pytest.fixture
def explorer(model, reference):
    """With a clip that is there already: to generate one for each test would take long."""
    explorer = AttentionExplorer(model, PROMPT)
    explorer.explore(*reference)
    return explorer


def test_nothing_runs_before_the_button_is_pressed(model, calls):
    explorer = AttentionExplorer(model, PROMPT)
    explorer.word.value = "water"
    assert not calls and explorer.maps is None and explorer.picture is None
    explorer.run_button.click()
    explorer.wait()
    assert len(calls) == model.defaults.steps and explorer.picture is not None
    assert not explorer.run_button.disabled and explorer.run_button.description == "Run"


def test_it_shows_what_the_recorder_gives(model, reference):
    explorer, (clip, attention) = AttentionExplorer(model, PROMPT), reference
    explorer.run()
    assert torch.equal(explorer.maps, attention.maps("burger"))
    height, width = clip.video.shape[1:3]
    assert explorer.picture.shape == (height, 3 * width, 3)
    assert np.array_equal(explorer.picture[:, :width], clip.video[0])


@pytest.mark.parametrize(
    ("control", "value", "slice"),
    [
        ("word", "water", {"word": "water"}),
        ("word", "the water", {"word": "the water"}),
        ("cells", 2, {"word": "burger", "cells": 2}),
        ("step", 2, {"word": "burger", "step": 2}),
    ],
)
def test_a_control_cuts_another_slice_and_nothing_runs(explorer, reference, calls, control, value, slice):
    before = explorer.picture
    getattr(explorer, control).value = value
    assert torch.equal(explorer.maps, reference[1].maps(**slice))
    assert not np.array_equal(explorer.picture, before) and not calls


def test_the_player_moves_the_frame(explorer, reference, calls):
    explorer.play.value = 2
    assert explorer.frame.value == 2 and not calls
    width = explorer.picture.shape[1] // 3
    assert np.array_equal(explorer.picture[:, :width], reference[0].video[2])


def test_the_message_says_what_is_seen(explorer, reference):
    explorer.cells.value, explorer.step.value = 2, 1
    assert all(
        part in explorer.message.value for part in ("burger", "8 × 8", f"t = {reference[1].steps[1].timestep:g}")
    )


def test_the_choices_are_those_of_the_recording(explorer, model):
    assert explorer.word.options == ("a", "burger", "floats", "on", "the", "water")
    sizes = [("16 × 16", 1), ("8 × 8", 2), ("4 × 4", 4)]
    assert list(explorer.cells.options) == [(EVERYTHING, EVERYTHING), *sizes]
    assert list(explorer.step.options) == [EVERYTHING, *range(model.defaults.steps)]
    assert explorer.frame.max == model.defaults.frames - 1


def test_a_clip_that_is_there_is_explored_and_not_made_again(model, reference, calls):
    explorer = AttentionExplorer(model, "a ball on the road", seed=5)
    explorer.explore(*reference)
    explorer.run()
    assert not calls and (explorer.prompt.value, explorer.seed.value) == (PROMPT, 0) and explorer.clip is reference[0]


def test_a_recording_without_single_steps_or_with_fewer_frames(model):
    with capture(model, cells=2) as attention:
        clip = generate(model, PROMPT, frames=2, progress=False)
    explorer = AttentionExplorer(model)
    explorer.frame.value = 2
    explorer.explore(clip, attention)
    assert list(explorer.step.options) == [EVERYTHING]
    assert list(explorer.cells.options) == [(EVERYTHING, EVERYTHING), ("8 × 8", 2)]
    assert explorer.frame.value == explorer.frame.max == explorer.play.max == 1
    assert torch.equal(explorer.maps, attention.maps("burger"))


def test_the_word_stays_when_a_prompt_has_other_words(explorer):
    explorer.prompt.value = "the burger floats to the left on the water"
    assert explorer.word.value == explorer.choices.value == "burger" and "left" in explorer.choices.options
    explorer.prompt.value = "a shark swims in the ocean"
    assert explorer.word.value == "burger" and explorer.choices.value is None
    explorer.choices.value = "shark"
    assert explorer.word.value == "shark"


def test_the_model_runs_again_only_for_another_prompt_or_seed(explorer, model, calls):
    explorer.run()
    assert not calls
    explorer.seed.value = 1
    explorer.prompt.value = "a burger on the road"
    assert not calls
    explorer.run()
    assert len(calls) == model.defaults.steps
    assert (explorer.clip.prompt, explorer.clip.seed) == ("a burger on the road", 1)
    assert explorer.word.options[-1] == "road"


def test_choices_stay_when_the_model_runs_again(explorer):
    explorer.cells.value, explorer.step.value, explorer.frame.value = 2, 1, 2
    explorer.seed.value = 1
    explorer.run()
    assert (explorer.cells.value, explorer.step.value, explorer.frame.value) == (2, 1, 2)
    assert explorer.maps.shape == (3, 8, 8)


def test_an_unknown_word_is_a_message_with_the_prompts_words(explorer, reference):
    explorer.word.value = "<sharc>"
    message = html.unescape(explorer.message.value)
    assert "'<sharc>' is not in the prompt" in message and "burger, floats" in message
    assert "<sharc>" not in explorer.message.value  # escaped
    assert explorer.maps is None and np.array_equal(explorer.picture, reference[0].video[0])
    explorer.word.value = "burger"
    assert explorer.maps is not None and "sharc" not in explorer.message.value


def test_a_prompt_that_fails_is_a_message_and_the_old_clip_stays(explorer, reference):
    explorer.prompt.value = "burger " * 50
    explorer.run()
    assert "tokens" in explorer.message.value and explorer.clip.prompt == PROMPT
    assert torch.equal(explorer.maps, reference[1].maps("burger")) and not explorer.run_button.disabled
    explorer.prompt.value = PROMPT
    explorer.run()
    assert "tokens" not in explorer.message.value


def test_a_failure_before_the_first_run_is_a_message(model):
    explorer = AttentionExplorer(model, "burger " * 50)
    explorer.run()
    assert "tokens" in explorer.message.value and explorer.recording is None and explorer.picture is None


@pytest.mark.parametrize(
    ("prompt", "word", "says"),
    [
        ("", "burger", "prompt: it is empty"),
        (" \t ", "burger", "prompt: it is empty"),
        ("a dog on the grass", "burger", "'burger' is not in the prompt 'a dog on the grass'; its words: a, dog, on"),
        ("a dog on the grass", " ", "word: it is empty; the prompt has: a, dog, on, the, grass"),
    ],
)
def test_what_cannot_be_right_is_said_before_the_model_runs(model, calls, prompt, word, says):
    explorer = AttentionExplorer(model, prompt, word)
    explorer.run()
    assert not calls and explorer.clip is None and says in html.unescape(explorer.message.value)
    explorer.prompt.value, explorer.word.value = PROMPT, "burger"
    explorer.run()
    assert calls and explorer.clip.prompt == PROMPT and "empty" not in explorer.message.value


def test_a_word_of_a_new_prompt_asks_for_a_run(explorer, calls):
    explorer.prompt.value = "a shark on the road"
    assert explorer.word.options == ("a", "shark", "on", "the", "road") and explorer.maps is not None
    explorer.word.value = "shark"
    assert "no maps of <b>shark</b> yet" in explorer.message.value and "press <b>Run</b>" in explorer.message.value
    assert explorer.maps is None and not calls
    explorer.word.value = "water"  # the clip that is there has it
    assert explorer.maps is not None


def test_a_model_with_fewer_maps_than_frames(explorer, reference):
    clip = dataclasses.replace(reference[0], video=np.repeat(reference[0].video, 3, axis=0)[:8])  # of 3 maps
    explorer.explore(clip, reference[1])
    for frame, index in ((0, 0), (1, 0), (2, 1), (5, 1), (6, 2), (7, 2)):
        explorer.frame.value = frame
        shown = explorer.picture[:, -clip.video.shape[2] :]
        assert np.array_equal(shown, heatmaps(explorer.maps, size=clip.video.shape[1])[index])


def test_of_several_runs_it_takes_that_of_the_clip(model, explorer, reference):
    with capture(model) as attention:
        generate(model, "a shark on the road", seed=1, progress=False)
        clip = generate(model, PROMPT, seed=0, progress=False)
    with pytest.raises(ValueError, match=r"2 runs were recorded.*attention\.runs"):
        explorer.explore(clip, attention)
    assert explorer.clip is reference[0], "it shows what it showed"
    explorer.explore(clip, attention.runs[1])
    assert torch.equal(explorer.maps, attention.runs[1].maps("burger"))


def test_an_image_model_has_one_frame():
    explorer = AttentionExplorer(tiny(frames=1), PROMPT)
    explorer.run()
    assert explorer.maps.shape[0] == 1 and explorer.frame.disabled and explorer.play.disabled


def test_a_stored_notebook_shows_one_short_line(explorer):
    assert repr(explorer) == f"AttentionExplorer({PROMPT!r}); run this notebook to use it"
