"""How noisy maps are: prompts, statistics of known maps, the table, and a run of tiny models."""

import json
import math
import random

import numpy as np
import pytest
import torch
from models_for_tests import PROMPT, tiny
from studies_for_tests import look_at_paint, use_tiny_models

from xattn_helpers import capture, generate
from xattn_helpers.pocket.world.captions import held_out
from xattn_helpers.studies import attention_noise, load_rows, running
from xattn_helpers.studies.attention_noise import maps, prompts, statistics, table
from xattn_helpers.studies.store import store
from xattn_helpers.studies.tables import encode


def test_prompts_are_held_out_and_of_different_objects():
    nouns = prompts.held_out_prompts()
    assert len(nouns) == 20 and all(map(held_out, nouns)) and len(set(nouns.values())) >= 18
    assert all(word in text.split() for text, word in nouns.items())
    cases = attention_noise.AttentionNoise().cases()
    assert len(cases) == 2 * (20 + 6) * 3 == len({json.dumps(case) for case in cases})


def test_each_token_has_a_role():
    text = tiny(1).text
    roles = ["<start>", "a", "size", "noun", "verb", "in, on", "the", "scene", "<end>"] + ["<pad>"] * 11
    assert prompts.roles(text, "a small dog walks in the snow", "dog") == roles
    wolf = prompts.roles(text, "a wolf howls to the moon", "wolf")
    assert wolf[1:8] == ["a", "noun", "verb", "in, on", "the", "scene", "<end>"]


def test_a_case_is_a_video_or_as_many_pictures_as_count():
    cases = [{"prompt": "p", "seed": 2}, {"prompt": "q", "seed": 0}]
    assert prompts.batch_of(tiny(3), cases) == (["p", "q"], [2, 0])
    assert prompts.batch_of(tiny(1), cases) == (["p"] * 4 + ["q"] * 4, [8, 9, 10, 11, 0, 1, 2, 3])


def test_frames_that_count_are_evenly_spaced():
    assert statistics.counted(16) == [0, 5, 10, 15] and statistics.counted(4) == [0, 1, 2, 3]
    assert statistics.counted(2) == [0, 1]


def moving_masks(frames=16, side=64):
    masks = torch.zeros(frames, side, side, dtype=torch.bool)
    for frame, mask in enumerate(masks):
        mask[16:32, 2 * frame : 2 * frame + 16] = True
    return masks


def test_a_perfect_map_has_perfect_statistics():
    masks = moving_masks()
    values = statistics.statistics(maps.perfect(masks, 16), masks)
    assert values["auroc"] == 1 and values["iou"] > 0.85
    assert statistics.jitter(maps.perfect(masks, 16), masks)["jitter"] < 0.03
    assert statistics.jitter(torch.rand(16, 16, 16), masks)["jitter"] > 0.03
    assert statistics.jitter(torch.rand(4, 16, 16), masks[:4]) == {}
    assert set(statistics.statistics(torch.rand(4, 16, 16))) == {"entropy", "roughness"}


def describe(masks, noun):
    """A case whose noun has these maps, while "in" knows nothing and "the" avoids the object."""
    tokens = torch.stack([noun, torch.ones_like(noun), -maps.perfect(masks, 16)])
    late = torch.stack([maps.perfect(masks, 16), *tokens[1:]])
    steps = [{"16 up": tokens * 0}, {"16 up": tokens}, {"16 up": late}]
    return statistics.describe({"16 up": tokens}, steps, masks, ["noun", "in, on", "the"])


def test_a_case_of_known_maps():
    masks = moving_masks()
    row = describe(masks, maps.perfect(masks, 16))
    assert row["seen"] == 1 and row["area"] == 1 / 16
    assert [row[f"step {number} auroc 16 up"] for number in range(3)] == [0.5, 1, 1]
    leaks = [row[f"leakage of {kind}, 16 up"] for kind in ("noun", "in, on", "the")]
    assert leaks == [1, 0, -1] and row["leakage 16 up"] == -0.5 and row["counted 16 up"] == 1
    for name in ("auroc", "iou", "entropy", "roughness", "jitter"):
        assert row[f"{name} 16 up"] == pytest.approx(row[f"perfect {name} 16 up"])


def test_only_the_frames_that_count_are_looked_at():
    masks = moving_masks()
    noun = maps.perfect(masks, 16)
    noun[[1, 2, 3, 4, 6, 7, 8, 9, 11, 12, 13, 14]] = 1 - noun[[1, 2, 3, 4, 6, 7, 8, 9, 11, 12, 13, 14]]
    row = describe(masks, noun)
    assert row["auroc 16 up"] == row["step 1 auroc 16 up"] == 1
    assert row["jitter 16 up"] > row["perfect jitter 16 up"], "the jitter needs all of them"


def test_a_case_without_its_object_has_no_numbers_but_does_not_fail():
    row = describe(torch.zeros(16, 64, 64, dtype=torch.bool), torch.rand(16, 16, 16))
    assert row["seen"] == 0 and math.isnan(row["auroc 16 up"]) and row["entropy 16 up"] > 0


def synthetic_rows():
    """Three prompts, two seeds; the video model is worse by .1 for every prompt."""
    rows, chance = [], random.Random(0)
    level = {f"prompt {number}": chance.uniform(0.7, 0.9) for number in range(3)}
    for model, loss in ((table.IMAGE, 0), (table.VIDEO, 0.1)):
        for group in table.GROUPS:
            for prompt, best in level.items():
                for off in (-0.05, 0.05):
                    row = {"model": model, "group": group, "prompt": prompt, "seed": int(off > 0)}
                    row |= {"seen": 1.0, "area": 0.1}
                    for place in table.PLACES:
                        row |= {f"auroc {place}": best - loss + off, f"counted {place}": 1.0}
                        row |= {f"perfect auroc {place}": 1.0, f"leakage of the, {place}": 0.2}
                        row |= {f"step 0 auroc {place}": 0.5, f"step 1 auroc {place}": best - loss}
                        row |= {f"jitter {place}": None if model == table.IMAGE else 0.01}
                    rows.append(row)
    return rows, level


def test_the_table_pairs_prompts():
    rows, level = synthetic_rows()
    made = table.summary(rows)
    figures = made["held out"]["16 up"]["auroc"]
    assert figures["pocket-t2i"].value == pytest.approx(np.mean(list(level.values())))
    assert figures["pocket-t2i"].n == 3, "seeds of a prompt are no independent cases"
    change = figures["difference"]
    assert [change.low, change.value, change.high] == pytest.approx([-0.1] * 3), "every prompt differs by the same"
    assert figures["perfect"].value == 1
    jitter = made["held out"]["16 up"]["jitter"]
    assert (jitter["pocket-t2i"].n, jitter["pocket"].n, jitter["difference"].n) == (0, 3, 0)
    assert [step["pocket"].n for step in made["AUROC of steps"]["8 up"]] == [3, 3]
    assert made["AUROC of steps"]["8 up"][0]["pocket"].value == 0.5
    assert made["leakage of tokens"]["4 mid"]["the"]["pocket"].value == pytest.approx(0.2)
    assert any(line.startswith("held out | 16 up | auroc | pocket-t2i 0.") for line in table.printed(made))
    json.dumps(encode(made), allow_nan=False)


def test_maps_by_place_are_means_of_sites():
    model = tiny(3)
    with capture(model, every_step=True) as attention:
        generate(model, PROMPT, steps=2, progress=False)
    places = maps.place_maps(attention)
    assert {place: tuple(own.shape) for place, own in places.items()} == {
        "16 down": (20, 3, 16, 16), "8 down": (20, 3, 8, 8), "4 mid": (20, 3, 4, 4), "8 up": (20, 3, 8, 8),
        "16 up": (20, 3, 16, 16),
    }  # fmt: skip
    noun = maps.place_maps(attention, 1)["16 up"][2]
    assert torch.allclose(noun, attention.maps("burger", cells=1, group="up", step=1), atol=1e-6)


def test_it_runs_on_tiny_models(tmp_path, monkeypatch):
    use_tiny_models(monkeypatch, **{"pocket-t2i": tiny(1)})
    monkeypatch.setattr(running, "WORK", tmp_path)
    study = attention_noise.AttentionNoise(smoke=True)
    store(study, running.run(study), tmp_path / "results")
    rows = load_rows("attention_noise", tmp_path / "results")
    assert [(row["model"], row["group"]) for row in rows] == [
        ("pocket-t2i", "held out"), ("pocket-t2i", "paper"), ("pocket", "held out"), ("pocket", "paper"),
    ]  # fmt: skip
    assert all(0 < row["entropy 16 up"] < 1 for row in rows)


def test_every_case_of_a_batch_has_its_own_maps_and_masks(monkeypatch):
    use_tiny_models(monkeypatch)
    looks = []

    def look(video, device):
        looks.append(video)
        return look_at_paint(video * 0)

    monkeypatch.setattr(attention_noise, "look", look)
    study = attention_noise.AttentionNoise(smoke=True)
    cases = [case for case in study.cases() if case["model"] == "pocket" and case["word"] == "burger"][:2]
    in_batch = study.measure(cases)
    alone = [study.measure([case])[0] for case in cases]
    for row, own in zip(in_batch, alone, strict=True):
        assert row["entropy 8 up"] == pytest.approx(own["entropy 8 up"], rel=1e-3)
    assert in_batch[0]["entropy 8 up"] != pytest.approx(in_batch[1]["entropy 8 up"], rel=1e-6)
    assert [len(video) for video in looks] == [3] * 4
