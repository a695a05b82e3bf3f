"""The study of neighbours: its figures by hand, its picture, and a run on tiny models."""

import math

import pytest
from studies_for_tests import row, use_tiny_models

from xattn_helpers import track
from xattn_helpers.studies import neighbours, running
from xattn_helpers.studies.guidance.cases import table_cases
from xattn_helpers.studies.neighbours import table
from xattn_helpers.studies.neighbours.picture import pareto_picture
from xattn_helpers.studies.neighbours.settings import SETTINGS, settings_of
from xattn_helpers.studies.store import load_rows, store


@pytest.fixture(autouse=True)
def small(tmp_path, monkeypatch):
    use_tiny_models(monkeypatch)
    monkeypatch.setattr(running, "WORK", tmp_path)


def known(setting, seed, iou, seconds, model="pocket", **changes):
    return row(setting, seed, iou, **({"model": model, "seconds": seconds} | changes))


ROWS = [
    *(known("unguided", seed, 0.1, seconds) for seed, seconds in enumerate((1.0, 1.0, 9.0))),
    *(known("gradient", seed, 0.8, seconds) for seed, seconds in enumerate((2.0, 2.0, 2.0))),
    known("bias", 0, 0.9, 1.1), known("bias", 1, 0.6, 1.1, covered=False), known("bias", 2, None, 1.1, failed="no"),
]  # fmt: skip


def test_failures_and_lost_objects_count_nothing_and_times_are_medians():
    made = table.summary(ROWS)["pocket"]
    assert made["bias"]["mIoU"].value == pytest.approx(0.3) and made["bias"]["lost"].value == pytest.approx(2 / 3)
    assert made["bias"]["failed"] == 1 and made["gradient"]["failed"] == 0
    assert made["gradient"]["time over unguided"] == pytest.approx(2.0)
    assert made["bias"]["time over unguided"] == pytest.approx(1.1)
    assert math.isnan(table.summary(ROWS[3:])["pocket"]["bias"]["time over unguided"])


def test_the_markdown_has_both_models_and_says_why_published_rows_cannot_be_compared():
    other = [known("unguided", 0, 0.2, 3.0, "pocket-dit"), known("bias", 0, 0.5, 3.0, "pocket-dit")]
    text = table.markdown(table.summary(ROWS + other))
    assert "| pocket | mIoU | lost |" in text and "| pocket-dit | mIoU" in text
    assert "| ModelScope + Peekaboo | 36.10 | 33.30 | 96.60 | 0.13 |" in text and "cannot be compared" in text


def test_each_method_is_an_edit_with_knobs_of_its_own():
    path = track([(0.3, 0.3), (0.6, 0.6)])
    texts = {name: str(setting.edits("track", ["ball"], [path])) for name, setting in SETTINGS.items()}
    assert len(set(texts.values())) == len(texts)
    assert "energy='lvd'" in texts["LVD's energy"] and "repeats=5" in texts["LVD's energy"]
    assert "pixels=True" in texts["Peekaboo's masks"] and "pixels=False" in texts["masks of words (DiTraj)"]
    assert "gradient, early blocks" in settings_of("pocket-dit")
    assert "gradient, early blocks" not in settings_of("pocket") and "bias" in settings_of("pocket")


def test_the_picture_names_every_method_once_and_marks_what_nothing_beats():
    figure = pareto_picture(table.summary(ROWS))
    (ax,) = figure.axes
    texts = [text.get_text() for text in ax.texts]
    assert sorted(texts) == ["bias", "gradient", "unguided"]
    filled = {line.get_label(): line.get_markerfacecolor() for line in ax.lines if line.get_label() in texts}
    assert "white" not in (filled["bias"], filled["gradient"], filled["unguided"]), (
        "each is cheapest for what it reaches"
    )
    assert filled["bias"] != filled["gradient"], "one needs a gradient"
    rows = [known("Peekaboo's masks", seed, 0.2, 3.0) for seed in range(3)]
    (ax,) = pareto_picture(table.summary(ROWS + rows)).axes
    beaten = next(line for line in ax.lines if line.get_label() == "Peekaboo's masks")
    assert beaten.get_markerfacecolor() == "white"


def test_every_method_runs_on_a_tiny_model(tmp_path):
    study = neighbours.Neighbours(smoke=True)
    case = table_cases()[0]
    study.smoke_cases = lambda: [{"model": "pocket", "setting": name} | case for name in settings_of("pocket")]
    stored = store(study, running.run(study), tmp_path / "results")
    rows = load_rows("neighbours", tmp_path / "results")
    assert [row["failed"] for row in rows] == [""] * len(rows) and all(row["seconds"] > 0 for row in rows)
    assert rows[0]["setting"] == "unguided" and rows[0]["outside"] < 1e-3, "made again, it is the same"
    of_two_steps = ("Peekaboo's masks", "TrailBlazer's Gaussian")  # a tenth and an eighth of them are none
    changed = [row["outside"] for row in rows[1:] if row["setting"] not in of_two_steps]
    assert min(changed) > 0 and len(set(changed)) == len(changed)
    assert stored["pocket"]["gradient"]["time over unguided"] > 0
    study.show(stored)
