"""Files of earlier runs of the training program: used where they are of the same run, named where they cannot be."""

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import MagicMock

import pytest
import torch
from accelerate import Accelerator
from torch import nn

from xattn_helpers.pocket.training import __main__ as program
from xattn_helpers.pocket.training import stored
from xattn_helpers.pocket.training.config import TrainConfig
from xattn_helpers.pocket.training.fit import OutOfTime, Plan, Training
from xattn_helpers.pocket.training.latents import encode_stories
from xattn_helpers.pocket.training.stored import UnusableFile
from xattn_helpers.pocket.training.trainer import Trainer

PLAN = Plan(steps=3, batch=4, learning_rate=0.1)


def loss(network, batch):
    return network(torch.ones(batch, 3)).square().mean()


def train(folder, plan=PLAN, seed=0, deadline=float("inf"), network=None, accelerator=None):
    torch.manual_seed(0)
    accelerator = accelerator or Accelerator(cpu=True)
    training = Training("tiny", network or nn.Linear(3, 2), plan, folder, accelerator, seed)
    return training.run(loss, deadline)


@pytest.mark.parametrize("deadline", [float("inf"), 0], ids=["finished", "begun"])
@pytest.mark.parametrize(("knob", "value"), [("steps", 6), ("batch", 8), ("learning_rate", 0.2), ("seed", 1)])
def test_a_checkpoint_with_another_knob_is_not_taken_for_the_new_run(tmp_path, knob, value, deadline):
    try:
        train(tmp_path, deadline=deadline)
    except OutOfTime:
        assert deadline == 0
    before = (vars(PLAN) | {"seed": 0})[knob]
    message = f"{tmp_path / 'tiny.pt'} is of a run with {knob}={before}, and {knob}={value} is asked for"
    knobs = {"seed": value} if knob == "seed" else {"plan": replace(PLAN, **{knob: value})}
    with pytest.raises(UnusableFile) as refusal:
        train(tmp_path, **knobs)
    assert message in str(refusal.value) and "delete the file to train anew" in str(refusal.value)
    (tmp_path / "tiny.pt").unlink()
    train(tmp_path, **knobs)


def test_a_checkpoint_from_before_knobs_were_kept_is_used(tmp_path):
    train(tmp_path)
    state = torch.load(tmp_path / "tiny.pt", weights_only=True)
    del state["knobs"]
    torch.save(state, tmp_path / "tiny.pt")
    train(tmp_path, replace(PLAN, batch=2))


def cut(file):
    file.write_bytes(file.read_bytes()[:-100])


def empty(file):
    file.write_bytes(b"")


def forget(file):
    state = torch.load(file, weights_only=True)
    del state["optimizer"]
    torch.save(state, file)


@pytest.mark.parametrize("damage", [cut, empty, forget, lambda file: file.write_text("no checkpoint")])
def test_a_damaged_checkpoint_is_named_with_what_to_delete(tmp_path, damage):
    train(tmp_path)
    damage(tmp_path / "tiny.pt")
    with pytest.raises(UnusableFile) as refusal:
        train(tmp_path)
    assert str(refusal.value).startswith(f"{tmp_path / 'tiny.pt'} cannot be read") and "delete it" in str(refusal.value)


def test_a_checkpoint_of_another_network_is_named(tmp_path):
    train(tmp_path)
    with pytest.raises(UnusableFile, match=r"tiny.pt cannot be read \(RuntimeError: Error\(s\) in loading"):
        train(tmp_path, network=nn.Linear(3, 4))


@pytest.mark.parametrize("damage", [empty, lambda file: torch.save({"latents": torch.zeros(1)}, file)])
def test_damaged_latents_are_named(tmp_path, damage):
    damage(tmp_path / "latents.pt")
    with pytest.raises(UnusableFile, match=r"latents.pt cannot be read .*delete it"):
        encode_stories(MagicMock(), MagicMock(), 1, 0, "cpu", tmp_path / "latents.pt")


def test_a_damaged_note_is_named(tmp_path):
    (tmp_path / "training.json").write_text(json.dumps({"t2i": {}})[:-3])
    trainer = Trainer(TrainConfig(out=tmp_path, work=tmp_path))
    with pytest.raises(UnusableFile, match=r"training.json cannot be read \(JSONDecodeError"):
        trainer._note(MagicMock())


def test_the_command_says_it_in_a_sentence(tmp_path, monkeypatch):
    trainer = MagicMock()
    trainer.return_value.run.side_effect = UnusableFile("a.pt cannot be read.")
    monkeypatch.setattr(program, "Trainer", trainer)
    monkeypatch.setattr("sys.argv", f"train --out {tmp_path}".split())
    with pytest.raises(SystemExit, match=r"^a.pt cannot be read.$"):
        program.main()


def test_an_interrupted_save_leaves_what_was_there(tmp_path, monkeypatch):
    file = tmp_path / "new" / "a.pt"
    stored.save({"step": 1}, file)

    def half(state, path):
        Path(path).write_bytes(b"half")
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(torch, "save", half)
        stored.save({"step": 2}, file)
    assert stored.load(file, torch.device("cpu")) == {"step": 1}


def test_one_of_several_processes_on_a_cpu_goes_on(tmp_path):
    """Their device is called cpu:0, of which torch.load knows nothing."""
    with pytest.raises(OutOfTime):
        train(tmp_path, deadline=0)
    whole = Accelerator(cpu=True)
    process = SimpleNamespace(
        device=torch.device("cpu", 0), is_main_process=True, num_processes=1, process_index=0, reduce=whole.reduce
    )
    network = train(tmp_path, accelerator=process)
    assert torch.equal(network.weight, train(tmp_path / "whole").weight)


@pytest.mark.parametrize(("rank", "gpu", "on_cpu"), [("1", False, True), ("1", True, False), (None, False, False)])
def test_several_processes_without_a_gpu_know_of_one_another(tmp_path, monkeypatch, rank, gpu, on_cpu):
    accelerator = MagicMock()
    monkeypatch.setattr("xattn_helpers.pocket.training.trainer.Accelerator", accelerator)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: gpu)
    monkeypatch.delenv("LOCAL_RANK", raising=False)
    if rank:
        monkeypatch.setenv("LOCAL_RANK", rank)
    Trainer(TrainConfig(out=tmp_path, work=tmp_path))
    accelerator.assert_called_once_with(cpu=on_cpu)
