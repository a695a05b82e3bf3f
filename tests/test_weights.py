"""Which files of weights are read, what is said meanwhile, and that no pickle runs anything."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from models_for_tests import write_checkpoint

from xattn_helpers import load
from xattn_helpers.backbones import checkpoints

LAYOUTS = ("modelscope", "zeroscope", "stable-diffusion")


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """folder(layout): each checkpoint is written once."""
    root = tmp_path_factory.mktemp("weights")
    for layout in LAYOUTS:
        write_checkpoint(root / layout, layout)
    return lambda layout: root / layout


@pytest.fixture
def copy(saved, tmp_path):
    """A checkpoint folder that a test may break."""
    return shutil.copytree(saved("modelscope"), tmp_path / "copy")


@pytest.mark.parametrize("layout", ["modelscope", "zeroscope"])
@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_loading_pickles_says_nothing_and_runs_nothing(saved, layout, dtype, capfd, monkeypatch):
    read, asked = torch.load, []

    def record(file, **options):
        asked.append(options.get("weights_only"))
        return read(file, **options)

    monkeypatch.setattr(torch, "load", record)
    load(saved(layout), "cpu", dtype)
    assert capfd.readouterr() == ("", "")
    assert asked == [True] * 3  # network, autoencoder, text encoder


class Trap:
    """Unpickled, it leaves a file."""

    def __init__(self, file):
        self.file = file

    def __reduce__(self):
        return Path.touch, (self.file,)


@pytest.mark.parametrize("part", ["unet", "vae", "text_encoder"])
def test_a_pickle_that_would_run_something_is_refused(copy, part):
    for file in (copy / part).glob("*.bin"):
        torch.save({"trap": Trap(copy / "caught")}, file)
    with pytest.raises(OSError, match="could not be loaded"):
        load(copy, "cpu")
    assert not (copy / "caught").exists()


def test_safetensors_come_before_pickles(saved, tmp_path):
    folder = shutil.copytree(saved("stable-diffusion"), tmp_path / "copy")
    for file in folder.rglob("*.safetensors"):
        name = "pytorch_model.bin" if file.parent.name == "text_encoder" else "diffusion_pytorch_model.bin"
        file.with_name(name).write_bytes(b"no pickle at all")
    assert load(folder, "cpu").dtype == torch.float32


def test_licence_and_size_are_said_once(monkeypatch, capsys):
    monkeypatch.setattr(checkpoints, "TOLD", set())
    here = replace(checkpoints.CHECKPOINTS["modelscope"], source="nobody/no-such-text-to-video")
    monkeypatch.setitem(checkpoints.CHECKPOINTS, "modelscope", here)
    for _ in range(2):
        with pytest.raises(OSError, match="could not be loaded"):
            load("modelscope", "cpu")
    assert capsys.readouterr().out.count("CC-BY-NC-4.0") == 1
