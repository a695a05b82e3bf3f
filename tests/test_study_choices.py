"""What matters: choices, their spans and prices, worked out by hand on tables of known rows."""

import pytest
from studies_for_tests import failed, row

from xattn_helpers.measures.statistics import Estimate
from xattn_helpers.studies import load_table, model_card
from xattn_helpers.studies.guidance import choices, table


def summary():
    rows = [row("unguided", seed, 0.1) for seed in (0, 1)]
    rows += [row("defaults", 0, 0.6), row("defaults", 1, 0.8), row("paper", 0, 0.4), row("paper", 1, 0.4)]
    rows += [row("8 x 8 only", 0, 0.5), row("8 x 8 only", 1, 0.8, covered=False)]
    rows += [row("16 x 16 only", 0, 0.65), row("16 x 16 only", 1, 0.85)]
    rows += [row("frame bug", 0, 0.2), row("frame bug", 1, 0.2), row("as released", 0, 0.3), row("as released", 1, 0.1)]
    rows += [row("equal, 0.02", 0, 0.5), row("equal, 0.02", 1, 0.5)]
    rows += [row("equal, 0.16", 0, 0.6), row("equal, 0.16", 1, 0.0)]
    return table.summary(rows + [failed("eq. 4 literally", 0), failed("eq. 4 literally", 1)])


@pytest.fixture
def settings():
    return summary()["settings"]


def test_choices_are_the_groups_that_the_table_has_without_what_was_refused(settings):
    assert choices.choices(settings) == {
        "layers": ["8 x 8 only", "16 x 16 only"], "frame bug": ["frame bug"],
        "strength": ["equal, 0.02", "equal, 0.16"],
    }  # fmt: skip


def test_they_are_ordered_by_their_span_the_defaults_included(settings):
    titles = [(title, worst, best) for title, worst, _, best, _ in choices.ordered(settings)]
    # A lost object counts 0: 8 x 8 only has .25, and .05 more than the defaults is the best of the layers.
    assert titles == [
        ("layers", "8 x 8 only", "16 x 16 only"), ("frame bug", "frame bug", "defaults"),
        ("strength", "equal, 0.16", "defaults"),
    ]  # fmt: skip
    changes = [row[2].value for row in choices.ordered(settings)]
    assert changes == [pytest.approx(value) for value in (-0.45, -0.5, -0.4)]


def test_sentences_have_the_worst_the_best_and_what_is_lost(settings):
    layers, bug, strength, refused, missing = choices.lines(settings)
    assert layers.startswith("**layers**: worst 8 x 8 only, -0.45 (") and "best 16 x 16 only, +0.05 (" in layers
    assert "most lost: 50 % (" in layers and layers.endswith("8 x 8 only")
    assert "none better than the defaults" in bug and "lost" not in bug and strength.startswith("**strength**")
    assert refused.endswith(": eq. 4 literally") and missing.startswith("not in the stored table yet: energy, target")


def test_the_overview_has_a_dot_for_each_setting_at_its_change(settings):
    left, right = choices.overview(settings).axes
    dots = [line.get_xdata()[0] for line in left.lines if line.get_marker() == "o"]
    assert dots == [pytest.approx(value) for value in (-0.45, 0.05, -0.5, -0.2, -0.4)]
    lost = [line.get_xdata()[0] for line in right.lines if line.get_marker() == "o"]
    assert lost == [0.5, 0, 0, 0, 0]
    assert [label.get_text() for label in left.get_yticklabels()] == ["layers", "frame bug", "strength"]
    assert {"8 x 8 only", "frame bug", "equal, 0.16", " unguided"} == {text.get_text() for text in left.texts}


def test_strengths_are_drawn_in_their_order(settings):
    axis = choices.price_of_strength(settings).axes[0]
    drawn = {bars.get_label(): bars[0].get_xydata().tolist() for bars in axis.containers}
    assert drawn["mIoU, lost counts 0"] == [pytest.approx(pair) for pair in ([0.02, 0.5], [0.08, 0.7], [0.16, 0.3])]
    assert [value for _, value in drawn["lost"]] == [0, 0, 0]


def test_the_price_of_the_bug_is_the_paired_difference(settings):
    lines = choices.bug_lines(settings)
    assert len(lines) == 6 and lines[2].startswith("**the bug costs defaults** 0.50 (0.40 to 0.60)")
    assert lines[5].startswith("**the bug costs paper** 0.20 (")
    del settings["as released"]
    assert choices.bug_lines(settings)[3:] == ["not in the stored table yet: as released"]


def test_what_an_older_table_lacks_is_said():
    full = summary()
    assert choices.winner_text(full).startswith("Of 10 settings, 16 x 16 only has the highest mIoU, 0.750. Chosen on")
    assert choices.correction_text(full).startswith("After Holm's correction 0 of 9 settings differ")
    for text in (choices.winner_text({}), choices.correction_text({})):
        assert text.endswith("is not in the stored table yet.")


def test_each_energy_and_law_has_a_line_with_its_strengths():
    pairs = {"shape, 1 - abar": {"mIoU": 0.5, "strength": 100.0, "picked": 0.945, "cases": 9}}
    (line,) = choices.law_lines({"energy by law": pairs})
    start = "energy **shape**, law **1 - abar**: mIoU 0.500; of 37.5, 100, 300, strength 100 is picked in"
    assert line.startswith(start)
    assert choices.law_lines({})[0].endswith("not in the stored table yet.")
    assert len(choices.law_lines(load_table("guidance"))) == 4


def test_the_page_of_results_has_every_setting(settings):
    lines = choices.markdown(settings).splitlines()
    assert len(lines) == 2 + len(settings) and lines[0].count("|") == 8
    (line,) = [line for line in lines if "| as released |" in line]
    assert "0.200 (" in line and "-0.200 (" in line and "from paper" in line
    (line,) = [line for line in lines if "| eq. 4 literally |" in line]
    assert "| 0.000 (0.000 to 0.000) |" in line and "100 %" in line and "nan" not in line


def test_the_stored_page_is_that_of_the_stored_table():
    text = choices.markdown(load_table("guidance")["settings"])
    assert f"<!-- choices -->\n{text}\n<!-- /choices -->" in model_card.RESULTS.read_text(encoding="utf-8")


def test_a_difference_turned_round_keeps_its_interval():
    part = {choices.CHANGE: Estimate(-0.3, -0.4, -0.1, 7)}
    assert choices._paired(part, "defaults") == Estimate(0.3, 0.1, 0.4, 7)
