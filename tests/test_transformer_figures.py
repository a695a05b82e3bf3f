"""Figures that lessons show of stored tables: what is drawn are the numbers of the tables."""

import numpy as np
import pytest
import torch
from matplotlib import pyplot as plt
from transformers_for_tests import tiny_transformer

from xattn_helpers import capture, generate
from xattn_helpers.display import draw_shares, figure_text
from xattn_helpers.measures.map_quality import auroc, shrink_mask
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


def test_the_grid_has_the_auroc_of_each_map():
    model = tiny_transformer("wan")
    with capture(model, every_step=True) as attention:
        clip = generate(model, "a burger floats on the water", progress=False)
    masks = np.zeros(clip.video.shape[:3], bool)
    masks[:, :, : masks.shape[2] // 2] = True
    grid, sites = transformer_figures.auroc_grid(attention, "burger", masks), attention.sites()
    assert grid.shape == (len(sites), len(attention.steps))
    last = attention.maps("burger", site=sites[-1], step=0)
    cells = shrink_mask(torch.from_numpy(masks), (last.shape[-2], last.shape[-1]))
    assert grid[-1, 0] == pytest.approx(float(auroc(last, cells).mean()))
    assert len(np.unique(grid)) > 1


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


def test_sides_are_those_of_both_networks_and_of_the_school():
    quality, school = load_table("pocket_quality"), load_table("motion_school")
    lines = transformer_figures.sides({"pocket": "U-Net", "pocket-dit": "transformer"}, quality)
    assert [line.partition(":")[0] for line in lines] == [
        "U-Net, “to the left”", "U-Net, “to the right”", "transformer, “to the left”", "transformer, “to the right”",
    ]  # fmt: skip
    told = quality["pocket-dit"]["motion obeyed: to the left"]
    assert lines[2].endswith(f"obeyed {figure_text(told, '.0f', percent=True, count=True)}")
    titles = {"pocket": "U-Net as above"} | transformer_figures.SCHOOL
    before, _, positions, *_, last = transformer_figures.sides(titles, quality, school)
    assert before == lines[0].replace("U-Net", "U-Net as above")
    assert positions.startswith("trained longer, with positions, “to the left”")
    told = school["longer"]["motion obeyed: to the right"]
    assert last.startswith("trained longer, without, “to the right”")
    assert last.endswith(figure_text(told, ".0f", percent=True, count=True))
    assert transformer_figures.sides(titles, None, None) == []


def test_noise_and_guess_stand_above_each_other(model):
    latents = torch.randn(4, 1, 4, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    ways = {0.3: (latents[0], latents[1]), 1.0: (latents[2], latents[3])}
    figure = transformer_figures.noisy_and_guessed(model, ways)
    assert [axis.get_title() for axis in figure.axes[:2]] == ["σ = 0.3", "σ = 1"]
    assert figure.axes[2].get_ylabel().split() == "the clean video that it guesses".split()
    for axis, number in zip(figure.axes, (0, 2, 1, 3), strict=True):
        video = model.decode(latents[number])[0].numpy()
        np.testing.assert_array_equal(axis.images[0].get_array(), video[len(video) // 2])


def test_the_shares_of_tokens_are_those_of_the_probabilities(model):
    prompt = "a burger floats on the water"
    with capture(model) as attention:
        generate(model, prompt, progress=False)
    shares = transformer_figures.token_shares(attention, prompt, "burger")
    assert list(shares) == ["burger", "other words", "start and end", "padding"]
    np.testing.assert_allclose(np.sum(list(shares.values()), 0), np.ones(len(attention.sites())), atol=1e-5)
    count, (noun,) = model.text.count(prompt), model.text.find(prompt, "burger")
    for index, site in enumerate(attention.sites()):
        tokens = attention.probabilities(site)[0].flatten(0, 3).mean(0)
        assert shares["burger"][index] == pytest.approx(float(tokens[noun]), abs=1e-6)
        assert shares["start and end"][index] == pytest.approx(float(tokens[0] + tokens[count - 1]), abs=1e-6)
        assert shares["padding"][index] == pytest.approx(float(tokens[count:].sum()), abs=1e-5)
    (axis,) = transformer_figures.shares_by_block(shares).axes
    assert [bars.get_label() for bars in axis.containers] == list(shares)
    np.testing.assert_allclose([bar.get_height() for bar in axis.containers[0]], shares["burger"])


def test_the_bias_is_told_beside_the_gradient():
    steering = {"settings": {"bias": {"mIoU minus gradient": Estimate(0.012, -0.02, 0.05, 97)}}}
    said = transformer_figures.bias_beside_gradient(steering)
    assert said == "97 cases, bias minus gradient, both through all blocks: IoU +0.01 (-0.02 to +0.05)"
    assert transformer_figures.bias_beside_gradient(None) == ""


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
