"""How noisy maps are: prompts, statistics of known maps, the table, and a run of tiny models."""

import json
import math
import random

import numpy as np
import pytest
import torch
from models_for_tests import PROMPT, tiny

from benchmarks import attention_noise, noise_table
from xattn_helpers import capture, generate
from xattn_helpers.pocket.captions import held_out


def test_prompts_are_held_out_and_of_many_objects():
    prompts = attention_noise.held_out_prompts()
    assert len(prompts) == 20 and all(map(held_out, prompts)) and len(set(prompts.values())) >= 18
    assert all(word in text.split() for text, word in prompts.items())
    cases = attention_noise.cases("pocket")
    assert len(cases) == (20 + 6) * 3 and len({json.dumps(case) for case in cases}) == len(cases)


def test_each_token_has_a_role():
    tokenizer = tiny(1).tokenizer
    text, found = "a small dog walks in the snow", ["<start>", "a", "size", "noun", "verb", "in, on", "the", "scene"]
    assert attention_noise.kinds(tokenizer, text, "dog") == found + ["<end>"] + ["<pad>"] * 11
    wolf = attention_noise.kinds(tokenizer, "a wolf howls to the moon", "wolf")
    assert wolf[1:8] == ["a", "noun", "verb", "in, on", "the", "scene", "<end>"]


def test_frames_that_count_are_evenly_spaced():
    assert attention_noise.counted(16) == [0, 5, 10, 15] and attention_noise.counted(4) == [0, 1, 2, 3]
    assert attention_noise.counted(2) == [0, 1]


def moving_masks(frames=16, side=64):
    masks = torch.zeros(frames, side, side, dtype=torch.bool)
    for frame, mask in enumerate(masks):
        mask[16:32, 2 * frame : 2 * frame + 16] = True
    return masks


def test_a_perfect_map_has_perfect_statistics():
    masks = moving_masks()
    found = attention_noise.statistics(attention_noise.perfect(masks, 16), masks)
    assert found["auroc"] == 1 and found["iou"] > 0.85
    assert attention_noise.jitter(attention_noise.perfect(masks, 16), masks)["jitter"] < 0.03
    assert attention_noise.jitter(torch.rand(16, 16, 16), masks)["jitter"] > 0.03
    assert attention_noise.jitter(torch.rand(4, 16, 16), masks[:4]) == {}
    assert set(attention_noise.statistics(torch.rand(4, 16, 16))) == {"entropy", "roughness"}


def describe(masks, noun):
    """A case whose noun has these maps, while "in" knows nothing and "the" avoids the object."""
    maps = torch.stack([noun, torch.ones_like(noun), -attention_noise.perfect(masks, 16)])
    return attention_noise.describe({"16 up": maps}, [{"16 up": maps}] * 3, masks, ["noun", "in, on", "the"])


def test_a_case_of_known_maps():
    masks = moving_masks()
    row = describe(masks, attention_noise.perfect(masks, 16))
    assert row["seen"] == 1 and row["area"] == 1 / 16 and row["steps"]["16 up"] == [1, 1, 1]
    assert row["tokens"]["16 up"] == {"noun": 1, "in, on": 0, "the": -1}
    figures, ideal = row["places"]["16 up"], row["perfect"]["16 up"]
    assert figures["leakage"] == -0.5 and figures["counted"] == 1
    assert all(figures[name] == pytest.approx(value) for name, value in ideal.items()) and "jitter" in ideal


def test_a_case_without_its_object_has_no_numbers_but_does_not_fail():
    row = describe(torch.zeros(16, 64, 64, dtype=torch.bool), torch.rand(16, 16, 16))
    assert row["seen"] == 0 and math.isnan(row["places"]["16 up"]["auroc"])
    assert row["places"]["16 up"]["entropy"] > 0


def synthetic_rows():
    """Three prompts, two seeds; the video model is worse by .1 for every prompt."""
    rows, chance = [], random.Random(0)
    level = {f"prompt {i}": chance.uniform(0.7, 0.9) for i in range(3)}
    for model, less in ((noise_table.IMAGE, 0), (noise_table.VIDEO, 0.1)):
        for group in noise_table.GROUPS:
            for prompt, best in level.items():
                for off in (-0.05, 0.05):
                    places = {place: {"auroc": best - less + off, "counted": 1.0} for place in noise_table.PLACES}
                    steps = {place: [0.5, best - less] for place in noise_table.PLACES}
                    tokens = {place: {"the": 0.2} for place in noise_table.PLACES}
                    perfect = {place: {"auroc": 1.0} for place in noise_table.PLACES}
                    about = {"model": model, "group": group, "prompt": prompt, "seed": int(off > 0)}
                    rows.append(about | {
                        "seen": 1.0, "area": 0.1, "places": places, "steps": steps, "tokens": tokens,
                        "perfect": perfect,
                    })  # fmt: skip
    return rows, level


def test_the_table_pairs_prompts():
    rows, level = synthetic_rows()
    table = noise_table.summary(rows)
    figures = table["held out"]["16 up"]["auroc"]
    assert figures["pocket-t2i"]["mean"] == pytest.approx(np.mean(list(level.values())), abs=1e-4)
    assert figures["pocket-t2i"]["n"] == 3, "seeds of a prompt are no independent cases"
    difference = [figures["difference"][key] for key in ("low", "mean", "high")]
    assert difference == pytest.approx([-0.1] * 3, abs=1e-4), "prompts differ, but every one by the same"
    assert figures["perfect"]["mean"] == 1 and table["held out"]["16 up"]["jitter"]["pocket"] is None
    assert table["AUROC of steps"]["8 up"][0]["pocket"]["mean"] == 0.5
    assert table["leakage of tokens"]["4 mid"]["the"]["pocket"]["mean"] == pytest.approx(0.2)
    json.dumps(table, allow_nan=False)


def test_cases_can_be_read_from_the_table():
    rows, _ = synthetic_rows()
    read = noise_table.read_cases(noise_table.summary(rows)["cases"])
    assert len(read) == len(rows) and read[0]["prompt"] == rows[0]["prompt"] and read[1]["seed"] == 1
    assert read[0]["auroc 8 down"] == pytest.approx(rows[0]["places"]["8 down"]["auroc"], abs=1e-4)
    assert math.isnan(read[0]["jitter 16 up"])


def test_maps_by_place_are_means_of_layers():
    model = tiny(3)
    with capture(model, every_step=True) as attention:
        generate(model, PROMPT, steps=2, progress=False)
    found = attention_noise.place_maps(attention)
    assert {place: tuple(maps.shape) for place, maps in found.items()} == {
        "16 down": (20, 3, 16, 16), "8 down": (20, 3, 8, 8), "4 mid": (20, 3, 4, 4), "8 up": (20, 3, 8, 8),
        "16 up": (20, 3, 16, 16),
    }  # fmt: skip
    noun = attention_noise.place_maps(attention, 1)["16 up"][2]
    assert torch.allclose(noun, attention.maps("burger", resolution=16, place="up", step=1), atol=1e-6)


class Looked:
    """Sees an object in the upper left of every picture."""

    def __init__(self, video, device):
        self.shape = video.shape[:3]

    def masks(self, word):
        masks = np.zeros(self.shape, bool)
        masks[:, : self.shape[1] // 2, : self.shape[2] // 2] = True
        return masks


@pytest.mark.parametrize("frames", [1, 3])
def test_a_case_can_be_measured(frames, monkeypatch):
    monkeypatch.setattr(attention_noise.weights, "model", lambda name: tiny(frames))
    monkeypatch.setattr(attention_noise, "look", Looked)
    monkeypatch.setattr(attention_noise, "PICTURES", 2)
    cases = [{"model": "tiny", "prompt": PROMPT, "word": "burger", "seed": seed} for seed in (0, 1)]
    both, second = attention_noise.measure(cases), attention_noise.measure(cases[1:])
    assert set(both[0]["places"]) == set(noise_table.PLACES) and len(both[0]["steps"]["16 up"]) == 3
    assert ("jitter" in both[0]["places"]["16 up"]) == (frames > 2)
    assert both[1]["places"]["8 up"] == pytest.approx(second[0]["places"]["8 up"], rel=1e-3)
    assert both[0]["places"]["8 up"]["auroc"] != both[1]["places"]["8 up"]["auroc"]
