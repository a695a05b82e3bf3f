"""Lesson 00's figures and sentences: numbers worked out by hand, and places in drawn videos."""

import math
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from drawn_videos import draw

from xattn_helpers.measures.statistics import Estimate
from xattn_helpers.pocket.training.config import TrainConfig
from xattn_helpers.pocket.training.schedule import build_scheduler, timestep_weights
from xattn_helpers.pocket.world.batches import sample_batch
from xattn_helpers.studies import denoising_figures as figures
from xattn_helpers.studies import quality_table

PROMPT = "a burger floats"  # with start and end, five tokens
COSINES = {"apart": torch.tensor([1, 0.9, 0.1, 0.8, 0.7, 0.2]), "mixing": torch.tensor([1, 1, 0.3, 0.5, 0.6, 0.1])}
ERRORS = {figures.OWN: [4.0, 2.0], "no caption": [5.0, 3.0], "a wrong noun": [6.0, 2.1], "another": [4.0, 6.0]}
TIMESTEPS = (50, 950)
LEFT, RIGHT = [(0.3, 0.6)] * 2, [(0.7, 0.6)] * 2  # paths
NOTHING = np.zeros((1, 128, 128, 3), np.uint8)


@pytest.fixture
def text():
    """Of a model that knows five tokens and pads to six."""
    labels = ["<start>", "a", "burger", "floats", "<end>", "<pad>"]
    return SimpleNamespace(
        count=lambda prompt: 5, labels=lambda prompt: labels, find=lambda prompt, word: [labels.index(word)]
    )


def heights(axis):
    """What the bars of each kind show, by what the legend says."""
    return {bars.get_label(): [bar.get_height() for bar in bars] for bars in axis.containers}


def curves(axis):
    """What the lines show, by what the legend says."""
    return {line.get_label(): (line.get_xdata(), line.get_ydata()) for line in axis.lines}


def test_a_bar_for_each_token_and_encoder(text):
    (axis,) = figures.token_cosines(COSINES, text, PROMPT, "exchanged").axes
    assert [label.get_text() for label in axis.get_xticklabels()] == ["<start>", "a", "burger", "floats", "<end>"]
    assert axis.get_title() == "exchanged" and list(heights(axis)) == ["apart", "mixing"]
    np.testing.assert_allclose(heights(axis)["mixing"], COSINES["mixing"][:5])
    first, second = (bars[0] for bars in axis.containers)
    assert first.get_x() + first.get_width() < second.get_x(), "side by side"
    assert first.get_x() + second.get_x() + second.get_width() == pytest.approx(0), "around the tick"


def test_the_least_cosine_is_that_of_words_after_the_noun(text):
    said = "words after the noun have a cosine of"
    lines = figures.least_cosines(COSINES, text, PROMPT, "burger")
    assert lines == [f"apart: {said} 0.70 or more", f"mixing: {said} 0.50 or more"]


def test_weights_are_those_of_each_models_own_schedule():
    (axis,) = figures.weights_of_the_loss().axes
    for kind in ("image", "video"):
        wanted = timestep_weights(build_scheduler(kind).alphas_cumprod, kind)
        np.testing.assert_allclose(curves(axis)[f"pocket {kind} model"][1], wanted)


def test_how_much_and_how_often_noise_is_trained():
    config = replace(TrainConfig(), t2v_noisy_share=0.5, t2v_noisy_from=0.8)
    image, video, share = figures.training_in_noise(config)
    weights = timestep_weights(build_scheduler("video").alphas_cumprod, "video")
    assert video == f"video model: t = 999 counts {weights[999] / weights[500]:.0f} times as much as t = 500"
    assert image == "image model: t = 999 counts 3 times as much as t = 500"
    assert share == "video model: 60% of its timesteps are drawn from the noisiest 20%"  # 0.5 + 0.5 * 0.2


def test_four_captions_of_each_picture():
    _, stories = sample_batch(16, seed=2)
    own, none, wrong, other = figures.captions_told(stories).values()
    assert own == [story.caption for story in stories] and none == [""] * 16
    assert other == [own[(index + 1) % 16] for index in range(16)]
    nouns = [story.actors[0].name for story in stories]
    for caption, changed, noun in zip(own, wrong, nouns, strict=True):
        assert changed == caption.replace(noun, "boat" if noun == "burger" else "burger") != caption
    assert "burger" in nouns, "else one of the two wrong nouns would not be seen"


def test_other_captions_are_compared_with_a_pictures_own():
    assert figures.error_ranges(ERRORS, TIMESTEPS) == [
        "no caption: error +25% to +50%, at t = 950 +50%",
        "a wrong noun: error +5% to +50%, at t = 950 +5%",
        "another: error +0% to +200%, at t = 950 +200%",
    ]


def test_errors_are_drawn_as_they_are_and_as_what_is_more():
    left, right = figures.errors_by_timestep(ERRORS, TIMESTEPS).axes
    for axis, values in ((left, [6.0, 2.1]), (right, [50, 5])):
        assert list(curves(axis)) == list(ERRORS)
        xs, ys = curves(axis)["a wrong noun"]
        np.testing.assert_array_equal(xs, TIMESTEPS)
        np.testing.assert_allclose(ys, values)
    assert left.get_yscale() == "log" and right.get_yscale() == "linear"


def test_distances_are_in_widths_from_the_reference():
    videos = [draw([(word, path, 0.4)])[0] for word, path in (("car", LEFT), ("bus", RIGHT), ("car", RIGHT))]
    words = ("car", "bus", "car")
    assert figures.distances(videos, words) == pytest.approx([0, 0.4, 0.4], abs=0.02)
    assert figures.distances(videos, words, reference=2) == pytest.approx([0.4, 0, 0], abs=0.02)


def test_frames_without_the_object_are_left_out_of_a_distance():
    moving = draw([("car", [(0.3, 0.6), (0.6, 0.6)], 0.4)])[0]
    standing = draw([("car", LEFT, 0.4)])[0]
    cut = np.concatenate([NOTHING, moving[1:]])
    assert figures.distances([standing, moving], ["car"] * 2)[1] == pytest.approx(0.15, abs=0.02)
    assert figures.distances([standing, cut], ["car"] * 2)[1] == pytest.approx(0.3, abs=0.02)
    assert math.isnan(figures.distances([standing[:1], NOTHING], ["car"] * 2)[1])


def test_the_first_picture_with_the_object_is_found():
    left, right = (draw([("car", path, 0.4)])[0][:1] for path in (LEFT, RIGHT))
    index, off = figures.first_seen([NOTHING, left, right, right], "car")
    assert index == 1 and off == pytest.approx(0.4, abs=0.02)
    with pytest.raises(ValueError, match="'car' is seen in none of the 2 pictures"):
        figures.first_seen([NOTHING, NOTHING], "car")


def test_figures_of_a_model_are_told_in_a_line_each():
    table = {"right scene": Estimate.rate([True, False]), "seen": Estimate.rate([True])}
    assert quality_table.reached(table, ("right scene", "none")) == ["right scene: 50 % (9 to 91), n = 2"]
    assert quality_table.reached({}, ("seen",)) == []
