"""The drawer of paths, without a browser: what the pad holds is set as the browser would set it."""

import dataclasses
import html

import numpy as np
import pytest
import torch
from models_for_tests import PROMPT, tiny

from xattn_helpers import Bias, Guidance, generate, track
from xattn_helpers.display.explorers import BiasExplorer, PathDrawer
from xattn_helpers.display.explorers.steered import GAP
from xattn_helpers.measures.adherence import mean_iou

BENT = track([(0.2, 0.3), (0.6, 0.7), (0.8, 0.2)], size=[0.3, 0.4, (0.5, 0.25)])
DRAWN = {"word": "burger", "points": [[0.2, 0.3], [0.7, 0.6]], "sizes": [[0.4, 0.4], [0.4, 0.4]], "times": None}


@pytest.fixture
def drawer(model):
    return PathDrawer(model, PROMPT, "burger", tracks=BENT)


def test_what_is_given_as_tracks_is_what_is_drawn(model, drawer):
    assert drawer.tracks == [BENT] and drawer.words == ["burger"]
    both = PathDrawer(model, PROMPT, ["burger", "water"], tracks=[BENT, track([(0.5, 0.5)])])
    assert both.tracks == [BENT, track([(0.5, 0.5)])] and both.words == ["burger", "water"]


@pytest.mark.parametrize("options", [{"smooth": True}, {"easing": "ease"}, {"smooth": True, "easing": "ease"}])
def test_a_smooth_or_eased_track_has_the_same_boxes_when_it_is_drawn(model, options):
    path = track([(0.2, 0.3), (0.8, 0.3), (0.8, 0.8)], size=[0.3, 0.4, 0.2], **options)
    (drawn,) = PathDrawer(model, PROMPT, tracks=path).tracks
    np.testing.assert_allclose(drawn.boxes(3), path.boxes(3), atol=1e-9)


def test_dots_that_were_dragged_are_places_at_frames(drawer):
    drawer.pad.value = [{**DRAWN, "times": [0.0, 0.2, 1.0]}]
    (path,) = drawer.tracks
    np.testing.assert_allclose(path.centres(3), [[0.2, 0.3], [0.3, 0.36], [0.7, 0.6]], atol=1e-4)
    drawer.pad.value = [DRAWN]
    np.testing.assert_allclose(drawer.tracks[0].centres(3)[1], [0.45, 0.45])


def test_a_run_is_the_guided_clip_beside_the_unguided_one(model, drawer):
    drawer.run()
    own = generate(model, PROMPT, seed=0, progress=False)
    guided = generate(model, PROMPT, seed=0, edits=Guidance("burger", BENT), progress=False)
    assert np.array_equal(drawer.clip.video, guided.video) and np.array_equal(drawer.own.video, own.video)
    width = own.video.shape[2]
    video = drawer.player.video
    assert np.array_equal(video[:, :, :width], own.video) and np.array_equal(video[:, :, width + GAP :], guided.video)
    assert drawer.player.film.count == 3 and len(drawer.pad.film) > 100, "the pad lies on the unguided clip"


def test_a_clip_that_is_there_is_shown_and_nothing_runs(model, calls):
    own = generate(model, PROMPT, seed=4, progress=False)
    guided = generate(model, PROMPT, seed=4, edits=Guidance("water", BENT), progress=False)
    drawer = PathDrawer(model)
    calls.clear()
    drawer.explore(guided, "water", BENT, own)
    assert not calls and drawer.clip is guided and drawer.own is own and drawer.is_current()
    assert drawer.seed.value == 4 and drawer.words == ["water"] and drawer.tracks == [BENT] == [drawer.asked["water"]]
    width = own.video.shape[2]
    assert np.array_equal(drawer.player.video[:, :, :width], own.video)
    drawer.explore(guided, "water", BENT)
    assert drawer.own is None and np.array_equal(drawer.player.video, guided.video)


def test_the_unguided_clip_alone_is_there_to_draw_on(model, drawer, calls):
    drawer.own_button.click()
    drawer.wait()
    assert len(calls) == model.defaults.steps and drawer.clip is None and drawer.pad.film
    drawer.run()
    assert drawer.clip is not None and len(drawer.history.entries) == 1
    before = len(calls)
    drawer.strength.value = 0.05
    drawer.run()
    guided = 2  # of three steps: the first half
    assert len(calls) - before == model.defaults.steps + guided, "the unguided clip is still there"


def test_the_guided_clip_is_shown_before_the_unguided_one_is_made(model, drawer, calls):
    shown = []
    drawer.player.film.observe(lambda _: shown.append((tuple(drawer.player.film.titles), len(calls))), names="film")
    drawer.run()
    steps, guided = model.defaults.steps, 2
    assert shown == [(("guided",), steps + guided), (("unguided", "guided"), 2 * steps + guided)]


def test_knobs_mean_what_the_call_means(model, drawer):
    drawer.law.value, drawer.schedule.value = "1 - abar", "always"
    assert drawer.strength.value == 100, "a law brings its own strength"
    drawer.strength.value = 2.0
    wanted = Guidance("burger", BENT, law="1 - abar", schedule="always", strength=2.0)
    assert drawer.edit() == wanted


def test_two_objects_are_guided_together(drawer):
    other = {**DRAWN, "word": "water"}
    drawer.pad.value = [drawer.pad.value[0], other]
    assert drawer.edit() == Guidance(["burger", "water"], drawer.tracks)


def test_how_well_an_object_keeps_to_its_path_is_said_and_drawn(model, random_detector):
    drawer = PathDrawer(model, PROMPT, "burger", tracks=BENT, detector="random")
    drawer.run()
    assert set(drawer.seen) == {"burger"} and drawer.seen["burger"].shape == (3, 4)
    assert drawer.iou["burger"] == mean_iou(drawer.seen["burger"], BENT.boxes(3))
    assert f"mIoU {drawer.iou['burger']:.2f}, unguided" in drawer.message.value
    own, guided = drawer.player.film.marks
    assert own["asked"] is None and np.allclose(guided["asked"], BENT.boxes(3), atol=1e-4)
    assert guided["left"] == pytest.approx((32 + GAP) / (64 + GAP)) and len(guided["seen"]) == 3


def test_what_the_detector_does_not_know_is_not_measured(model, random_detector):
    drawer = PathDrawer(model, PROMPT, "water", tracks=BENT, detector="random")
    drawer.run()
    assert drawer.clip is not None and drawer.iou == {} and "does not know" in drawer.message.value


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ([{**DRAWN, "word": "<bus>"}], "'<bus>' is not in the prompt"),
        ([{**DRAWN, "points": [], "sizes": []}], "track: none given for 'burger'"),
        ([], "track: none given"),
        ([DRAWN, DRAWN | {"word": "shark"}], "'shark' is not in the prompt"),
    ],
)
def test_what_is_wrong_is_said_before_anything_runs(drawer, calls, value, says):
    drawer.pad.value = value
    assert says in html.unescape(drawer.message.value) and "<bus>" not in drawer.message.value
    drawer.run()
    assert not calls and says in html.unescape(drawer.message.value) and not drawer.run_button.disabled


def test_the_words_and_the_sizes_of_targets_are_offered(drawer, model):
    assert drawer.pad.words == ["a", "burger", "floats", "on", "the", "water"]
    drawer.prompt.value = "a big bus drives at night"
    assert drawer.pad.words == ["a", "big", "bus", "drives", "at", "night"]
    assert drawer.pad.grids == [["8 × 8", 8, 8], ["16 × 16", 16, 16]], "what guidance looks at"
    assert BiasExplorer(model).pad.grids == [["4 × 4", 4, 4], ["8 × 8", 8, 8], ["16 × 16", 16, 16]]


def test_a_clip_whose_controls_have_changed_is_marked(drawer):
    drawer.run()
    assert not drawer.player.film.stale
    drawer.pad.value = [DRAWN]
    assert drawer.player.film.stale and "have changed" in drawer.message.value


def test_an_image_is_guided_to_the_first_point():
    drawer = PathDrawer(tiny(frames=1), PROMPT, tracks=BENT)
    drawer.run()
    assert drawer.player.film.count == 1 and drawer.clip.video.shape[0] == 1


def test_tracks_are_as_many_as_words(model):
    with pytest.raises(ValueError, match="tracks: 1 given for 2 words"):
        PathDrawer(model, PROMPT, ["burger", "water"], tracks=[BENT])


def test_a_stored_notebook_shows_one_short_line(drawer):
    assert repr(drawer) == f"PathDrawer({PROMPT!r}, ['burger']); run this notebook to use it"


# The same with a bias


def test_a_biased_clip_is_that_of_the_call(model):
    explorer = BiasExplorer(model, PROMPT, "burger", tracks=BENT)
    explorer.inside.value, explorer.outside.value, explorer.until.value = 4.0, -2.0, 1.0
    explorer.group.value = "up"
    explorer.run()
    bias = Bias("burger", BENT, inside=4.0, outside=-2.0, until=1.0, groups="up")
    wanted = generate(model, PROMPT, seed=0, edits=bias, progress=False)
    torch.testing.assert_close(explorer.clip.latents, wanted.latents, atol=0, rtol=0)
    assert explorer.label() == "+4, -2, seed 0"


def test_when_live_each_change_runs_and_the_last_one_counts(model):
    explorer = BiasExplorer(model, PROMPT, "burger", tracks=BENT)
    explorer.inside.value = 7.0
    assert explorer.clip is None
    explorer.live.value = True
    for logit in (6.0, 5.0, 3.0):
        explorer.inside.value = logit
    for _ in range(20):
        explorer.wait()
    assert explorer.settings["inside"] == 3.0 and explorer.is_current() and not explorer.is_running


def test_a_group_offers_the_sizes_that_it_has(model):
    explorer = BiasExplorer(model)
    explorer.cells.value = 1
    explorer.group.value = "mid"
    assert [text for text, _ in explorer.cells.options] == ["all", "4 × 4"] and explorer.cells.value == "all"


def test_pictures_of_another_shape():
    wide = dataclasses.replace(tiny(), defaults=dataclasses.replace(tiny().defaults, height=40, width=72))
    drawer = PathDrawer(wide, PROMPT, tracks=BENT)
    assert (drawer.pad.width, drawer.pad.height) == (72, 40)
    drawer.run()
    assert drawer.player.film.width == 2 * 72 + GAP, drawer.message.value
