"""Steering the video transformer by blocks: the table by hand, and that every setting reaches the right blocks."""

import pytest
from dit_for_tests import use_dit, write_dit

from xattn_helpers import Bias, Guidance, track
from xattn_helpers.studies import dit_steering
from xattn_helpers.studies.dit_steering import BIAS, GRADIENT, GROUPS, SETTINGS, UNGUIDED, DitSteering


def row(setting, seed, iou, covered=True, failed=""):
    about = {"setting": setting, "prompt": "a", "track": "stays", "seed": seed, "failed": failed}
    return about | {"iou": iou, "covered": covered, "scene kept": seed == 0, "auroc": 0.5 + seed}


def test_the_table_counts_a_lost_object_as_zero_and_pairs_the_cases():
    rows = [row(UNGUIDED, 0, 0.1), row(UNGUIDED, 1, 0.3), row(GRADIENT, 0, 0.6), row(GRADIENT, 1, 0.8)]
    rows += [row(BIAS, 0, 0.5), row(BIAS, 1, 0.4, covered=False), row(BIAS, 2, 0.0, failed="no finite step")]
    table = DitSteering().summary(rows)
    figures = table["settings"][BIAS]
    assert figures["mIoU, lost 0"].value == pytest.approx(0.25) and figures["lost"].value == 0.5
    assert figures["mIoU minus gradient"].value == pytest.approx((0.5 - 0.6 + 0 - 0.8) / 2)
    assert figures["scene kept"].value == 0.5 and figures["failed"] == 1
    assert table["settings"][UNGUIDED]["mIoU, lost 0"].value == pytest.approx(0.2) and table["auroc"].value == 1.0
    assert table["settings"][f"{GRADIENT}, early"]["lost"].n == 0
    lines = DitSteering().markdown(table).splitlines()
    assert len(lines) == 2 + len(SETTINGS) and lines[3].startswith("| gradient | 0.700")


def test_settings_are_the_defaults_in_all_blocks_or_in_one_group():
    path = track([(0.5, 0.5)])
    edits = {name: setting.edits("track", ["burger"], [path]) for name, setting in SETTINGS.items()}
    assert edits[UNGUIDED] == [] and len(SETTINGS) == 10
    for group in GROUPS:
        assert edits[f"{GRADIENT}, {group}"] == [Guidance([["burger"]], [[path]], groups=group)]
        assert edits[f"{BIAS}, {group}"] == [Bias([["burger"]], [[path]], groups=group)]
    few = edits[f"{GRADIENT}, first fifth"]
    assert few == [Guidance([["burger"]], [[path]], blocks=("blocks.0.", "blocks.1."))]


def test_videos_are_those_of_the_transformer(monkeypatch, tmp_path):
    use_dit(monkeypatch, write_dit(tmp_path), frames=2)
    asked = []
    monkeypatch.setattr(dit_steering.OnTracks, "model", lambda self, name: asked.append(name))
    study = DitSteering(smoke=True)
    study.model("pocket")
    assert asked == ["pocket-dit"]
    cases = study.cases()
    assert len(cases) == 10 * 97 and {case["model"] for case in cases} == {"pocket-dit"}
    assert study.models(cases[0]) == ("pocket-dit",)
