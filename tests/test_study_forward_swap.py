"""What swapping does: cases, views of painted pictures, and rows of painted clips and tiny models."""

import json
import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from models_for_tests import tiny
from studies_for_tests import CONFIDENCE, look_at_paint, paint, use_tiny_models

from xattn_helpers.pocket.world.vocabulary import MEDIA, check_prompt, verbs
from xattn_helpers.studies import forward_swap, load_rows, running
from xattn_helpers.studies.forward_swap import cases, table, views
from xattn_helpers.studies.forward_swap.views import View
from xattn_helpers.studies.store import store

ROAD = {"source_prompt": "a truck drives on the road", "prompt": "a car drives on the road"}


def test_there_are_twenty_pairs_and_every_object_fits_its_scene():
    swaps = cases.swap_cases("pocket")
    assert len(swaps) == 20 * 3 == len({json.dumps(case) for case in swaps})
    assert len({(case["source_prompt"], case["prompt"]) for case in swaps}) == 20
    for (verb, scene), names in cases.ROWS.items():
        assert all(verb in verbs(name, scene) for name in names) and len(set(names)) == len(names)
    for case in swaps:
        source, target = case["source_prompt"].split(), case["prompt"].split()
        assert (source[1], target[1]) == (case["source_word"], case["word"]) and source[2:] == target[2:]


def test_the_papers_pair_is_among_them_and_sizes_differ_both_ways():
    swaps = cases.swap_cases("pocket", (0,))
    assert ROAD.items() <= swaps[2].items()
    groups = [table.group_of(case) for case in swaps]
    assert min(groups.count(group) for group in table.GROUPS[1:]) >= 6


def test_clips_of_a_row_are_used_twice():
    """All but the last pair of a row find their target's own clip among the sources that came before."""
    seen, made = set(), 0
    for case in cases.swap_cases("pocket", (0,)):
        made += case["prompt"] not in seen | {case["source_prompt"]}
        seen |= {case["source_prompt"], case["prompt"]}
    assert made == len(cases.ROWS)


def test_prompts_differ_in_as_many_words_as_they_say():
    words = cases.word_cases("pocket-t2i")
    assert len(words) == len(cases.WORDS) * 3 * len(cases.SEEDS)
    for case in words:
        check_prompt(case["prompt"])
        assert case["scene"] in MEDIA and case["scene"] in case["prompt"]
        assert case["source_scene"] in case["source_prompt"]
        pairs = zip(case["source_prompt"].split(), case["prompt"].split(), strict=True)
        assert sum(source != target for source, target in pairs) == case["differ"]


def test_the_study_has_every_case_once():
    study = forward_swap.ForwardSwap()
    chosen = study.cases()
    assert len(chosen) == 2 * (60 + 180) + 20 == len({json.dumps(case) for case in chosen})
    smoke = forward_swap.ForwardSwap(smoke=True).chosen()
    assert [(case["model"], case["kind"]) for case in smoke] == [
        ("pocket-t2i", "swap"), ("pocket-t2i", "words"), ("pocket", "swap"), ("pocket", "words"),
        ("pocket-t2i", "replace"),
    ]  # fmt: skip


# Views


@pytest.fixture
def painted(monkeypatch):
    monkeypatch.setattr(views, "look", look_at_paint)


def car(left=8, width=16, pictures=2, background=0, word="car"):
    return paint(*[[(left, 8, left + width, 16)]] * pictures, word=word, background=background)


def test_a_view_of_a_known_picture(painted):
    view = View.of(car(), "car", "cpu")
    assert view.figures() == {
        "seen": 1, "single": 1, "pure": 1, "area": pytest.approx(8 * 16 / 64**2), "long": 0.25, "aspect": 2,
        "confidence": pytest.approx(CONFIDENCE),
    }  # fmt: skip
    assert view.scene("on the road") == 1 and view.scene("at night") == 0 and view.left("truck") == 0


def test_a_view_without_its_object_counts_nothing(painted):
    empty = View.of(paint(None, None), "car", "cpu")
    figures = empty.figures()
    assert figures["seen"] == 0 and all(math.isnan(figures[name]) for name in ("area", "long", "aspect", "confidence"))
    apart = views.differences(empty, View.of(car(), "car", "cpu"))
    assert math.isnan(apart["iou"]) and math.isnan(apart["distance"])


def test_half_of_the_pictures_count_where_half_have_the_object_and_two_objects_are_not_one(painted):
    view = View.of(paint([(8, 8, 24, 16)], None, word="car"), "car", "cpu")
    assert view.figures()["seen"] == 0.5 and view.figures()["long"] == 0.25
    view = View.of(paint([(8, 8, 24, 16), (8, 40, 24, 48)], [(8, 8, 24, 16)], word="car"), "car", "cpu")
    assert view.figures()["single"] == 0.5 and view.figures()["seen"] == 1


def test_pixels_of_another_object_are_impure_and_left(painted):
    video = car(pictures=1) | car(left=40, pictures=1, word="truck")
    view = View.of(video, "car", "cpu")
    assert view.figures()["pure"] == 0.5 and view.left("truck") == 1


def test_two_views_overlap_by_hand(painted):
    first, second = View.of(car(8), "car", "cpu"), View.of(car(16, background=51), "car", "cpu")
    apart = views.differences(first, second)
    assert apart["iou"] == pytest.approx(8 / 24)  # 8 of 24 columns
    assert apart["distance"] == pytest.approx(8 / 64) and apart["background"] == pytest.approx(51 / 255, rel=1e-3)
    assert views.differences(first, first) == {"iou": 1, "distance": 0, "background": 0}


def test_attention_inside_an_object_is_divided_among_the_tokens():
    masks = torch.zeros(1, 64, 64, dtype=torch.bool)
    masks[:, :32] = True
    maps = torch.zeros(5, 1, 4, 4)  # start, a, noun, end, padding
    maps[:, :, :2] = torch.tensor([0.1, 0.2, 0.4, 0.1, 0.2])[:, None, None, None]
    maps[0, :, 2:] = 1.0
    roles = ["<start>", "a", "noun", "<end>", "<pad>"]
    assert views.spending(maps, masks, roles) == pytest.approx(
        {"noun": 0.4, "words": 0.2, "start": 0.1, "padding": 0.3}
    )
    assert math.isnan(views.spending(maps, ~masks & masks, roles)["noun"])


# Rows


SOURCE = [(0, 0, 32, 32)]
OWN = [(32, 32, 48, 48)]
EDITED = [(32, 32, 56, 56)]


def generate_paint(model, prompts, seeds, steps=None, *, edits=None, progress=True):
    """Clips without a model: the source is large and on the left, an edited clip is at night."""
    clips = []
    for _ in prompts:
        source = SimpleNamespace(video=paint(SOURCE, SOURCE, word="truck")) if edits else None
        rectangles = EDITED if edits else OWN
        clips.append(
            SimpleNamespace(video=paint(rectangles, rectangles, word="car", scene=int(bool(edits))), source=source)
        )
    return clips


@pytest.fixture
def painting(painted, monkeypatch):
    use_tiny_models(monkeypatch)
    monkeypatch.setattr(forward_swap, "generate", generate_paint)
    monkeypatch.setattr(forward_swap, "place_maps", lambda attention: {"8 up": torch.rand(20, 4, 8, 8)})


def case_of(kind, **changes):
    about = {"kind": kind, "model": "pocket", "source_word": "truck", "word": "car", "seed": 0}
    return about | ROAD | changes


@pytest.mark.parametrize("kind", ["swap", "replace"])
def test_each_view_is_that_of_its_clip(painting, kind):
    (row,) = forward_swap.ForwardSwap().measure([case_of(kind)])
    assert (row["source long"], row["own long"], row["swapped long"]) == (0.5, 0.25, 0.375)
    assert row["iou swapped source"] == 0 and row["iou swapped own"] == pytest.approx((16 / 24) ** 2)
    assert row["distance own source"] == pytest.approx(24 / 64 * 2**0.5) and row["left"] == 0


def test_the_view_of_words_is_that_of_the_edited_clip(painting):
    case = case_of("words", source_scene="on the road", scene="at night", differ=2)
    (row,) = forward_swap.ForwardSwap().measure([case])
    assert (row["source long"], row["own long"], row["edited long"]) == (0.5, 0.25, 0.375)
    assert (row["source scene"], row["own scene"], row["edited scene"], row["old scene"]) == (0, 0, 1, 0)
    assert row["iou edited source"] == 0 and "iou swapped source" not in row


def test_attention_is_that_of_the_sources_half(painting, monkeypatch):
    maps = torch.zeros(20, 4, 8, 8)
    maps[2, :2], maps[0, 2:] = 1.0, 1.0  # targets look at the noun, sources at the start
    monkeypatch.setattr(forward_swap, "place_maps", lambda attention: {"8 up": maps})
    (row,) = forward_swap.ForwardSwap().measure([case_of("swap")])
    assert row["attention 8 up start"] == 1 and row["attention 8 up noun"] == 0


@pytest.mark.parametrize("frames", [1, 3])
def test_cases_can_be_measured(frames, painted, monkeypatch):
    use_tiny_models(monkeypatch, pocket=tiny(frames))
    study = forward_swap.ForwardSwap(smoke=True)
    road = [case for case in cases.swap_cases("pocket", (0, 1)) if ROAD.items() <= case.items()]
    in_batch = study.measure(road)
    assert {key[1:] for key in study.own} == {(prompt, seed) for prompt in ROAD.values() for seed in (0, 1)}
    again = study.measure(road[1:])[0]
    assert in_batch[1]["attention 8 up noun"] == pytest.approx(again["attention 8 up noun"], rel=1e-3, nan_ok=True)
    assert in_batch[0].keys() == again.keys() and len(study.own) == 4, "no clip is made twice"
    (text,) = study.measure(cases.word_cases("pocket")[2:3])
    assert {"own seen", "edited scene", "old scene", "left"} <= text.keys()


def test_rows_and_their_table_are_stored(tmp_path, painting, monkeypatch):
    monkeypatch.setattr(running, "WORK", tmp_path)
    study = forward_swap.ForwardSwap(smoke=True)
    study.smoke_cases = lambda: [case_of("swap"), case_of("swap", model="pocket-t2i"), case_of("replace")]
    monkeypatch.setattr(forward_swap, "grouped", lambda model, videos: list(videos))
    monkeypatch.setattr(forward_swap, "batch_of", lambda model, chosen: (["p"] * len(chosen), [0] * len(chosen)))
    stored = store(study, running.run(study), tmp_path / "results")
    rows = load_rows("forward_swap", tmp_path / "results")
    assert [row["source_prompt"] for row in rows] == [ROAD["source_prompt"]] * 3
    assert [row["source"] for row in rows] == [0] * 3, "the framework has a column of this name"
    every = stored["swap"]["pocket"]["all"]
    assert every["swapped long"].value == 0.375
    measured = rows[0] | table.derived(rows[0])
    assert set(every) == {name for name, value in measured.items() if isinstance(value, float)}
    study.show(stored)
    assert np.isnan(stored["taken over"]["pocket"]["replace"]["long"]["slope"].value), "one pair has no line"
