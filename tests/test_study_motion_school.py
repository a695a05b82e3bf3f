"""Positions in the video U-Net: what its first layer gets, by hand, and that both trainings can be measured."""

import shutil

import pytest
import torch

from xattn_helpers.backbones.unet import UNet
from xattn_helpers.pocket import WEIGHTS
from xattn_helpers.pocket.networks import build_video_unet
from xattn_helpers.pocket.training import positions as networks
from xattn_helpers.pocket.training import school
from xattn_helpers.pocket.training.positions import AXES, PositionedUNet, positions, widened, with_positions
from xattn_helpers.studies.motion_school import MotionSchool


def test_positions_run_from_minus_one_to_one_in_frames_rows_and_columns():
    found = positions(torch.zeros(2, 4, 3, 2, 5))
    assert found.shape == (2, AXES, 3, 2, 5)
    assert found[1, 0, :, 0, 0].tolist() == [-1, 0, 1], "frames"
    assert found[0, 1, 0, :, 4].tolist() == [-1, 1], "rows"
    assert found[0, 2, 2, 1].tolist() == [-1, -0.5, 0, 0.5, 1], "columns"
    latents = torch.randn(1, 4, 2, 2, 2)
    assert torch.equal(with_positions(latents)[:, :4], latents)


@pytest.fixture(scope="module")
def unet():
    torch.manual_seed(0)
    return build_video_unet().eval()


def test_a_widened_network_keeps_what_it_knew(unet):
    latents, text = torch.randn(1, 4, 2, 16, 16), torch.randn(1, 5, unet.config.cross_attention_dim)
    with torch.no_grad():
        before = unet(latents, 500, text).sample
        wide = widened(unet)
        added = wide.conv_in.weight[:, -AXES:]
        assert 0.05 < added.std() < 0.2, "from 0 they would hardly begin to move"
        moved = wide(with_positions(latents), 500, text).sample
        added.zero_()
        assert torch.allclose(wide(with_positions(latents), 500, text).sample, before, atol=1e-5)
    assert not torch.allclose(moved, before, atol=1e-3), "positions count"


def test_a_training_can_be_measured(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(networks, "FOLDER", tmp_path)
    monkeypatch.setattr(school, "FOLDER", tmp_path)
    study = MotionSchool(smoke=True)
    assert "git archive 11c5fb1:" in study.unable() and str(networks.folder_of("before", True)) in study.unable()
    shutil.copytree(WEIGHTS / "unet", networks.folder_of("before", True) / "unet")
    assert "training.school positions --minutes" in study.unable()
    school.main(["positions", "--minutes", "10", "--smoke"])
    assert "positions: " in capsys.readouterr().out
    assert "school longer --minutes" in study.unable()
    school.main(["longer", "--minutes", "10", "--smoke"])
    longer, own = study.model("longer"), study.model("positions")
    assert study.unable() == "" and type(own.backbone) is PositionedUNet and type(longer.backbone) is UNet
    digests = [study.weights({"model": name})[name] for name in ("longer", "positions")]
    assert digests[0] != digests[1]
    latents, text = torch.randn(1, 4, 2, 16, 16), own.encode("a dog")
    with torch.no_grad():
        expected = own.network(with_positions(latents), torch.tensor(500), text.states).sample
    assert torch.equal(own.predict(latents, 500.0, text), expected)


def test_the_table_has_what_was_obeyed_and_seen():
    seen = {"kind": "motion", "present": 1.0, "single": 1.0, "scene": "sea", "scene seen": "sea", "second": ""}
    seen |= {"second present": None, "word": "dog"} | {f"auroc, {cells} cells": 0.9 for cells in (1, 2, 4)}
    rows = []
    asked = {"before": (False, False), "positions": (True, False), "longer": (True, True)}
    for model, obeyed in asked.items():
        rows += [seen | {"model": model, "motion": "to the left", "obeyed": answer} for answer in obeyed]
    study = MotionSchool(smoke=True)
    table = study.summary(rows)
    assert list(table) == list(asked)
    assert [figures["motion obeyed: to the left"].value for figures in table.values()] == [0.0, 0.5, 1.0]
    line = next(line for line in study.markdown(table).splitlines() if "to the left" in line)
    assert "50" in line and "100" in line
