"""The explorer of swaps, without a browser."""

import html

import numpy as np
import pytest
import torch
from models_for_tests import tiny

from xattn_helpers import Swap, capture, generate
from xattn_helpers.display.explorers import SwapExplorer
from xattn_helpers.display.explorers.choices import EVERYTHING
from xattn_helpers.display.explorers.swap import GAP

CAR, TRUCK = "a car drives on the road", "a truck drives on the road"


@pytest.fixture(scope="module")
def reference(model):
    options = {"seed": 0, "progress": False}
    return generate(model, CAR, edits=Swap("truck", "car", source=TRUCK), **options), generate(model, CAR, **options)


@pytest.fixture
def explorer(model, reference):
    """With clips that are there already."""
    explorer = SwapExplorer(model)
    explorer.explore(*reference)
    return explorer


def test_nothing_runs_before_the_button_is_pressed(model, calls):
    explorer = SwapExplorer(model)
    explorer.window.value, explorer.frame.value = (0, 0.5), 1
    assert not calls and explorer.picture is None
    explorer.run_button.click()
    explorer.wait()
    steps = model.defaults.steps
    assert calls == [2] * steps + [1] * steps and explorer.picture is not None
    assert not explorer.run_button.disabled and explorer.run_button.description == "Run"


def test_it_shows_source_own_and_swapped_side_by_side(model, reference):
    explorer, (clip, own) = SwapExplorer(model), reference
    explorer.run()
    height, width = clip.video.shape[1:3]
    assert explorer.picture.shape == (height, 3 * width + 2 * GAP, 3)
    for index, video in enumerate((clip.source.video, own.video, clip.video)):
        left = index * (width + GAP)
        assert np.array_equal(explorer.picture[:, left : left + width], video[0])


def test_the_model_runs_again_only_when_a_control_changed(explorer, model, calls):
    explorer.run()
    assert not calls
    explorer.cells.value = 2
    explorer.run()
    assert calls == [2] * model.defaults.steps, "the target's own clip is still there"
    explorer.seed.value = 1
    explorer.run()
    assert len(calls) == 3 * model.defaults.steps and explorer.own.seed == explorer.clip.seed == 1


@pytest.mark.parametrize(
    ("control", "value", "options"),
    [
        ("window", (0.0, 0.35), {"window": (0.0, 0.35)}),
        ("group", "up", {"groups": "up"}),
        ("cells", 2, {"cells": 2}),
    ],
)
def test_controls_mean_what_the_call_means(explorer, model, reference, control, value, options):
    getattr(explorer, control).value = value
    explorer.run()
    wanted = generate(model, CAR, seed=0, progress=False, edits=Swap("truck", "car", source=TRUCK, **options))
    torch.testing.assert_close(explorer.clip.latents, wanted.latents, atol=1e-5, rtol=0)
    assert not torch.equal(wanted.latents, reference[0].latents)


def test_the_player_moves_the_frame_and_nothing_runs(explorer, reference, calls):
    explorer.play.value = 2
    width = reference[0].video.shape[2]
    assert explorer.frame.value == 2 and not calls
    assert np.array_equal(explorer.picture[:, -width:], reference[0].video[2])


def test_choices_are_those_of_the_model_and_of_the_prompts(explorer):
    sizes = [("16 × 16", 1), ("8 × 8", 2), ("4 × 4", 4)]
    assert list(explorer.cells.options) == [(EVERYTHING, EVERYTHING), *sizes]
    assert list(explorer.group.options) == [EVERYTHING, "down", "mid", "up"]
    assert explorer.word.options == ("a", "car", "drives", "on", "the", "road")
    explorer.source.value = "a big bus drives at night"
    assert explorer.source_word.options == ("a", "big", "bus", "drives", "at", "night")


def test_the_message_says_what_is_seen(explorer):
    assert all(part in explorer.message.value for part in ("<b>car</b>", "<b>truck</b>", "group: all", "100%"))
    explorer.cells.value = 1
    explorer.play.value = 1
    assert "maps: all" in explorer.message.value, "it speaks of the clip that is shown"


@pytest.mark.parametrize(
    ("control", "value", "says"),
    [
        ("source_word", "<bus>", "'<bus>' is not in the prompt 'a truck"),
        ("word", "bus", "'bus' is not in the prompt 'a car"),
        ("source", " ", "source: it is empty"),
        ("prompt", "", "target: it is empty"),
        ("word", "", "word: it is empty; the target has: a, car, drives"),
        ("prompt", "car " * 50, "tokens"),
    ],
)
def test_what_fails_is_a_message_and_the_old_clips_stay(explorer, reference, calls, control, value, says):
    getattr(explorer, control).value = value
    explorer.run()
    assert says in html.unescape(explorer.message.value) and "<bus>" not in explorer.message.value
    assert explorer.clip is reference[0] and not explorer.run_button.disabled and not calls


def test_an_image_model_has_one_frame():
    explorer = SwapExplorer(tiny(frames=1))
    explorer.run()
    assert explorer.picture is not None and explorer.frame.disabled and explorer.play.disabled


def test_the_choices_of_maps_are_those_that_are_recorded(model):
    explorer = SwapExplorer(model)
    with capture(model) as attention:
        generate(model, CAR, progress=False)
    sizes = {attention.size(site) for site in attention.sites()}
    assert {text for text, _ in explorer.cells.options} == {EVERYTHING, *(f"{h} × {w}" for h, w in sizes)}
    for _, cells in explorer.cells.options[1:]:
        assert attention.sites(cells=cells)


def test_a_clip_without_a_source_is_refused(explorer, reference):
    with pytest.raises(ValueError, match="clip: it has no source; possible"):
        explorer.explore(reference[1], reference[1])
    assert explorer.clip is reference[0]


def test_a_stored_notebook_shows_one_short_line(explorer):
    assert repr(explorer) == f"SwapExplorer({TRUCK!r}, {CAR!r}); run this notebook to use it"
