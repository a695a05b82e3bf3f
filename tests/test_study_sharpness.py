"""How sharp objects are: masks compared by hand, and a smoke run with a small random transformer."""

import numpy as np
import pytest
from dit_for_tests import use_dit, write_dit
from studies_for_tests import CONFIDENCE, look_at_paint, paint

from xattn_helpers.studies import running, sharpness
from xattn_helpers.studies.rows import select
from xattn_helpers.studies.sharpness import CODED, DIFFERENCE, DRAWN, Sharpness
from xattn_helpers.studies.store import load_rows, store


def test_masks_are_compared_in_the_frames_that_show_the_object():
    before = look_at_paint(paint([(4, 4, 24, 24)], [(4, 4, 24, 24)], None))
    after = look_at_paint(paint([(4, 4, 14, 24)], None, [(4, 4, 24, 24)]))
    row = sharpness.compare(before, after, "burger")
    assert row == {"seen": pytest.approx(2 / 3), "own iou": pytest.approx((0.5 + 0) / 2), "confidence": CONFIDENCE}
    lost = sharpness.compare(look_at_paint(paint(None)), after, "burger")
    assert lost == {"seen": 0, "own iou": None, "confidence": None}


def test_frames_are_evenly_spaced():
    video = np.arange(16, dtype=np.uint8).reshape(16, 1, 1, 1)
    assert sharpness.some_frames(video).ravel().tolist() == [0, 5, 10, 15]
    assert len(sharpness.some_frames(video[:1])) == 1


def test_the_two_video_models_are_compared_story_by_story():
    rows = []
    for picture, values in {DRAWN: (1.0, 1.0), "pocket": (0.5, 0.9), "pocket-dit": (0.75, None)}.items():
        for story, value in enumerate(values):
            rows.append({"picture": picture, "story": story, "own iou": value, "confidence": 0.5, "seen": 1.0})
    table = Sharpness().summary(rows)
    assert table["pocket"]["own iou"].value == pytest.approx(0.7) and table["pocket-dit"]["own iou"].n == 1
    assert (table[DIFFERENCE]["own iou"].value, table[DIFFERENCE]["own iou"].n) == (0.25, 1)
    lines = Sharpness().markdown(table).splitlines()
    assert lines[2].startswith("| drawn | 1.000 (") and lines[4].startswith("| video transformer | 0.750 (")
    assert lines[5].startswith("| video transformer minus video | +0.250 (") and len(lines) == 6
    assert DIFFERENCE not in Sharpness().summary(rows[:4])


def test_drawn_frames_are_sharper_than_what_the_autoencoder_makes_of_them(monkeypatch, tmp_path):
    use_dit(monkeypatch, write_dit(tmp_path), frames=3)
    monkeypatch.setattr(running, "WORK", tmp_path / "work")
    study = Sharpness(smoke=True)
    assert [case["picture"] for case in study.chosen()] == [DRAWN, CODED, "pocket", "pocket-t2i", "pocket-dit"]
    chosen = [case for case in study.chosen() if case["picture"] not in ("pocket", "pocket-t2i")]
    monkeypatch.setattr(study, "smoke_cases", lambda: chosen)
    store(study, running.run(study), tmp_path / "results")
    rows = load_rows("sharpness", tmp_path / "results")
    (drawn,), (coded,), (made,) = (select(rows, "picture", name) for name in (DRAWN, CODED, "pocket-dit"))
    assert drawn["seen"] == coded["seen"] == 1 and drawn["confidence"] > 0.9
    assert 0.8 < drawn["own iou"] < 1 and 0.8 < coded["own iou"] <= 1
    assert made["seen"] == 0 and made["own iou"] is None, "noise shows nothing"
