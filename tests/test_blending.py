"""Masks of a kept background: by hand, and what the words of the object are."""

import numpy as np
import pytest
import torch
from models_for_tests import PROMPT, run_of, tiny

from xattn_helpers import Bias, Guidance, KeepBackground, Reweight, Swap, track
from xattn_helpers.backbones.backbone import Call
from xattn_helpers.edits.blending import Background, asked_places, grown, object_words, overlaid, shape_of

PATH = track([(0.25, 0.5)], size=0.5)


def test_the_shape_is_the_soft_threshold_of_the_maps():
    """A map of 0, .2, .4 and 1, at the size of the latents."""
    maps = torch.tensor([[[0.0, 0.2], [0.4, 1.0]]])
    wanted = torch.sigmoid(20 * (maps - 0.3))
    torch.testing.assert_close(shape_of([maps], (1, 2, 2), 0.3), wanted)
    torch.testing.assert_close(shape_of([7 * maps], (1, 2, 2), 0.3), wanted)
    torch.testing.assert_close(shape_of([maps, maps], (1, 2, 2), 0.3), wanted)
    assert shape_of([maps], (1, 2, 2), 0.5)[0, 1, 0] < 0.5 < shape_of([maps], (1, 2, 2), 0.3)[0, 1, 0]


def test_maps_of_several_sizes_count_alike():
    fine, coarse = torch.rand(2, 8, 8), 100 * torch.rand(2, 4, 4)
    stretched = coarse / coarse.amax((1, 2), keepdim=True)
    wide = torch.nn.functional.interpolate(stretched[:, None], (8, 8), mode="bilinear")
    mean = (fine / fine.amax((1, 2), keepdim=True) + wide[:, 0]) / 2
    torch.testing.assert_close(shape_of([fine, coarse], (2, 8, 8), 0.3), shape_of([mean], (2, 8, 8), 0.3))


def test_a_mask_grows_by_cells_to_all_sides():
    mask = torch.zeros(2, 7, 7)
    mask[0, 3, 3] = 0.5
    assert (grown(mask, 0) == mask).all()
    wanted = torch.zeros(2, 7, 7)
    wanted[0, 2:5, 2:5] = 0.5
    assert (grown(mask, 1) == wanted).all() and (grown(mask, 2)[0] == 0.5).sum() == 25


def test_pixels_are_those_of_the_edit_by_the_share_of_the_mask():
    """Masks of one cell; the first latent frame is a frame, the second the four after it."""
    given, video = np.full((5, 4, 4, 3), 10, np.uint8), np.full((5, 4, 4, 3), 210, np.uint8)
    mask = torch.tensor([0.0, 0.25]).reshape(2, 1, 1)
    mixed = overlaid(video, given, mask, frames_per_latent=4)
    assert mixed.dtype == np.uint8 and (mixed[0] == 10).all() and (mixed[1:] == 60).all()
    single = overlaid(video[:2], given[:2], mask, frames_per_latent=1)
    assert (single[0] == 10).all() and (single[1] == 60).all()
    assert (overlaid(video, given, torch.ones(2, 1, 1), 4) == video).all()


def test_the_mask_is_the_union_of_what_is_known_and_what_the_words_maps_say():
    run = run_of(tiny(), PROMPT, sources=["a ball floats on the water"])
    known = torch.zeros(run.size)
    known[..., 0] = 1
    background = Background(run, KeepBackground("ball", "burger"), [known])
    assert (background.mask() == known).all()
    site, call = run.model.sites[0], Call(clips=2)
    assert background.columns(site, call, False) == run.model.text.find(PROMPT, "burger")
    assert background.columns(site, Call(gradient=True), False) == []
    assert background.columns(site, Call(halves=("unconditional",)), False) == []
    maps = torch.zeros(2, run.size[0], 3, *run.size[1:], 1)  # of the edit and of the source
    maps[0, :, :, :, -1] = 1
    maps[1] = 5
    assert background(maps, site, call) is None
    torch.testing.assert_close(background.mask(), known, atol=0.01, rtol=0)  # it is far from what is known
    maps[0, :, :, :, :2] = 1
    background(maps, site, call)
    wanted = known.clone()
    wanted[..., 1] = 1
    torch.testing.assert_close(background.mask(), wanted, atol=0.03, rtol=0)
    source, edited = torch.zeros(1, 4, *run.size), torch.ones(1, 4, *run.size)
    torch.testing.assert_close(background.blend(edited, source)[0, 2], wanted, atol=0.03, rtol=0)


def test_of_an_object_that_is_new_its_own_maps_say_where_it_is():
    run = run_of(tiny(), PROMPT)
    background = Background(run, KeepBackground("", "burger"), [])
    assert background.mask().min() == 1  # before anything is known, everything may change
    maps = torch.zeros(1, run.size[0], 3, *run.size[1:], 1)
    maps[..., 5, :] = 1
    background(maps, run.model.sites[0], Call())
    wanted = torch.zeros(run.size)
    wanted[..., 5] = 1
    torch.testing.assert_close(background.mask(), wanted, atol=0.01, rtol=0)


def test_without_a_word_of_the_edit_only_what_is_known_counts():
    run = run_of(tiny(), PROMPT)
    background = Background(run, KeepBackground("burger"), [torch.zeros(run.size)])
    assert background.columns(run.model.sites[0], Call(), False) == [] and background.mask().max() == 0


def test_places_that_edits_ask_for_are_drawn_at_the_size_of_the_latents():
    run = run_of(tiny(), PROMPT)
    maps = torch.rand(run.size)
    edits = [Guidance("burger", PATH), Reweight("burger", 2.0), Bias(["burger", "water"], [PATH, maps])]
    places = asked_places(edits, run)
    disc = PATH.mask(*run.size, "disc")
    assert len(places) == 3 and (places[0] == disc).all() and (places[1] == disc).all() and (places[2] == maps).all()


@pytest.mark.parametrize(
    ("source", "target", "edits", "words"),
    [
        ("a dog runs on the grass", "a cat runs on the grass", [], ("dog", "cat")),
        ("a dog runs on the grass", "an Apple rolls on the grass", [], ("dog", "apple")),
        ("a dog on the grass", "the grass", [], ("dog", "")),
        ("the grass", "a dog on the grass", [], ("", "dog")),
        (PROMPT, PROMPT, [], ("", "")),
        (PROMPT, PROMPT, [Reweight("water", 0.0)], ("water", "water")),
        (PROMPT, PROMPT, [Guidance([["burger"]], [[PATH]])], ("burger", "burger")),
        (PROMPT, PROMPT, [Swap("burger", "burger", source=PROMPT), Bias("water", PATH)], ("water", "water")),
    ],
)
def test_the_words_of_the_object_are_those_that_differ_or_that_an_edit_names(source, target, edits, words):
    assert object_words(source, target, edits) == words
