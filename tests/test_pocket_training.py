"""The training program: its configuration and its stages."""

import json
from functools import partial
from pathlib import Path
from unittest.mock import MagicMock

import pytest
import torch

from xattn_helpers.pocket import WEIGHTS
from xattn_helpers.pocket.training import __main__ as program
from xattn_helpers.pocket.training.config import TrainConfig
from xattn_helpers.pocket.training.fit import OutOfTime, Plan, Training
from xattn_helpers.pocket.training.stages import STAGES, Stage, check_needs
from xattn_helpers.pocket.training.stored import compact
from xattn_helpers.pocket.training.trainer import CURVE_POINTS, Trainer


@pytest.fixture
def rehearse(tmp_path):
    """Runs a trainer whose stages only note their names, and the first random number that they see."""

    def run(late=None, **knobs):
        ran = []

        def note(trainer, name):
            if name == late:
                raise OutOfTime(f"{name}: step 5 of 9")
            ran.append((name, torch.rand(1).item()))

        stages = [Stage(stage.name, partial(note, name=stage.name)) for stage in STAGES]
        Trainer(TrainConfig(out=tmp_path, work=tmp_path, **knobs), stages).run()
        return ran

    return run


# Configuration


def test_an_unknown_stage_is_named_with_the_possible_ones():
    with pytest.raises(ValueError, match=r"stages: \['t2x'\] given, possible are vae, detector, text, t2i, t2v, dit"):
        TrainConfig(stages=["vae", "t2x"])


def test_only_the_diffusion_models_go_on_from_their_weights():
    with pytest.raises(ValueError, match=r"go_on: \['vae'\] given, possible are t2i, t2v, dit"):
        TrainConfig(go_on=["t2i", "vae"])


def test_smoke_mode_stays_away_from_the_real_models_and_checkpoints():
    real, smoke = TrainConfig(), TrainConfig(smoke=True)
    assert real.out == WEIGHTS and not smoke.out.is_relative_to(WEIGHTS)
    assert smoke.work != real.work and smoke.work.is_relative_to(real.work)
    assert TrainConfig(smoke=True, out="elsewhere").out == Path("elsewhere")


def test_smoke_mode_makes_everything_small():
    config = TrainConfig(smoke=True)
    for name, value in vars(config).items():
        if name.endswith(("_steps", "_batch")):
            assert value <= 2, name
    assert config.clips == 4 and config.frame_clips == 64


def test_a_training_that_follows_time_needs_a_time():
    with pytest.raises(ValueError, match="dit_steps=0 trains for as long as minutes say, and minutes are not given"):
        TrainConfig(dit_steps=0)
    assert TrainConfig(dit_steps=0, minutes=9).dit_steps == 0


def test_the_command_line_reaches_the_configuration(monkeypatch, tmp_path):
    trainer = MagicMock()
    monkeypatch.setattr(program, "Trainer", trainer)
    monkeypatch.setattr("sys.argv", f"train --stages t2i t2v --seed 3 --out {tmp_path} --smoke".split())
    program.main()
    (config,) = trainer.call_args.args
    assert config.stages == ["t2i", "t2v"] and config.seed == 3 and config.out == tmp_path and config.smoke
    trainer.return_value.run.assert_called_once_with()


# Stages


def test_stages_run_in_their_own_order(rehearse):
    assert [name for name, _ in rehearse()] == ["vae", "detector", "text", "t2i", "t2v", "dit"]
    assert [name for name, _ in rehearse(stages=["t2v", "vae"])] == ["vae", "t2v"]


def test_every_stage_starts_from_the_seed(rehearse):
    numbers = {number for _, number in rehearse(seed=1)}
    assert len(numbers) == 1 and numbers != {number for _, number in rehearse(seed=2)}


def test_a_run_that_is_out_of_time_stops_and_says_so(rehearse, capsys):
    assert [name for name, _ in rehearse(late="detector", minutes=2)] == ["vae"]
    assert "stopped after 2 minutes: detector: step 5 of 9; the same command goes on" in capsys.readouterr().out


def test_every_stage_finds_what_it_needs_when_all_of_them_run(tmp_path):
    check_needs(STAGES, tmp_path)


def test_a_stage_whose_needs_nobody_makes_is_an_error_before_anything_runs(tmp_path):
    message = f"stage 'detector' needs 'vae', which is not in {tmp_path}; run stage 'vae' first"
    with pytest.raises(FileNotFoundError, match=message):
        Trainer(TrainConfig(out=tmp_path, work=tmp_path, stages=["text", "detector"])).run()
    assert not any(tmp_path.iterdir())
    with pytest.raises(FileNotFoundError, match="'t2v' needs 'unet_t2i', .* run stage 't2i' first"):
        check_needs([STAGES[0], STAGES[2], STAGES[4]], tmp_path)


def test_what_was_made_in_an_earlier_run_is_found(tmp_path):
    (tmp_path / "vae").mkdir()
    check_needs([STAGES[1]], tmp_path)


# Notes


def test_a_training_that_resumes_keeps_the_note_of_what_it_began_from(tmp_path):
    """Its own note, which it left when it was killed, is not one of another training."""

    def note(resumed):
        trainer = Trainer(TrainConfig(out=tmp_path, work=tmp_path, go_on=["dit"]))
        training = Training("dit", torch.nn.Linear(2, 2), Plan(1, 1, 0.1), tmp_path, trainer.accelerator, seed=0)
        training.resumed, training.step = resumed, training.step + 7
        trainer._note(training)
        trainer._note(training)  # each checkpoint notes
        return json.loads((tmp_path / "training.json").read_text())["dit"]

    first = note(resumed=False)
    second = note(resumed=False)
    assert first["before"] == [] and second["before"] == [first] and second["plan"]["steps"] == 7
    assert note(resumed=True)["before"] == [first]


def test_a_training_that_goes_on_keeps_the_note_of_the_one_before(tmp_path):
    def note(curve, **knobs):
        trainer = Trainer(TrainConfig(out=tmp_path, work=tmp_path, **knobs))
        training = Training("t2i", torch.nn.Linear(2, 2), Plan(1, 1, 0.1), tmp_path, trainer.accelerator, seed=0)
        training.curve = curve
        trainer._note(training)
        return json.loads((tmp_path / "training.json").read_text())["t2i"]

    first = note([[20, 0.5]])
    second = note([[20, 0.25]], go_on=["t2i"])
    assert first["before"] == [] and first["parameters"] == 6
    assert second["before"] == [first] and second["curve"] == [[20, 0.25]]
    long = note([[20 * step, 1.0] for step in range(10 * CURVE_POINTS)])
    assert long["before"] == [] and len(long["curve"]) == CURVE_POINTS  # anew, and thinned


def test_only_long_files_lose_their_white_space(tmp_path):
    index = {str(number): 1.0 for number in range(900)}
    contents = {"config.json": {"word": "é", "numbers": [1.5]}, "index.json": index}
    for name, content in contents.items():
        (tmp_path / name).write_text(json.dumps(content, indent=2))
    compact(tmp_path)
    for name, content in contents.items():
        text = (tmp_path / name).read_text()
        assert json.loads(text) == content and ("\n  " in text) == (name == "config.json")
    assert (tmp_path / "index.json").read_text().startswith('{"0":1.0,"1":1.0')
