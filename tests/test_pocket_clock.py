"""Trainings whose learning rate follows time, and what a killed one leaves."""

import math
from types import SimpleNamespace

import pytest
import torch
from training_for_tests import PLAN, begin, loss, weights

from xattn_helpers.pocket.training import clock as clocks
from xattn_helpers.pocket.training import fit
from xattn_helpers.pocket.training.fit import Plan


def test_the_learning_rate_may_be_held_and_end_above_zero(tmp_path):
    training = begin(tmp_path, Plan(steps=10, batch=1, learning_rate=2.0, warmup=1, hold=0.4, floor=0.1))
    rates = []
    for training.step in (0, 4, 7, 10):
        rates.append(training.learning_rate())
    assert rates == pytest.approx([2.0, 2.0, 2 * (0.1 + 0.9 / 2), 0.2])


def test_a_training_without_a_number_of_steps_follows_time(tmp_path, monkeypatch):
    """Ten seconds, one a reading of the clock; a run that is killed after four goes on where it was."""
    plan, rates, clock = Plan(steps=0, batch=4, learning_rate=1.0, warmup=1), [], iter(range(1000))
    monkeypatch.setattr(clocks, "time", SimpleNamespace(monotonic=lambda: float(next(clock))))

    def watch(network, batch):
        rates.append(training.learning_rate())
        if len(rates) == 5:
            training._save()
            raise KeyboardInterrupt
        return loss(network, batch)

    training = begin(tmp_path, plan)
    with pytest.raises(KeyboardInterrupt):
        training.run(watch, deadline=10)
    shares = [0, 0.2, 0.3, 0.4, 0.5]  # the clock is read when it is made, and after each step
    assert rates == pytest.approx([0.5 + 0.5 * math.cos(math.pi * share) for share in shares], abs=1e-6)
    training = begin(tmp_path, plan)
    assert training.resumed and training.done == pytest.approx(0.5)
    begun = next(clock) + 1
    training.run(watch, deadline=begun + 4)
    second = [0.5, 0.75, 0.875]
    assert rates[5:] == pytest.approx([0.5 + 0.5 * math.cos(math.pi * share) for share in second], abs=1e-6)


def test_each_checkpoint_gives_the_averaged_network_away(tmp_path, monkeypatch):
    monkeypatch.setattr(fit, "SAVE_EVERY", -1.0)
    training, kept = begin(tmp_path), []
    training.snapshot = lambda network: kept.append((network.training, weights(network)))
    network = training.run(loss)
    assert len(kept) == PLAN.steps + 1 and not any(training for training, _ in kept)  # after each step, and at the end
    assert torch.equal(kept[-1][1], weights(network)) and not torch.equal(kept[0][1], kept[-1][1])
