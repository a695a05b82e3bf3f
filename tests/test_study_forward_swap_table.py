"""The table of `forward_swap`, of known rows."""

import json
import math

import numpy as np
import pytest
from scipy.stats import bootstrap

from xattn_helpers.pocket.world.vocabulary import OBJECTS
from xattn_helpers.studies.forward_swap import cases, table
from xattn_helpers.studies.tables import encode


def figures_of(name, long, aspect=1.0, confidence=0.9):
    values = {"seen": 1.0, "single": 1.0, "pure": 1.0, "area": long**2, "long": long, "aspect": aspect}
    return {f"{name} {figure}": value for figure, value in (values | {"confidence": confidence}).items()}


def swap_row(case, own=0.3, source=0.4, share=0.5):
    """A swapped object that takes over a share of the source's size, on a logarithmic scale."""
    swapped = own * (source / own) ** share
    row = case | figures_of("own", own) | figures_of("source", source, aspect=1.5)
    row |= figures_of("swapped", swapped, confidence=0.8)
    for pair, iou in (("swapped source", 0.6), ("swapped own", 0.3), ("own source", 0.2)):
        row |= {f"iou {pair}": iou, f"distance {pair}": 1 - iou, f"background {pair}": 0.1}
    return row | {f"attention 16 up {part}": 0.25 for part in table.PARTS} | {"left": 0.0}


def known_rows():
    rows = []
    for model in (table.IMAGE, table.VIDEO):
        for index, case in enumerate(cases.swap_cases(model)):
            rows.append(swap_row(case, source=0.4 if index % 2 else 0.2))
        for case in cases.word_cases(model):
            row = case | figures_of("source", 0.4) | figures_of("edited", 0.2) | figures_of("own", 0.2)
            rows.append(row | {"edited seen": 1 - 0.1 * case["differ"], "edited scene": 1.0, "iou edited source": 0.5})
    return rows


def test_what_is_taken_over_is_a_slope_and_shrinking_an_offset():
    rows = [swap_row(case, source=0.2 + 0.01 * index) for index, case in enumerate(cases.swap_cases("pocket"))]
    line = table.taken_over(rows, "long")
    assert line["slope"].value == pytest.approx(0.5, abs=1e-3) and abs(line["offset"].value) < 1e-3
    assert line["slope"].n == 20, "seeds of a pair are no independent cases"
    smaller = [row | {"swapped long": row["swapped long"] * 0.8} for row in rows]
    line = table.taken_over(smaller, "long")
    assert line["slope"].value == pytest.approx(0.5, abs=1e-3)
    assert line["offset"].low == pytest.approx(math.log(0.8), abs=1e-3)


def test_intervals_of_a_line_are_those_of_a_bootstrap_of_pairs_at_95_percent():
    rng = np.random.default_rng(0)
    rows = []
    for case in cases.swap_cases("pocket", (0,)):
        source, noise = rng.uniform(0.2, 0.6), rng.normal(0, 0.2)
        row = swap_row(case, source=source)
        rows.append(row | {"swapped long": row["swapped long"] * math.exp(noise)})
    x = np.log([row["source long"] / row["own long"] for row in rows])
    y = np.log([row["swapped long"] / row["own long"] for row in rows])
    reference = bootstrap(
        (x, y), lambda x, y: np.polyfit(x, y, 1)[0], paired=True, vectorized=False, n_resamples=2000,
        confidence_level=0.95, method="percentile", rng=0,
    ).confidence_interval  # fmt: skip
    slope = table.taken_over(rows, "long")["slope"]
    assert slope.value == pytest.approx(np.polyfit(x, y, 1)[0])
    assert (slope.low, slope.high) == pytest.approx((reference.low, reference.high), abs=0.02)


def test_derived_statistics_by_hand():
    case = cases.swap_cases("pocket", (0,))[2]
    values = table.derived(swap_row(case, own=0.2, source=0.8, share=0.5))
    assert values["size beside own"] == pytest.approx(math.log(2)) == pytest.approx(-values["size beside source"])
    assert values["iou gained"] == pytest.approx(0.4) and values["confidence gained"] == pytest.approx(-0.1)
    assert values["misshapen own"] == pytest.approx(math.log(table.world_aspect("car")))


def test_aspects_of_the_world_are_those_of_its_drawings():
    assert table.world_aspect("ball") == pytest.approx(1, abs=0.05)
    assert table.world_aspect("car") > 1.4 and table.world_aspect("rocket") < 0.8
    assert all(0.5 < table.world_aspect(word) < 2 for word in OBJECTS)


def test_the_table_pairs_pairs():
    made = table.summary(known_rows())
    for model in (table.IMAGE, table.VIDEO):
        gained = made["swap"][model]["all"]["iou gained"]
        assert (gained.value, gained.low, gained.high) == pytest.approx((0.4,) * 3) and gained.n == 20
        assert sum(made["swap"][model][group]["iou gained"].n for group in table.GROUPS[1:]) == 20
        words = made["words"][model]
        assert words["1"]["edited seen"].value == pytest.approx(0.9)
        assert words["3 minus 1"]["edited seen"].value == pytest.approx(-0.2)
        assert words["2 minus 1"]["seen gained"].value == pytest.approx(-0.1)
        assert words["3"]["seen gained"].value == pytest.approx(-0.3)
        assert words["2"]["size beside source"].value == pytest.approx(-math.log(2))
    assert made["replace"] == {} and list(made["taken over"]["pocket"]) == ["swap"]
    json.dumps(encode(made), allow_nan=False)


def test_groups_are_told_apart_by_the_sizes_of_the_world():
    larger = {"source_word": "truck", "word": "car"}
    assert table.group_of(larger) == "source larger"
    assert table.group_of({"source_word": "car", "word": "truck"}) == "source smaller"
    assert table.group_of({"source_word": "truck", "word": "bus"}) == "similar"
