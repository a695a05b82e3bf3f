import html
import io

import numpy as np
import pytest
import torch
from models_for_tests import tiny
from PIL import Image

from xattn_helpers import Swap, capture, generate
from xattn_helpers.swap_explorer import EVERYTHING, GAP, SwapExplorer

CAR, TRUCK = "a car drives on the road", "a truck drives on the road"


@pytest.fixture(scope="module")
def reference(model):
    options = {"seed": 0, "progress": False}
    return generate(model, CAR, control=Swap("truck", "car", source=TRUCK), **options), generate(model, CAR, **options)


@pytest.fixture
def explorer(model, reference):
    """With clips that are there already."""
    explorer = SwapExplorer(model)
    explorer.explore(*reference)
    return explorer


def test_nothing_runs_before_the_button_is_pressed(model, calls):
    explorer = SwapExplorer(model)
    explorer.window.value, explorer.frame.value = (0, 0.5), 1
    assert not calls and explorer.picture is None and explorer.image.layout.display == "none"
    explorer.run_button.click()
    steps = model.defaults.steps
    assert calls == [2] * steps + [1] * steps and explorer.image.layout.display == ""
    assert not explorer.run_button.disabled and explorer.run_button.description == "Run"


def test_it_shows_source_own_and_swapped_side_by_side(model, reference):
    explorer, (clip, own) = SwapExplorer(model), reference
    explorer.run()
    height, width = clip.video.shape[1:3]
    assert explorer.picture.shape == (height, 3 * width + 2 * GAP, 3)
    for index, video in enumerate((clip.source.video, own.video, clip.video)):
        left = index * (width + GAP)
        assert np.array_equal(explorer.picture[:, left : left + width], video[0])
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(explorer.image.value))), explorer.picture)


def test_the_model_runs_again_only_when_a_control_changed(explorer, model, calls):
    explorer.run()
    assert not calls
    explorer.resolution.value = 8
    explorer.run()
    assert calls == [2] * model.defaults.steps, "the target's own clip is still there"
    explorer.seed.value = 1
    explorer.run()
    assert len(calls) == 3 * model.defaults.steps and explorer.own.seed == explorer.clip.seed == 1


@pytest.mark.parametrize(
    ("control", "value", "options"),
    [
        ("window", (0.0, 0.35), {"window": (0.0, 0.35)}),
        ("place", "up", {"place": "up"}),
        ("resolution", 8, {"resolution": 8}),
    ],
)
def test_controls_mean_what_the_call_means(explorer, model, reference, control, value, options):
    getattr(explorer, control).value = value
    explorer.run()
    wanted = generate(model, CAR, seed=0, progress=False, control=Swap("truck", "car", source=TRUCK, **options))
    torch.testing.assert_close(explorer.clip.latents, wanted.latents, atol=1e-5, rtol=0)
    assert not torch.equal(wanted.latents, reference[0].latents)


def test_the_player_moves_the_frame_and_nothing_runs(explorer, reference, calls):
    explorer.play.value = 2
    width = reference[0].video.shape[2]
    assert explorer.frame.value == 2 and not calls
    assert np.array_equal(explorer.picture[:, -width:], reference[0].video[2])


def test_choices_are_those_of_the_model_and_of_the_prompts(explorer):
    assert list(explorer.resolution.options) == [EVERYTHING, 16, 8, 4]
    assert explorer.word.options == ("a", "car", "drives", "on", "the", "road")
    explorer.source.value = "a big bus drives at night"
    assert explorer.source_word.options == ("a", "big", "bus", "drives", "at", "night")


def test_the_message_says_what_is_seen(explorer):
    assert all(part in explorer.message.value for part in ("<b>car</b>", "<b>truck</b>", "layers: all", "100%"))
    explorer.resolution.value = 16
    explorer.play.value = 1
    assert "resolution: all" in explorer.message.value, "it speaks of the clip that is shown"


@pytest.mark.parametrize(
    ("control", "value", "says"),
    [
        ("source_word", "<bus>", "'<bus>' is not in the prompt"),
        ("word", "bus", "'bus' is not in the prompt"),
        ("prompt", "car " * 50, "tokens"),
    ],
)
def test_what_fails_is_a_message_and_the_old_clips_stay(explorer, reference, control, value, says):
    getattr(explorer, control).value = value
    explorer.run()
    assert says in html.unescape(explorer.message.value) and "<bus>" not in explorer.message.value
    assert explorer.clip is reference[0] and not explorer.run_button.disabled


def test_an_image_model_has_one_frame():
    explorer = SwapExplorer(tiny(frames=1))
    explorer.run()
    assert explorer.picture is not None and explorer.frame.disabled and explorer.play.disabled


def test_the_choices_of_resolution_are_those_that_are_recorded(model):
    explorer = SwapExplorer(model)
    with capture(model) as attention:
        generate(model, CAR, progress=False)
    heights = {attention.probabilities(layer).shape[3] for layer in attention.select()}
    assert set(explorer.resolution.options) == {EVERYTHING, *heights}


def test_a_stored_notebook_shows_one_short_line(explorer):
    assert repr(explorer) == f"SwapExplorer({TRUCK!r}, {CAR!r}); run this notebook to use it"
