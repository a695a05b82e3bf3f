"""Knobs of `edit_video` on tiny models of both families: several draws of noise, and pixels of the given video."""

import pytest
from given_for_tests import MODELS, difference, edit, given, object_in_the_left_half, small
from models_for_tests import PROMPT

from xattn_helpers import Guidance, track


@pytest.fixture(params=MODELS)
def model(request):
    return MODELS[request.param]()


# Draws of noise


def test_several_draws_of_noise_take_the_place_of_one(model):
    assert difference(edit(model, target=PROMPT, draws=2)) < 1e-4
    single, double = edit(model), edit(model, draws=2)
    assert (edit(model, draws=1).video == single.video).all()
    assert double.video.shape == single.video.shape and (double.latents - single.latents).abs().max() > 1e-3


def test_each_draw_is_seen_by_the_network_and_by_edits():
    model = small()
    pull = Guidance("burger", track([(0.2, 0.5)]), schedule="always")
    once, twice = (edit(model, target=PROMPT, edits=pull, steps=3, skip=0.0, draws=draws).updates for draws in (1, 2))
    assert [update.step for update in once] == [0, 1, 2] and [update.step for update in twice] == [0, 0, 1, 1, 2, 2]


def test_draws_that_a_method_does_not_make_are_refused_before_anything_runs():
    with pytest.raises(ValueError, match="draws: 2 given; 'plain' has one noise for all levels"):
        edit(small(), method="plain", draws=2)


# Pixels of the given video


def test_outside_the_mask_the_pixels_are_those_of_the_video(model, monkeypatch):
    """The left half is the object's; at its edge, both count."""
    _, _, _, width = edit(model).latents.shape
    object_in_the_left_half(monkeypatch)
    decoded, laid = edit(model), edit(model, overlay=True)
    cell = model.codec.pixels_per_cell
    inside, outside = slice(0, (width // 2 - 1) * cell), slice((width // 2 + 1) * cell, None)
    assert (laid.video[:, :, outside] == given(model)[:, :, outside]).all()
    assert (decoded.video[:, :, outside] != given(model)[:, :, outside]).any()
    assert (laid.video[:, :, inside] == decoded.video[:, :, inside]).all()
    assert (laid.latents == decoded.latents).all()


def test_without_a_mask_there_is_nothing_to_lay_over():
    with pytest.raises(ValueError, match="overlay: True given, and no mask"):
        edit(small(), overlay=True, keep_background=False)
    with pytest.raises(ValueError, match="overlay: True given, and no mask"):
        edit(small(), overlay=True, target=PROMPT)  # no word differs, and no edit names one
