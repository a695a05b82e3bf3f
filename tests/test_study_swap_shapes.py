"""The study `swap_shapes`, and how alike two objects are: silhouettes, pairs, maps without noise, tables by hand."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from scipy.stats import spearmanr
from studies_for_tests import look_at_paint, paint, use_tiny_models

from xattn_helpers.pocket.world.captions import one_object
from xattn_helpers.pocket.world.vocabulary import OBJECTS, verbs
from xattn_helpers.studies import swap_shapes
from xattn_helpers.studies.forward_swap import likeness as alike
from xattn_helpers.studies.forward_swap import table as swap_table
from xattn_helpers.studies.forward_swap.cases import swap_cases
from xattn_helpers.studies.swap_shapes import CONDITIONS, LIKE, MODELS, TARGETS, UNLIKE, CleanSwap, SwapShapes

FIGURES = ("seen", "single", "pure", "area", "long", "aspect", "confidence")


def test_an_object_is_like_itself_and_as_like_one_way_as_the_other():
    assert alike.likeness("kite", "kite") == 1
    assert alike.likeness("car", "rocket") == alike.likeness("rocket", "car") < 0.6
    for word in ("rocket", "car"):
        shape = alike.silhouette(word)
        width, height = int(shape.any(0).sum()), int(shape.any(1).sum())
        assert max(width, height) == alike.SIDE
        assert width / height == pytest.approx(swap_table.world_aspect(word), abs=0.03)


@pytest.mark.parametrize("word", TARGETS)
def test_both_sources_are_as_large_as_the_target_and_only_one_is_alike(word):
    verb, scene, like, unlike = TARGETS[word]
    low, high = swap_table.SIMILAR
    for source in (like, unlike):
        assert low <= OBJECTS[source].size / OBJECTS[word].size <= high and verb in verbs(source, scene)
    assert alike.likeness(like, word) >= alike.likeness(unlike, word) + 0.09 and verb in verbs(word, scene)


def test_every_target_has_every_condition_with_one_prompt():
    cases = SwapShapes().cases()
    assert len(cases) == len(MODELS) * len(TARGETS) * len(CONDITIONS) * 2
    kite = [case for case in cases if (case["word"], case["model"], case["seed"]) == ("kite", "pocket", 0)]
    assert {case["prompt"] for case in kite} == {one_object("kite", "in the sky", "flies")}
    assert [case["source_word"] for case in kite] == ["balloon", "burger", "kite", "balloon", "burger"]
    assert kite[2]["source_prompt"] == "a big kite flies in the sky"


def test_a_map_without_noise_is_the_source_s_where_it_is_high():
    source = torch.full((1, 2, 4, 4, 3), 0.1)
    source[0, :, 1:3, 1:3, 2] = torch.tensor([0.9, 0.7])[:, None, None]
    edited = CleanSwap("a", "b", source="a").edit(torch.zeros(1, 2, 4, 4, 3), source, [([1], [2])])
    assert torch.allclose(edited[0, :, 1:3, 1:3, 1], source[0, :, 1:3, 1:3, 2]), "the object keeps its attention"
    assert edited[..., 1].sum() == pytest.approx(4 * 1.6, abs=1e-3) and edited[..., [0, 2]].sum() == 0


def test_a_case_is_measured_of_its_own_clips(monkeypatch):
    def generate_paint(model, prompts, seeds, steps=None, *, edits=None, progress=True):
        place = (32, 32, 64, 64) if edits else (0, 0, 16, 16)
        beside = SimpleNamespace(video=paint([(32, 32, 64, 64)], word="truck")) if edits else None
        return [SimpleNamespace(video=paint([place], word="car"), source=beside) for _ in prompts]

    use_tiny_models(monkeypatch)
    monkeypatch.setattr(swap_shapes, "generate", generate_paint)
    monkeypatch.setattr(swap_shapes, "grouped", lambda model, videos: [np.concatenate(videos)])
    monkeypatch.setattr("xattn_helpers.studies.forward_swap.views.look", look_at_paint)
    case = {"model": "pocket", "condition": LIKE, "source_word": "truck", "word": "car", "seed": 0}
    study = SwapShapes(smoke=True)
    (row,) = study.measure([case | {"prompt": "p", "source_prompt": "s"}])
    assert row["own long"] == 0.25 and row["swapped long"] == row["source long"] == 0.5 and len(study.own) == 1
    assert row["swapped source distance"] == 0 and row["own source distance"] == pytest.approx(40 / 64 * 2**0.5)


def rows_of(seen):
    """A row for each case, whose swapped object is seen as often as its condition says."""
    rows = []
    for case in SwapShapes().cases():
        labels = [f"{name} {label}" for name in ("source", "own", "swapped") for label in ("seen", "pure", "long")]
        figures = dict.fromkeys(labels, 1.0)
        distances = {"own source distance": 0.3, "swapped source distance": 0.1}
        rows.append(case | figures | distances | {"swapped seen": seen[case["condition"]]})
    return rows


def test_what_a_cause_adds_is_the_difference_of_two_conditions():
    seen = dict(zip(CONDITIONS, (1.0, 0.5, 0.75, 1.0, 0.75), strict=True))
    table = swap_shapes.summary(rows_of(seen))
    figures = {name: cause["seen gained"].value for name, cause in table["causes"]["pocket"].items()}
    assert list(figures.values()) == pytest.approx([-0.5, -0.25, 0.0, 0.25])
    assert table["conditions"]["pocket"][UNLIKE]["seen gained"].value == -0.5
    assert table["conditions"]["pocket"][LIKE]["distance lost"].value == pytest.approx(-0.2)
    assert table["likeness"][LIKE].value > table["likeness"][UNLIKE].value + 0.1
    lines = swap_shapes.causes_of(table)
    assert len(lines) == 8 and lines[0] == "pocket-t2i, shape: -0.50 (-0.50 to -0.50), n = 11"
    assert "| pocket | shape | -0.50 (-0.50 to -0.50) |" in SwapShapes().markdown(table)


def test_rank_correlations_are_scipy_s():
    rng = np.random.default_rng(0)
    first, second = rng.integers(0, 4, 20).astype(float), rng.normal(size=20)
    assert alike.rank_correlation(first, second) == pytest.approx(spearmanr(first, second)[0])
    assert alike.rank_correlation(np.ones(5), second[:5]) == 0


def test_a_figure_that_follows_the_likeness_is_correlated_with_it_alone():
    labels = [f"{clip} {figure}" for clip in ("source", "own", "swapped") for figure in FIGURES]
    labels += [f"{name} {pair} source" for name in ("iou", "distance", "background") for pair in ("swapped", "own")]
    rows = []
    for case in swap_cases("pocket", (0,)):
        seen = alike.likeness(case["source_word"], case["word"])
        rows.append(case | dict.fromkeys(labels, 1.0) | {"swapped seen": seen})
    figures = alike.mismatch_and_damage(rows, "swapped seen")
    assert figures["shape"].value == pytest.approx(-1) and abs(figures["size"].value) < 0.5 and figures["size"].n == 20
    assert {alike.kind_of(row) for row in rows} == set(alike.KINDS)
