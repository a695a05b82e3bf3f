"""What swapping does: cases, views of known pictures, the table of known rows, and a run of tiny models."""

import json
import math

import numpy as np
import pytest
import torch
from models_for_tests import tiny

from benchmarks import forward_swap, swap_table, swap_views
from xattn_helpers.pocket.vocabulary import MEDIA, OBJECTS, check_prompt, verbs


def test_there_are_twenty_pairs_and_every_object_fits_its_scene():
    cases = forward_swap.swaps("pocket", (0, 1, 2))
    assert len(cases) == 20 * 3 == len({json.dumps(case) for case in cases})
    assert len({(case["source"], case["prompt"]) for case in cases}) == 20
    for (verb, scene), names in forward_swap.ROWS.items():
        assert all(verb in verbs(name, scene) for name in names) and len(set(names)) == len(names)
    for case in cases:
        one, other = case["source"].split(), case["prompt"].split()
        assert (one[1], other[1]) == (case["source_word"], case["word"]) and one[2:] == other[2:]


def test_the_papers_pair_is_among_them_and_sizes_differ_both_ways():
    cases = forward_swap.swaps("pocket", (0,))
    assert {"source": "a truck drives on the road", "prompt": "a car drives on the road"}.items() <= cases[2].items()
    groups = [swap_table.group_of(case) for case in cases]
    assert min(groups.count(group) for group in swap_table.GROUPS[1:]) >= 6


def test_clips_of_a_row_are_used_twice():
    """All but the last pair of a row find their target's own clip among the sources that came before."""
    seen, made = set(), 0
    for case in forward_swap.swaps("pocket", (0,)):
        made += case["prompt"] not in seen | {case["source"]}
        seen |= {case["source"], case["prompt"]}
    assert made == len(forward_swap.ROWS)


def test_prompts_differ_in_as_many_words_as_they_say():
    cases = forward_swap.words("pocket-t2i")
    assert len(cases) == len(forward_swap.WORDS) * 3 * len(forward_swap.SEEDS)
    for case in cases:
        check_prompt(case["prompt"])
        assert case["scene"] in MEDIA and case["scene"] in case["prompt"] and case["source_scene"] in case["source"]
        both = zip(case["source"].split(), case["prompt"].split(), strict=True)
        assert sum(one != other for one, other in both) == case["differ"]


# Views


class Looked:
    """Sees a car where a picture is white, and is sure of it by 3 : 1 there."""

    objects, scene_names = ("car", "truck"), ("on the road", "at night")

    def __init__(self, pictures, device="cpu"):
        self.labels = (pictures[..., 0] == 255).astype(int)
        self.scenes = np.zeros(len(pictures), int)
        self.sure = np.where(self.labels, 6 / 8, 1.0)

    def masks(self, word):
        return self.labels == self.objects.index(word) + 1

    def counts(self, word):
        return self.masks(word).any((1, 2)).astype(int)


@pytest.fixture
def known(monkeypatch):
    monkeypatch.setattr(swap_views, "look", Looked)


def car(left=8, width=16, pictures=2, background=0):
    video = np.full((pictures, 64, 64, 3), background, np.uint8)
    video[:, 8:16, left : left + width] = 255
    return video


def test_a_view_of_a_known_picture(known):
    view = swap_views.View(car(), "car", "cpu")
    assert view.figures() == {
        "seen": 1, "one": 1, "pure": 1, "area": pytest.approx(8 * 16 / 64**2), "long": 0.25, "aspect": 2,
        "confidence": pytest.approx(6 / 8),
    }  # fmt: skip
    assert view.scene("on the road") == 1 and view.scene("at night") == 0 and view.left("truck") == 0


def test_a_view_without_its_object_counts_nothing(known):
    empty = swap_views.View(np.zeros((2, 64, 64, 3), np.uint8), "car", "cpu")
    figures = empty.figures()
    assert figures["seen"] == 0 and all(math.isnan(figures[name]) for name in ("area", "long", "aspect", "confidence"))
    found = swap_views.compare(empty, swap_views.View(car(), "car", "cpu"))
    assert math.isnan(found["iou"]) and math.isnan(found["distance"])


def test_half_of_the_pictures_count_where_half_have_the_object(known):
    video = car()
    video[1] = 0
    figures = swap_views.View(video, "car", "cpu").figures()
    assert figures["seen"] == 0.5 and figures["long"] == 0.25


def test_two_views_overlap_by_hand(known):
    one, other = swap_views.View(car(8), "car", "cpu"), swap_views.View(car(16, background=51), "car", "cpu")
    found = swap_views.compare(one, other)
    assert found["iou"] == pytest.approx(8 / 24)  # 8 of 24 columns
    assert found["distance"] == pytest.approx(8 / 64) and found["background"] == pytest.approx(51 / 255)
    assert swap_views.compare(one, one) == {"iou": 1, "distance": 0, "background": 0}


def test_attention_inside_an_object_is_divided_among_the_tokens():
    masks = torch.zeros(1, 64, 64, dtype=torch.bool)
    masks[:, :32] = True
    maps = torch.zeros(5, 1, 4, 4)  # start, a, noun, end, padding
    maps[:, :, :2] = torch.tensor([0.1, 0.2, 0.4, 0.1, 0.2])[:, None, None, None]
    maps[0, :, 2:] = 1.0
    found = swap_views.spending(maps, masks, ["<start>", "a", "noun", "<end>", "<pad>"])
    assert found == pytest.approx({"noun": 0.4, "words": 0.2, "start": 0.1, "padding": 0.3})
    assert math.isnan(swap_views.spending(maps, ~masks & masks, ["<start>", "a", "noun", "<end>", "<pad>"])["noun"])


# The table


def figures_of(who, long, aspect=1.0, confidence=0.9):
    return {f"{who} {name}": value for name, value in {
        "seen": 1.0, "one": 1.0, "pure": 1.0, "area": long**2, "long": long, "aspect": aspect, "confidence": confidence,
    }.items()}  # fmt: skip


def swap_row(case, own=0.3, source=0.4, share=0.5):
    """A swapped object that takes over a share of the source's size, on a logarithmic scale."""
    swapped = own * (source / own) ** share
    row = case | figures_of("own", own) | figures_of("source", source, aspect=1.5)
    row |= figures_of("swapped", swapped, confidence=0.8)
    for pair, iou in (("swapped source", 0.6), ("swapped own", 0.3), ("own source", 0.2)):
        row |= {f"iou {pair}": iou, f"distance {pair}": 1 - iou, f"background {pair}": 0.1}
    return row | {f"attention 16 up {part}": 0.25 for part in swap_table.PARTS} | {"left": 0.0}


def rows():
    found = []
    for model in (swap_table.IMAGE, swap_table.VIDEO):
        for index, case in enumerate(forward_swap.swaps(model, (0, 1, 2))):
            found.append(swap_row(case, source=0.4 if index % 2 else 0.2))
        for case in forward_swap.words(model):
            seen = 1 - 0.1 * case["differ"]
            row = case | figures_of("source", 0.4) | figures_of("edited", 0.2) | figures_of("own", 0.2)
            found.append(row | {"edited seen": seen, "edited scene": 1.0, "iou edited source": 0.5})
    return found


def test_what_is_taken_over_is_a_slope_and_shrinking_an_offset():
    cases = forward_swap.swaps("pocket", (0, 1, 2))
    some = [swap_row(case, source=0.2 + 0.01 * index) for index, case in enumerate(cases)]
    found = swap_table.taken_over(some, "long")
    assert found["slope"]["mean"] == pytest.approx(0.5, abs=1e-3) and abs(found["offset"]["mean"]) < 1e-3
    assert found["slope"]["n"] == 20, "seeds of a pair are no independent cases"
    smaller = [row | {"swapped long": row["swapped long"] * 0.8} for row in some]
    found = swap_table.taken_over(smaller, "long")
    assert found["slope"]["mean"] == pytest.approx(0.5, abs=1e-3)
    assert found["offset"]["low"] == pytest.approx(math.log(0.8), abs=1e-3)


def test_derived_statistics_by_hand():
    case = forward_swap.swaps("pocket", (0,))[2]
    found = swap_table.derived(swap_row(case, own=0.2, source=0.8, share=0.5))
    assert found["size beside own"] == pytest.approx(math.log(2)) == pytest.approx(-found["size beside source"])
    assert found["iou gained"] == pytest.approx(0.4) and found["confidence gained"] == pytest.approx(-0.1)
    assert found["misshapen own"] == pytest.approx(math.log(swap_table.world_aspect("car")))


def test_aspects_of_the_world_are_those_of_its_drawings():
    assert swap_table.world_aspect("ball") == pytest.approx(1, abs=0.05)
    assert swap_table.world_aspect("car") > 1.4 and swap_table.world_aspect("rocket") < 0.8
    assert all(0.5 < swap_table.world_aspect(word) < 2 for word in OBJECTS)


def test_the_table_pairs_pairs():
    table = swap_table.summary(rows())
    for model in (swap_table.IMAGE, swap_table.VIDEO):
        every = table["swap"][model]["all"]
        assert every["iou gained"] == {"mean": 0.4, "low": 0.4, "high": 0.4, "n": 20}
        sizes = [table["swap"][model][group]["iou gained"]["n"] for group in swap_table.GROUPS[1:]]
        assert sum(sizes) == 20
        seen = table["words"][model]
        assert seen["1"]["edited seen"]["mean"] == 0.9 and seen["3 minus 1"]["edited seen"]["mean"] == -0.2
        assert seen["2 minus 1"]["seen gained"]["mean"] == -0.1 and seen["3"]["seen gained"]["mean"] == -0.3
        assert seen["2"]["size beside source"]["mean"] == pytest.approx(-math.log(2), abs=1e-4)
    json.dumps(table, allow_nan=False)


def test_cases_can_be_read_from_the_table():
    made = rows()
    read = swap_table.read_cases(swap_table.summary(made)["cases"]["swap"])
    first = next(row for row in made if row["kind"] == "swap")
    assert len(read) == 120 and read[0]["word"] == first["word"] and read[1]["seed"] == 1
    assert read[0]["swapped long"] == pytest.approx(first["swapped long"], abs=1e-4)
    texts = swap_table.read_cases(swap_table.summary(made)["cases"]["words"])
    assert [(case["differ"], case["seed"]) for case in texts[:4]] == [(1, 0), (1, 1), (1, 2), (2, 0)]


@pytest.mark.parametrize("frames", [1, 3])
def test_a_case_can_be_measured(frames, known, monkeypatch):
    monkeypatch.setattr(forward_swap.weights, "model", lambda name: tiny(frames))
    monkeypatch.setattr(forward_swap, "PICTURES", 2)
    monkeypatch.setattr(forward_swap, "_OWN", {})
    road = [case for case in forward_swap.swaps("tiny", (0, 1)) if case["source"] == "a truck drives on the road"]
    both = forward_swap.measure(road)
    assert {key[1:] for key in forward_swap._OWN} == {
        (prompt, seed) for prompt in ("a truck drives on the road", "a car drives on the road") for seed in (0, 1)
    }
    again = forward_swap.measure(road[1:])[0]
    assert both[1]["attention 8 up noun"] == pytest.approx(again["attention 8 up noun"], rel=1e-3, nan_ok=True)
    assert both[0].keys() == again.keys() and len(forward_swap._OWN) == 4, "nothing is made twice"
    text = forward_swap.measure([case | {"model": "tiny"} for case in forward_swap.words("pocket")[2:3]])[0]
    assert {"own seen", "edited scene", "old scene", "left"} <= text.keys()
