"""Lesson 05's figures and sentences: numbers worked out by hand, on rows and videos that are known."""

import math

import numpy as np
import pytest
import torch
from studies_for_tests import row

from xattn_helpers import capture, generate, track
from xattn_helpers.edits.guidance import Guidance
from xattn_helpers.measures.statistics import Estimate
from xattn_helpers.studies import load_rows, load_table, motion_figures
from xattn_helpers.studies.guidance import observations
from xattn_helpers.studies.guidance.settings import SETTINGS

DOWN, LEVEL = "top left to bottom left", "left to right"


def case(name, seed, way=DOWN, scene="on the grass", **changes):
    return row(name, seed, 0.5) | {"track": way, "prompt": f"a ball rolls {scene}", "failed": ""} | changes


def stored(name, **changes):
    """A part of a table, with the knobs that a setting has today."""
    setting = SETTINGS[name]
    return {"group": "main", "guidance": observations._as_stored(setting.guidance), "bias": setting.bias} | changes


def test_a_setting_that_was_measured_with_other_knobs_is_left_out_of_the_table():
    figures = {name: Estimate(0.5, 0.4, 0.6, 9) for name in observations.COLUMNS.values()}
    settings = {name: stored(name, figures=figures) for name in ("defaults", "paper", "as released", "bias")}
    settings["paper"]["guidance"] = settings["paper"]["guidance"] | {"strength": 60.0}
    rows, sentence = observations.table_rows(settings)
    assert [title for title, *_ in rows] == [observations.SHOWN[name] for name in ("defaults", "as released", "bias")]
    assert rows[0][1:] == ["0.50 (0.40 to 0.60)"] * 4
    for name in ("unguided", "paper", "text, abar, 20"):
        assert observations.SHOWN[name] in sentence
    assert observations.table_rows(settings, {"bias": "a bias"})[1] == ""


def test_growth_is_that_of_the_track_and_its_scene():
    rows = [case("defaults", 0, growth=2.0), case("defaults", 1, growth=0.5), case("defaults", 2, LEVEL, growth=3.0)]
    rows += [case("defaults", 3, DOWN, "in the sky", growth=1.1), case("defaults", 4, "stays", growth=9.0)]
    rows += [case("paper", 5, growth=9.0), case("defaults", 6, growth=9.0, failed="an error")]
    growths = observations.growths(rows, "defaults")
    assert growths["down, on ground"].value == pytest.approx(1) and growths["down, on ground"].n == 2
    assert growths["level"].value == pytest.approx(3) and growths["down, no ground"].value == pytest.approx(1.1)
    world = observations.world_growths(rows, "defaults")
    low, high = 0.8 + 0.8 * (0.77 - 0.4), max(0.75, 0.8 + 0.8 * (0.25 - 0.4))
    assert world["down, on ground"] == pytest.approx(low / high)
    assert world["level"] == pytest.approx(1) and world["down, no ground"] == pytest.approx(1)


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [(0.9, 1.2, "not shown"), (0.7, 0.9, "not shown"), (1.1, 1.3, "less than that"), (1.1, 1.5, "as much as that")],
)
def test_a_verdict_says_what_the_interval_allows(low, high, said):
    assert said in observations.growth_verdict(Estimate((low + high) / 2, low, high, 9), 1.45)


def test_sentences_have_the_numbers_of_the_table():
    rows, settings = load_rows("guidance"), load_table("guidance")["settings"]
    perspective, ends, still = observations.sentences(rows, settings)
    figures = settings["defaults"]["figures"]
    offset = np.mean([row["start"] for row in observations.moving(rows, "defaults") if not math.isnan(row["start"])])
    assert f"{offset:.3f}" in ends and f"{figures['travelled'].value:.2f}" in ends
    assert f"{100 * figures['stays where it was'].value:.0f} %" in still and "of their way" in still
    assert f"{observations.growths(rows, 'defaults')['down, on ground'].value:.2f}" in perspective
    still_with_paper = settings["paper"]["figures"]["stays where it was"].value
    assert still.endswith(f"{100 * still_with_paper:.0f} %.")


def test_the_figure_of_observations_draws_the_stored_numbers():
    rows, settings = load_rows("guidance"), load_table("guidance")["settings"]
    growth, distance, strength = motion_figures.observed(rows, settings, Guidance.strength).axes
    drawn = {bars.get_label(): bars[0].get_ydata() for bars in strength.containers}
    by_strength = observations.by_strength(settings, Guidance.strength)
    assert list(by_strength) == sorted(by_strength) and Guidance.strength in by_strength
    np.testing.assert_allclose(drawn["scene kept"], [part["scene kept"].value for part in by_strength.values()])
    offsets = {bars.get_label(): bars[0].get_ydata() for bars in distance.containers}[observations.SHOWN["defaults"]]
    np.testing.assert_allclose(offsets, [part.value for part in observations.offsets(rows, "defaults").values()])
    assert "as drawn in training" in [line.get_label() for line in growth.lines]


def test_clips_with_an_object_that_is_seen_in_no_frame_are_found():
    rows = [{"model": "pocket", "kind": "two", "word": "cat", "second": "dog", "present": 0.1, "second present": 0.0}]
    rows.append(rows[0] | {"present": 0.0, "second present": 1.0})
    rows += [rows[0] | {"second present": 0.1}, rows[0] | {"model": "other"}, rows[0] | {"kind": "one"}]
    missing, looked = motion_figures.left_out(rows, "pocket")
    assert looked == 3 and [motion_figures.absent(row) for row in missing] == ["dog", "cat"]
    named = [row | {"prompt": f"prompt {number}", "seed": 7 + number} for number, row in enumerate(rows)]
    text = motion_figures.left_out_text(named, "pocket").data
    assert "3 clips were looked at. In 2, one of the two" in text
    assert "“prompt 0”, seed 7: no dog" in text and "“prompt 1”, seed 8: no cat" in text and "prompt 2" not in text
    assert "does not have this model" in motion_figures.left_out_text(named, "modelscope")


def test_a_clip_frame_by_frame_has_its_targets_and_maps(model):
    path, prompt = track([(0.2, 0.3), (0.8, 0.6)], size=0.4), "a burger floats on the water"
    with capture(model, words="burger") as attention:
        clip = generate(model, prompt, progress=False)
    maps = motion_figures.finest_maps(attention, "burger", model)
    figure = motion_figures.frame_by_frame(clip.video, clip.video, maps, path)
    assert len(figure.axes) == 4 * 3
    assert [axis.get_title() for axis in figure.axes[:3]] == ["frame 0", "frame 1", "frame 2"]
    np.testing.assert_array_equal(figure.axes[0].images[0].get_array(), clip.video[0])
    target = np.asarray(figure.axes[4].images[0].get_array())[..., 0] > 127  # of frame 1, enlarged
    mask = path.mask(3, *maps.shape[-2:], "disc")[1].bool()
    times = target.shape[0] // mask.shape[0]
    np.testing.assert_array_equal(target, torch.kron(mask, torch.ones(times, times)).bool().numpy())


def test_strips_have_the_boxes_of_each_video():
    video = np.zeros((5, 20, 20, 3), np.uint8)
    boxes = track([(0.5, 0.5)], size=0.5).boxes(5)
    figure = motion_figures.strips({"one": video, "two": video}, [boxes, boxes])
    assert len(figure.axes) == 8 and figure.axes[4].get_ylabel() == "two"
    assert np.asarray(figure.axes[0].images[0].get_array())[5, 10].tolist() == [255, 0, 0]
