"""The training loop: it learns, stops, and goes on as if it had never stopped."""

import copy
import json
import math
from types import SimpleNamespace

import pytest
import torch
from accelerate import Accelerator
from torch import nn
from training_for_tests import PLAN, begin, loss, weights

from xattn_helpers.pocket.training import fit
from xattn_helpers.pocket.training.fit import LOG_EVERY, OutOfTime, Plan, Training


@pytest.fixture
def start(tmp_path):
    """Begins or resumes the training of a small network in a folder; always from the same first weights."""

    def start(folder="a", plan=PLAN):
        return begin(tmp_path / folder, plan)

    return start


def test_it_learns(start):
    plan = Plan(steps=300, batch=8, learning_rate=0.05, warmup=10, ema=0.9, weight_decay=0.0)
    network = start(plan=plan).run(loss)
    assert loss(network, 8) < 0.01


def test_the_result_is_ready_for_use(start):
    network = start().run(loss)
    assert not network.training and not any(weight.requires_grad for weight in network.parameters())


def test_out_of_time_saves_and_the_next_call_goes_on(start):
    with pytest.raises(OutOfTime, match="tiny: step 1 of 6"):
        start().run(loss, deadline=0)
    assert start().step == 1
    with pytest.raises(OutOfTime, match="tiny: step 2 of 6"):
        start().run(loss, deadline=0)


def test_a_run_with_interruptions_equals_one_without(start):
    whole = start("whole").run(loss)
    for _ in range(PLAN.steps - 1):
        with pytest.raises(OutOfTime):
            start("parts").run(loss, deadline=0)
    parts = start("parts").run(loss)  # the last step
    assert torch.equal(weights(whole), weights(parts))
    assert not torch.equal(weights(whole), weights(start("new").network))


def test_the_deadline_does_not_stop_what_is_done(start):
    finished = start(plan=Plan(steps=1, batch=4, learning_rate=0.1)).run(loss, deadline=0)
    assert not finished.training


def test_a_finished_training_is_not_repeated(start):
    first = weights(start().run(loss))
    assert torch.equal(weights(start().run(None)), first)  # no loss is asked for


def test_an_interrupted_save_leaves_the_old_checkpoint(start, monkeypatch):
    with pytest.raises(OutOfTime):
        start().run(loss, deadline=0)

    def half(state, file):
        file.write_bytes(b"half")
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(torch, "save", half)
        start().run(loss, deadline=0)
    assert start().step == 1


def test_the_learning_rate_warms_up_and_falls_as_half_a_cosine(start):
    training = start(plan=Plan(steps=10, batch=1, learning_rate=2.0, warmup=4))
    rates = []
    for training.step in (0, 2, 3, 5, 9):
        rates.append(training.learning_rate())
    root = math.sqrt(5)
    cosines = [1, (1 + root) / 4, None, 0, -math.cos(math.pi / 10)]  # of step/10 half turns
    assert rates[0] == pytest.approx(2 * 1 / 4)
    assert rates[1] == pytest.approx(2 * 3 / 4 * (1 + cosines[1]) / 2)
    assert rates[2] == pytest.approx(1 + math.cos(0.3 * math.pi))
    assert rates[3] == pytest.approx(1)
    assert rates[4] == pytest.approx(1 + cosines[4])


def test_the_optimizer_uses_the_learning_rate(start):
    """Adam's first step is as long as the learning rate, in each weight whose gradient is not zero."""
    training = start(plan=Plan(steps=10, batch=4, learning_rate=0.1, warmup=5, weight_decay=0.0))
    before = weights(training.network)
    training._update(loss)
    assert (weights(training.network) - before).abs().max().item() == pytest.approx(0.1 / 5, rel=1e-3)


def test_gradients_are_shortened_to_the_plan_s_norm(start):
    training = start(plan=Plan(steps=10, batch=4, learning_rate=0.1, max_norm=0.01))
    training._update(lambda network, batch: 1000 * loss(network, batch))
    norms = [weight.grad.square().sum() for weight in training.network.parameters()]
    assert sum(norms).sqrt().item() == pytest.approx(0.01, rel=1e-3)


def test_a_weight_that_the_loss_ignores_is_an_error(start):
    with pytest.raises(RuntimeError, match=r"the loss does not depend on a weight of shape \(2,\)"):
        start().run(lambda network, batch: network.weight.sum())  # and not on the bias


def test_the_weights_that_are_kept_are_averages(start):
    training, passed = start(plan=Plan(steps=3, batch=4, learning_rate=0.1, warmup=1, ema=0.999)), []
    average = weights(training.network)

    def remember(network, batch):
        passed.append(weights(training.network).clone())
        return loss(network, batch)

    network = training.run(remember)
    last = torch.load(training.checkpoint, weights_only=True)["network"]
    passed.append(torch.cat([weight.flatten() for weight in last.values()]).cpu())
    for decay, after in zip((0, 2 / 11, 3 / 12), passed[1:], strict=True):  # diffusers: (1 + n) / (10 + n) at first
        average = decay * average + (1 - decay) * after
    assert torch.allclose(weights(network), average, atol=1e-6)
    assert not torch.allclose(weights(network), passed[-1], atol=1e-4)


def test_the_curve_is_recorded_with_the_plan(start):
    plan = Plan(steps=2 * LOG_EVERY + 1, batch=4, learning_rate=0.1)
    training = start(plan=plan)
    training.run(loss)
    record = json.loads(training.checkpoint.with_suffix(".json").read_text())
    assert [step for step, _ in record["curve"]] == [LOG_EVERY, 2 * LOG_EVERY]
    assert record["curve"][0][1] > record["curve"][1][1] > 0
    assert record["step"] == plan.steps and record["plan"]["learning_rate"] == 0.1 and record["seconds"] > 0


def test_random_numbers_depend_on_the_seed_and_on_the_step(start):
    def draw(_, batch):
        drawn.append(torch.rand(1).item())
        return loss(_, batch)

    drawn = []
    for folder in ("one", "two"):
        with pytest.raises(OutOfTime):
            start(folder).run(draw, deadline=0)
    with pytest.raises(OutOfTime):
        start("two").run(draw, deadline=0)  # goes on with new ones
    assert drawn[0] == drawn[1] != drawn[2]


def test_the_network_given_is_the_one_that_is_trained(start):
    training = start()
    before = copy.deepcopy(training.network)
    assert training.run(loss) is training.network
    assert not torch.equal(weights(before), weights(training.network))


def test_checkpoints_are_saved_now_and_then(start, monkeypatch):
    monkeypatch.setattr(fit, "SAVE_EVERY", -1.0)
    training, steps = start(), []

    def remember(network, batch):
        if training.checkpoint.exists():
            steps.append(torch.load(training.checkpoint, weights_only=True)["step"])
        return loss(network, batch)

    training.run(remember)
    assert steps == [1, 2, 3, 4, 5]  # before steps 2 to 6


def test_the_seconds_of_all_parts_of_a_run_are_added(start, monkeypatch):
    clock = iter(range(0, 1000, 10))
    monkeypatch.setattr(fit, "time", SimpleNamespace(monotonic=lambda: float(next(clock))))
    with pytest.raises(OutOfTime):
        start().run(loss, deadline=0)
    first = start().seconds
    with pytest.raises(OutOfTime):
        start().run(loss, deadline=0)
    assert start().seconds == 2 * first > 0


def test_only_the_blocks_that_repeat_are_compiled(tmp_path):
    class TemporalConvLayer(nn.Linear):
        pass

    network = nn.Sequential(nn.Linear(3, 3), TemporalConvLayer(3, 2))
    training = Training("tiny", network, PLAN, tmp_path, Accelerator(), seed=0)
    training.compile()
    assert [module._compiled_call_impl is not None for module in training.working] == [False, True]
    assert all(module._compiled_call_impl is None for module in training.network)
