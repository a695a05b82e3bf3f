"""Left and right: prompts that differ in one phrase, shares by hand, and a run on tiny models."""

import numpy as np
import pytest
from studies_for_tests import use_tiny_models

from xattn_helpers.pocket.world.vocabulary import check_prompt
from xattn_helpers.studies import left_right, running
from xattn_helpers.studies.left_right import LeftRight, moving_objects, prompts_of, way
from xattn_helpers.studies.store import load_rows, store


@pytest.fixture(autouse=True)
def small(tmp_path, monkeypatch):
    use_tiny_models(monkeypatch)
    monkeypatch.setattr(running, "WORK", tmp_path)


def known(negative, direction, obeyed, word="dog", seed=50):
    about = {"model": "pocket", "negative": negative, "direction": direction, "word": word, "seed": seed}
    return about | {"obeyed": obeyed, "seen": 1.0, "way": 0.2}


def test_sixteen_objects_with_three_seeds_go_both_ways():
    cases = [case for case in LeftRight().cases() if case["model"] == "pocket"]
    assert len(moving_objects()) == 16 and len(cases) == 16 * 3 * 2 * 2
    for case in cases:
        prompt, negative = prompts_of(case)
        check_prompt(prompt)
        assert case["direction"] in prompt and case["word"] in prompt
        if case["negative"] == "empty":
            assert negative == ""
        else:
            swapped = {"left": "right", "right": "left"}
            assert negative.split() == [swapped.get(word, word) for word in prompt.split()]


def test_shares_and_gain_by_hand():
    left, right = left_right.OPPOSITE
    rows = [known("empty", left, False), known("empty", right, True), known("empty", right, False, "duck")]
    rows += [known("opposite", left, True), known("opposite", right, True), known("opposite", right, True, "duck")]
    table = LeftRight().summary(rows)["pocket"]
    assert table["empty"]["both"].value == pytest.approx(1 / 3) and table["opposite"]["both"].value == 1
    assert table["empty"][left].value == 0 and table["empty"][right].value == 0.5
    assert table["empty"]["both, over objects"].value == pytest.approx((0.5 + 0) / 2)
    assert table["gain"].value == pytest.approx(2 / 3) and table["gain"].n == 3
    text = LeftRight().markdown({"pocket": table})
    assert "| pocket | opposite | 100 % (" in text and text.count("\n") == 3


def test_a_way_is_from_the_first_to_the_last_sight():
    boxes = np.array([[np.nan] * 4, [0.1, 0, 0.3, 1], [np.nan] * 4, [0.5, 0, 0.9, 1]])
    assert way(boxes) == pytest.approx(0.5) and np.isnan(way(boxes[:2]))


def test_it_runs_on_tiny_models(tmp_path):
    study = LeftRight(smoke=True)
    study.smoke_cases = lambda: [case for case in LeftRight().cases() if case["model"] == "pocket"][:97:48]
    store(study, running.run(study), tmp_path / "results")
    rows = load_rows("left_right", tmp_path / "results")
    assert [row["negative"] for row in rows] == ["empty", "empty", "opposite"]
    assert all(row["obeyed"] in (True, False) for row in rows)
