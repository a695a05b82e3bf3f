"""Figures that lessons show of stored tables: what is drawn are the numbers of the tables."""

import numpy as np
import pytest
from matplotlib import pyplot as plt

from xattn_helpers import capture, generate
from xattn_helpers.display import draw_shares
from xattn_helpers.measures.statistics import Estimate
from xattn_helpers.studies import load_table, measured, quality_table, store, transformer_figures
from xattn_helpers.studies.full_size_steps import FEW, OURS, UNGUIDED
from xattn_helpers.studies.guidance.table import COUNTED


def dots(axis):
    """The middle of each interval, by what the legend says."""
    return {bars.get_label(): bars[0].get_ydata() for bars in axis.containers}


def test_the_grid_of_a_clip_stands_beside_that_of_the_study():
    clip, table = np.linspace(0.5, 1, 30).reshape(10, 3), load_table("dit_maps")
    figure = transformer_figures.found_by_block(clip, table)
    shown = [axis.images[0].get_array() for axis in figure.axes[:2]]
    np.testing.assert_array_equal(shown[0], clip)
    np.testing.assert_array_equal(shown[1], list(table["blocks by steps"].values()))
    assert figure.axes[1].get_title() == "50 prompts (study dit_maps)"
    assert len(transformer_figures.found_by_block(clip, None).axes) == 2  # the clip, and the scale


def test_finding_and_steering_are_the_stored_figures():
    maps, steering = load_table("dit_maps"), load_table("dit_steering")
    left, right = transformer_figures.finding_and_steering(maps, steering).axes
    np.testing.assert_allclose(dots(left)["all steps"], [figure.value for figure in maps["blocks"].values()])
    settings = steering["settings"]
    names = ("gradient, early", "gradient, middle", "gradient, late", "gradient")
    np.testing.assert_allclose(dots(right)["gradient"], [settings[name]["mIoU, lost 0"].value for name in names])
    assert right.lines[-1].get_ydata()[0] == settings["unguided"]["mIoU, lost 0"].value


def test_fewer_blocks_are_told_with_their_price_and_what_they_reach():
    def step(over, gib=5.0):
        return {"ms": over * 100, "over unguided": over, "peak GiB": gib}

    costs = {
        "short": {UNGUIDED: step(0.5), OURS: step(9), FEW: step(9)},
        "long": {UNGUIDED: step(1), OURS: step(1.761, 7.1), FEW: step(1.456, 6.7)},
    }
    reached = {"gradient, early": 0.717, "gradient, first fifth": 0.609}
    settings = {name: {COUNTED: Estimate(value, value - 0.01, value + 0.01, 97)} for name, value in reached.items()}
    steering = {"settings": settings}
    early, fifth = transformer_figures.fewer_blocks(costs, steering)
    assert early.startswith("early third of the blocks: 1.76 × in 7.1 GiB (long); IoU 0.72")
    assert fifth.startswith("first fifth of the blocks: 1.46 × in 6.7 GiB (long); IoU 0.61")


def test_maps_are_laid_out_by_step_and_block(model):
    prompt = "a burger floats on the water"
    with capture(model, every_step=True) as attention:
        clip = generate(model, prompt, progress=False)
    figure = transformer_figures.maps_by_block(attention, "burger", clip.video)
    count, sites = len(attention.steps), attention.sites()
    steps = sorted({0, count // 4, count // 2, count - 1})
    assert len(figure.axes) == len(steps) * (1 + len(sites)) and len(sites) <= 10
    assert figure.axes[1].get_title() == f"{sites[0].group} 0"
    assert [axis.get_ylabel() for axis in figure.axes[:: 1 + len(sites)]][-1] == f"step {count} of {count}"
    np.testing.assert_array_equal(figure.axes[0].images[0].get_array(), clip.video[len(clip.video) // 2])


def test_motions_are_told_in_a_line_each():
    table = {"pocket": {"motion obeyed: up": Estimate.rate([True, False])}, "pocket-dit": {}}
    lines = quality_table.obeyed(table, {"pocket": "U-Net", "pocket-dit": "transformer", "none": "-"}, ("up", "down"))
    assert lines == ["U-Net, “up”: obeyed 50 % (9 to 91), n = 2"]


def test_a_table_that_is_not_measured_is_told_with_its_command(capsys, monkeypatch, tmp_path):
    assert measured("dit_maps")["blocks"] == load_table("dit_maps")["blocks"]
    monkeypatch.setattr(store, "RESULTS", tmp_path)
    assert measured("dit_maps") is None
    assert capsys.readouterr().out == "not measured yet: python -m xattn_helpers.studies dit_maps\n"


def test_shares_are_stacked_to_one():
    _, axis = plt.subplots()
    draw_shares(axis, {"a": [0.25, 0.5], "b": [0.75, 0.5]}, ("red", "blue"))
    tops = [bar.get_y() + bar.get_height() for bar in axis.containers[1]]
    assert tops == [1, 1] and [bar.get_y() for bar in axis.containers[1]] == [0.25, 0.5]
    with pytest.raises(ValueError, match="colors: given 1; possible: 2, one for each share"):
        draw_shares(axis, {"a": [0.25], "b": [0.75]}, ("red",))
    plt.close()
