"""Where the maps of the video transformer find the object: the table by hand, and a run on a small random network."""

import numpy as np
import pytest
import torch
from dit_for_tests import use_dit, write_dit

from xattn_helpers.measures.map_quality import auroc, shrink_mask
from xattn_helpers.studies import __main__ as program
from xattn_helpers.studies import dit_maps
from xattn_helpers.studies.dit_maps import DitMaps


@pytest.fixture
def dit(monkeypatch, tmp_path):
    use_dit(monkeypatch, write_dit(tmp_path), frames=3)


class Halves:
    """Instead of what the detector sees: the left half of every frame."""

    def masks(self, word):
        masks = np.zeros((3, 128, 128), bool)
        masks[:, :, :64] = True
        return masks


def test_blocks_and_steps_are_those_of_the_recording(dit, monkeypatch):
    monkeypatch.setattr(dit_maps, "look", lambda video, device: Halves())
    seen = []

    def noun_maps(*asked):
        seen.append(original(*asked))
        return seen[-1]

    original = dit_maps.noun_maps
    monkeypatch.setattr(dit_maps, "noun_maps", noun_maps)
    study = DitMaps(smoke=True)
    cases = study.cases()[:2]
    rows = study.measure(cases)
    assert [maps.shape for maps in seen] == [(2, 2, 3, 8, 8)] * 2  # blocks, steps, frames
    cells = shrink_mask(torch.from_numpy(Halves().masks("")), (8, 8))
    for row, maps in zip(rows, seen, strict=True):
        assert len(row) == 2 + 2 + 4
        assert row["block 1, step 0"] == pytest.approx(float(auroc(maps[1, 0], cells).mean()))
        assert row["block 1"] == pytest.approx(float(auroc((maps[1, 0] + maps[1, 1]) / 2, cells).mean()))
        assert row["step 0"] == pytest.approx(float(auroc((maps[0, 0] + maps[1, 0]) / 2, cells).mean()))
    assert rows[0] != rows[1]


def test_the_table_has_blocks_steps_and_both():
    first = {"block 0": 0.6, "block 1": 0.8, "step 0": 0.5, "block 0, step 0": 0.5, "block 1, step 0": 0.9}
    second = dict.fromkeys(first, 1.0) | {"block 0, step 0": np.nan}
    table = DitMaps().summary([first, second])
    assert {name: figure.value for name, figure in table["blocks"].items()} == {
        "block 0": pytest.approx(0.8), "block 1": pytest.approx(0.9)
    }  # fmt: skip
    assert list(table["steps"]) == ["step 0"] and table["steps"]["step 0"].value == 0.75
    assert table["blocks by steps"] == {"block 0": [0.5], "block 1": [0.95]}
    lines = DitMaps().markdown(table).splitlines()
    assert lines[0] == "| block (n = 2) | mean of all steps | step 1 of 1 |"
    assert lines[3].startswith("| 1 | 0.900 (") and lines[3].endswith("| 0.950 |")
    assert lines[4].startswith("| all |  | 0.750 (")


def test_without_weights_a_sentence_says_how_to_make_them(monkeypatch, tmp_path, capsys):
    use_dit(monkeypatch, tmp_path)
    program.main(["dit_maps", "--smoke"])
    assert capsys.readouterr().out == (
        "dit_maps: pocket-dit has no weights yet (`python -m xattn_helpers.pocket.training --stages dit` trains them) "
        "and is left out.\n"
    )
