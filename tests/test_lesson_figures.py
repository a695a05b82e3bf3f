"""Figures and sentences of lessons 02 and 03: what is drawn and said are the numbers of the stored tables."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from xattn_helpers.measures.map_quality import auroc
from xattn_helpers.measures.statistics import Estimate
from xattn_helpers.studies import load_rows, load_table
from xattn_helpers.studies.attention_noise import answers, toys
from xattn_helpers.studies.attention_noise.table import IMAGE, PLACES, VIDEO
from xattn_helpers.studies.forward_swap import figures, likeness
from xattn_helpers.studies.forward_swap import table as swap_table
from xattn_helpers.studies.noise_grid import table as grid_table


def dots(axis):
    """The middle of each interval, by what the legend says."""
    return {bars.get_label(): bars[0].get_ydata() for bars in axis.containers}


@pytest.fixture(scope="module")
def noise():
    return load_table("attention_noise")


@pytest.fixture(scope="module")
def swaps():
    return load_table("forward_swap"), load_rows("forward_swap")


def test_three_numbers_of_both_models(noise):
    axes = answers.three_numbers(noise).axes
    assert [axis.get_title().partition(":")[0].lower() for axis in axes] == list(answers.NUMBERS)
    for axis, name in zip(axes, answers.NUMBERS, strict=True):
        for model, label in ((IMAGE, "image model"), (VIDEO, "video model")):
            wanted = [noise["held out"][place][name][model].value for place in PLACES]
            np.testing.assert_allclose(dots(axis)[label], wanted, equal_nan=True)


def test_the_transformer_stands_beside_them_where_it_is_measured(noise):
    own = {"held out": {place: {} for place in answers.BLOCKS}}
    for index, place in enumerate(answers.BLOCKS):
        for name in answers.NUMBERS:
            own["held out"][place][name] = {"model": Estimate.mean([index, index]), "perfect": Estimate.mean([9, 9])}
    axis = answers.three_numbers(noise, own).axes[0]
    np.testing.assert_array_equal(dots(axis)["transformer"], [0, 1, 2])
    labels = [label.get_text().replace("\n", " ") for label in axis.get_xticklabels()]
    assert labels == [*PLACES, "8 early", "8 middle", "8 late"]


def test_a_change_is_one_towards_noise_or_away_from_it_or_undecided():
    up, unsure = Estimate(0.2, 0.1, 0.3, 9), Estimate(0.1, -0.1, 0.3, 9)
    assert answers.verdict(up, 1) == "noisier" and answers.verdict(up, -1) == "cleaner"
    assert answers.verdict(unsure, 1) == answers.verdict(unsure, -1) == "undecided"


def test_the_answer_of_lesson_02_is_that_of_the_table(noise):
    changes = [noise["held out"][place]["auroc"]["difference"] for place in PLACES]
    assert any(change.excludes(0.0) for change in changes), "else the figure would say nothing"
    lines = answers.answers(noise)
    fine = noise["held out"]["16 up"]["auroc"]["difference"]
    assert "Of 15 comparisons" in lines[0] and fine.low > 0, "that the video model is cleaner is said in the prose, too"
    assert f"auroc, video minus image, {fine.value:+.3f}" in lines[1] and lines[1].endswith("cleaner.")


def test_toys_have_the_fault_that_they_are_named_for():
    found = {name: float(auroc(values, toys.disc())) for name, values in toys.toys().items()}
    assert found["perfect"] == found["faint"] == found["blurred"] == 1
    assert 0.7 < found["with noise"] < 1 and abs(found["only noise"] - 0.5) < 0.1 and found["outline"] < 1
    titles = [axis.get_title().replace("\n", " ") for axis in toys.toy_figure().axes]
    assert titles[0].startswith("perfect: AUROC 1.00")
    assert torch.equal(toys.toys()["only noise"], toys.toys()["only noise"]), "the same noise each time"


def test_what_a_mixing_encoder_changes_is_told_where_it_is_measured():
    change = {"trainings": 1, "each": [Estimate(-0.2, -0.3, -0.1, 20)]}
    table = {"questions": {"words mixed by the text encoder": {"AUROC": change}}}
    assert grid_table.answers(table) == ["**The noun's own map** (AUROC): -0.20 (-0.30 to -0.10)"]
    assert grid_table.answers({"questions": {}}) == []


def one_colour(*shades):
    """Clips of one frame, each of its own shade of grey."""
    return [SimpleNamespace(video=np.full((1, 8, 8, 3), shade, np.uint8)) for shade in shades]


def shades(figure, rows):
    """The shade of each cell of a figure, by row."""
    return np.reshape([np.unique(axis.images[0].get_array()).item() for axis in figure.axes], (rows, -1)).tolist()


def top_titles(figure, columns):
    return [axis.get_title() for axis in figure.axes[:columns]]


def left_titles(figure, columns):
    return [axis.get_ylabel() for axis in figure.axes[::columns]]


def test_clips_stand_below_their_seeds_and_beside_their_titles():
    clips = {"a truck": one_colour(10, 11, 12), "a car": one_colour(90, 91, 92)}
    figure = figures.pictures_by_seed(clips, [0, 4, 7])
    assert shades(figure, 2) == [[10, 11, 12], [90, 91, 92]]
    assert top_titles(figure, 3) == ["seed 0", "seed 4", "seed 7"] and left_titles(figure, 3) == list(clips)


def test_sources_stand_in_a_column_of_their_own():
    clips, (pizza,) = {"no swap": one_colour(10, 11), "like shape": one_colour(20, 21)}, one_colour(70)
    figure = figures.pictures_by_seed(clips, [3, 5], sources=[None, pizza])
    assert shades(figure, 2) == [[255, 10, 11], [70, 20, 21]], "a row without a source begins with white"
    assert top_titles(figure, 3) == ["source, seed 3", "seed 3", "seed 5"] and left_titles(figure, 3) == list(clips)
    with pytest.raises(ValueError, match="zip"):
        figures.pictures_by_seed(clips, [3, 5], sources=[pizza])


def test_ways_stand_side_by_side():
    clips = {"truck": one_colour(10, 11), "car": one_colour(20, 21), "swap": one_colour(30, 31)}
    figure = figures.pictures_by_way(clips, [1, 2])
    assert shades(figure, 2) == [[10, 20, 30], [11, 21, 31]]
    assert top_titles(figure, 3) == list(clips) and left_titles(figure, 3) == ["seed 1", "seed 2"]


def test_places_sizes_and_damage_of_swaps(swaps):
    table, rows = swaps
    place, size, damage = figures.place_size_damage(table, rows).axes
    every = table["swap"][VIDEO]["all"]
    wanted = [every["distance own source"].value, every["distance swapped source"].value]
    np.testing.assert_allclose(dots(place)["video model"], wanted)
    taken = table["taken over"][VIDEO]["swap"]["long"]
    source, swapped = figures.sizes(figures.swaps(rows, VIDEO))
    slope, offset = np.polyfit(source, swapped, 1)
    assert slope == pytest.approx(taken["slope"].value, abs=1e-3)
    assert offset * np.log(2) == pytest.approx(taken["offset"].value, abs=1e-3)
    assert len(size.lines[0].get_xdata()) == len(source) == 20
    kinds = likeness.damage_by_kind(figures.swaps(rows, IMAGE))
    assert sum(kind["seen gained"].n for kind in kinds.values()) == 20
    np.testing.assert_allclose(dots(damage)["image model"], [kind["seen gained"].value for kind in kinds.values()])


def test_sentences_of_lesson_03_are_those_of_its_table(swaps):
    table, rows = swaps
    size, shape = (likeness.mismatch_and_damage(figures.swaps(rows, VIDEO))[name] for name in ("size", "shape"))
    assert f"{size.value:+.2f}" in figures.causes(rows)[1] and f"{shape.value:+.2f}" in figures.causes(rows)[1]
    assert size.low < 0 < size.high and shape.low < 0 < shape.high, "the lesson says that all contain zero"
    for model in (IMAGE, VIDEO):
        of_model = [row | swap_table.derived(row) for row in figures.swaps(rows, model)]
        lost = swap_table.by_pair(of_model, "seen gained")
        assert {pair[1] for pair in sorted(lost, key=lambda pair: lost[pair])[:3]} == {"balloon", "kite", "rocket"}
    lines = figures.verdict(table)
    assert len(lines) == 8 and f"{np.exp(table['taken over'][VIDEO]['swap']['long']['offset'].value):.2f}" in lines[5]
    assert "the right scene in 100 %" in figures.words_changed(table)[0]
    shares = [bar.get_height() for bar in figures.spent_attention(table).axes[1].containers[0]]
    assert shares[3] == pytest.approx(table["swap"][VIDEO]["all"]["attention 8 up noun"].value)
