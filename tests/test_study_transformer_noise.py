"""How noisy the transformer's maps are: the same cases as the U-Nets', the table by hand, and a small run."""

import pytest
import torch
from dit_for_tests import use_dit, write_dit
from studies_for_tests import look_at_paint

from xattn_helpers.studies import attention_noise
from xattn_helpers.studies.attention_noise.table import IMAGE, NUMBERS, VIDEO
from xattn_helpers.studies.study import find
from xattn_helpers.studies.transformer_noise import MODEL, PLACES, TransformerNoise, beside_video, differences


def test_the_cases_are_those_of_the_video_unet():
    of_unet = [case for case in attention_noise.AttentionNoise().cases() if case["model"] == VIDEO]
    assert TransformerNoise().cases() == [case | {"model": MODEL} for case in of_unet]


def test_both_studies_have_their_names():
    assert find("transformer_noise") is TransformerNoise and find("attention_noise") is attention_noise.AttentionNoise


def test_places_are_the_groups_of_blocks(monkeypatch, tmp_path):
    use_dit(monkeypatch, write_dit(tmp_path), frames=3)
    monkeypatch.setattr(attention_noise, "look", look_at_paint)
    study = TransformerNoise(smoke=True)
    (row,) = study.measure(study.cases()[:1])
    for place in PLACES[:2]:  # of a network of two blocks
        assert 0 < row[f"entropy {place}"] <= 1
    summary = study.summary([row | study.cases()[0]])
    assert summary["held out"]["8 middle"]["entropy"]["model"].value == pytest.approx(row["entropy 8 middle"])


def test_the_difference_is_taken_prompt_by_prompt():
    rows, unet = [], []
    for prompt, level in (("a", 0.7), ("b", 0.9)):
        for seed in (0, 1):
            about = {"group": "held out", "prompt": prompt, "seed": seed}
            rows.append(about | {"model": MODEL, "auroc 8 middle": level + 0.05 + 0.01 * seed})
            unet.append(about | {"model": VIDEO, "auroc 8 up": level + 0.01 * seed})
            unet.append(about | {"model": IMAGE, "auroc 8 up": 0.1})
    rows.append({"group": "paper", "prompt": "a", "seed": 0, "model": MODEL, "auroc 8 middle": 0.0})
    changes = beside_video(rows, unet, "8 middle")
    change = changes["auroc"]
    assert [change.low, change.value, change.high] == pytest.approx([0.05] * 3) and change.n == 2
    assert set(changes) == set(NUMBERS) and changes["roughness"].n == 0
    told = [f"**{name} blocks**: nothing differs" for name in ("early", "middle", "late")]
    told[1] = "**middle blocks**: auroc +0.050 (+0.050 to +0.050)"
    assert differences(rows, unet) == told
    table = TransformerNoise().summary(rows)
    assert table["held out"]["8 middle"]["auroc"]["model"].value == pytest.approx(0.855)
    assert table["paper"]["8 middle"]["auroc"]["model"].value == 0
    assert torch.isnan(torch.tensor(table["held out"]["8 early"]["auroc"]["model"].value))
