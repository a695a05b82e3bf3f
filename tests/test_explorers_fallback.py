"""Where anywidget cannot be had, sliders draw and the kernel sends pictures; where controls do nothing, they say so."""

import io

import numpy as np
import pytest
from models_for_tests import PROMPT, in_one_step, tiny
from PIL import Image

from xattn_helpers import Guidance, track
from xattn_helpers.display.explorers import (
    AttentionExplorer,
    BiasExplorer,
    PathDrawer,
    SwapExplorer,
    TrackExplorer,
    player,
    steered,
)
from xattn_helpers.display.explorers.sliders import SliderPad
from xattn_helpers.display.overlays import draw_boxes

STRAIGHT = track([(0.2, 0.3), (0.8, 0.6)], size=[0.3, 0.4])


@pytest.fixture
def bare(monkeypatch):
    """A place without anywidget."""
    monkeypatch.setattr(player, "has_anywidget", lambda: False)
    monkeypatch.setattr(steered, "has_anywidget", lambda: False)


def test_sliders_lead_an_object_where_nobody_can_draw(model, bare):
    drawer = PathDrawer(model, PROMPT, "burger", tracks=STRAIGHT)
    assert isinstance(drawer.pad, SliderPad) and drawer.player.film is None and drawer.tracks == [STRAIGHT]
    drawer.pad.end_x.value = 0.5
    drawer.pad.word.value = "water"
    assert drawer.edit() == Guidance("water", track([(0.2, 0.3), (0.5, 0.6)], size=[0.3, 0.4]))
    assert drawer.pad.word.options == ("a", "burger", "floats", "on", "the", "water")
    drawer.run()
    assert drawer.clip is not None and drawer.image.layout.display == ""
    assert BiasExplorer(model, tracks=STRAIGHT).tracks == [STRAIGHT]


def test_the_kernel_sends_a_png_of_each_frame_with_the_boxes(model, bare):
    drawer = PathDrawer(model, PROMPT, "water", tracks=STRAIGHT)  # which no detector knows
    drawer.run()
    own, guided = drawer.own.video, drawer.clip.video
    for frame in range(3):
        drawer.play.value = frame
        shown = np.asarray(Image.open(io.BytesIO(drawer.image.value)))
        assert np.array_equal(shown, drawer.picture) and np.array_equal(shown[:, :32], own[frame])
        wanted = draw_boxes(guided, STRAIGHT.boxes(3), "#d9480f")[frame]
        assert np.array_equal(shown[:, 36:], wanted)


def test_all_explorers_run_without_anywidget(model, bare):
    for explorer in (AttentionExplorer(model, PROMPT), TrackExplorer(model)):
        explorer.run()
        assert explorer.picture is not None and explorer.image.value[:4] == b"\x89PNG"


def test_sliders_that_do_nothing_cannot_be_moved():
    pad = SliderPad("burger", frames=16)
    assert pad.middle_x.disabled and pad.middle_y.disabled and not pad.end_x.disabled
    pad.by_middle.value = True
    assert not pad.middle_x.disabled
    image = TrackExplorer(tiny(frames=1))
    assert image.end_x.disabled and image.end_size.disabled and image.by_middle.disabled
    assert not image.start_x.disabled


def test_a_stored_notebook_has_a_player_in_the_place_of_the_explorer(model, monkeypatch):
    model = in_one_step(model)
    both = PathDrawer(model, PROMPT, ["burger", "water"])
    made = {"attention": AttentionExplorer(model, PROMPT), "swap": SwapExplorer(model), "video": both}
    made["track"] = PathDrawer(model)
    for explorer in made.values():
        explorer.run()
        assert "text/html" not in explorer._repr_mimebundle_()
    monkeypatch.setenv("XATTN_STORE_PLAYERS", "1")
    for name, explorer in made.items():
        assert f"<xattn-{name}" in explorer._repr_mimebundle_()["text/html"]
    assert "text/html" not in SwapExplorer(model)._repr_mimebundle_(), "there is nothing to show yet"


def test_a_film_is_a_grid_of_the_frames():
    from xattn_helpers.display.explorers.film import MOST, as_grid, shrunk

    video = np.repeat(np.arange(10, dtype=np.uint8)[:, None, None, None] * 25, 3, axis=3)
    video = np.broadcast_to(video, (10, 16, 24, 3))
    data, columns = as_grid(video)
    grid = np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))
    assert columns == 3 and grid.shape == (4 * 16, 3 * 24, 3)
    for index in range(10):
        top, left = index // columns * 16, index % columns * 24
        part = grid[top + 4 : top + 12, left + 4 : left + 20].astype(int)
        assert np.abs(part - index * 25).max() <= 8, "lossy, but the frame that is meant"
    assert shrunk(video) is video
    large = np.zeros((17, 1024, 1024, 3), np.uint8)
    assert shrunk(large).shape == (17, 512, 512, 3) and shrunk(large)[..., 0].size <= MOST
