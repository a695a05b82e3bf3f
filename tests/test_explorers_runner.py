"""What buttons do: a run in a thread of its own that says how far it is, can be stopped, and waits for others."""

import threading
import time

import numpy as np
import pytest
import torch
from diffusers import DDIMScheduler
from models_for_tests import PROMPT, noise, tiny, with_solver

from xattn_helpers.display.explorers import AttentionExplorer, BiasExplorer, PathDrawer, SwapExplorer, TrackExplorer
from xattn_helpers.display.explorers.progress import LARGEST, WAITING, Progress
from xattn_helpers.display.explorers.runner import STOPPED
from xattn_helpers.sampling import Step, denoise

EXPLORERS = [AttentionExplorer, BiasExplorer, PathDrawer, SwapExplorer, TrackExplorer]


@pytest.fixture
def slow(monkeypatch):
    """Each step waits for a permit: `slow.release()` lets one go."""
    permits, watch = threading.Semaphore(0), Progress.watch

    def held(self, step):
        permits.acquire(timeout=20)
        watch(self, step)

    monkeypatch.setattr(Progress, "watch", held)
    return permits


def until(condition):
    for _ in range(1000):
        if condition():
            return
        time.sleep(0.02)
    raise AssertionError("it did not come")


def begin(explorer, slow):
    """Click Run, and let the first step go."""
    explorer.run_button.click()
    slow.release()
    until(lambda: explorer.progress.bar.value == 1)


@pytest.mark.parametrize("explorer", EXPLORERS)
def test_a_run_stops_after_the_step_and_can_begin_again(model, calls, slow, explorer):
    explorer = explorer(model)
    begin(explorer, slow)
    assert explorer.run_button.disabled and not explorer.stop_button.disabled and explorer.is_running
    explorer.stop_button.click()
    slow.release()
    explorer.wait()
    assert explorer.message.value == STOPPED and explorer.clip is None
    assert not explorer.run_button.disabled and explorer.stop_button.disabled
    assert explorer.progress.layout.display == "none"
    for _ in range(20):
        slow.release()
    explorer.run()
    assert explorer.clip is not None and "Stopped" not in explorer.message.value


def test_while_it_runs_it_says_how_far_it_is_and_shows_a_preview(model, slow):
    explorer = PathDrawer(model)
    begin(explorer, slow)
    progress = explorer.progress
    assert progress.layout.display == "" and progress.bar.max == 2 * model.defaults.steps
    until(lambda: progress.preview.value[:4] == b"\x89PNG")
    assert progress.note.value.startswith(f"step 1 of {progress.bar.max}, about ")
    for _ in range(20):
        slow.release()
    explorer.wait()
    assert progress.bar.value == progress.bar.max and "Running" not in explorer.message.value


def test_a_second_click_does_nothing(model, calls, slow):
    explorer = AttentionExplorer(model, PROMPT)
    for _ in range(3):
        explorer.run_button.click()
    explorer.run()
    for _ in range(20):
        slow.release()
    explorer.wait()
    assert len(calls) == model.defaults.steps


def test_the_clip_is_that_of_the_controls_when_the_run_began(model, slow):
    explorer = AttentionExplorer(model, PROMPT)
    explorer.run_button.click()
    until(lambda: explorer.is_running)
    slow.release()
    until(lambda: explorer.progress.bar.value == 1)
    explorer.seed.value = 5
    for _ in range(20):
        slow.release()
    explorer.wait()
    assert explorer.clip.seed == 0 and not explorer.is_current() and "have changed" in explorer.message.value


def test_two_explorers_of_one_model_wait_for_each_other(model, slow):
    first, second = AttentionExplorer(model, PROMPT), SwapExplorer(model)
    begin(first, slow)
    second.run_button.click()
    until(lambda: second.progress.note.value == WAITING)
    for _ in range(40):
        slow.release()
    first.wait()
    second.wait()
    assert first.clip is not None and second.clip is not None


def test_an_explorer_that_waits_can_be_stopped(model, slow):
    first, second = AttentionExplorer(model, PROMPT), SwapExplorer(model)
    begin(first, slow)
    second.run_button.click()
    until(lambda: second.progress.note.value == WAITING)
    second.stop_button.click()
    second.wait()
    assert second.message.value == STOPPED and second.clip is None and first.is_running
    for _ in range(20):
        slow.release()
    first.wait()


@pytest.mark.parametrize("prediction", ["epsilon", "v_prediction", "sample"])
def test_the_preview_is_the_clip_that_the_prediction_means(prediction):
    """Of the noise that was really added, the network's input is made into the very latents that it was added to."""
    model = with_solver(tiny(), DDIMScheduler, prediction_type=prediction)
    clean, added, level = noise(model, seed=1), noise(model, seed=2), model.noise.level(500)
    inputs = level.alpha * clean + level.sigma * added
    told = {"epsilon": added, "v_prediction": level.alpha * added - level.sigma * clean, "sample": clean}
    progress = Progress(model)
    step = Step(0, 500, inputs, told[prediction], inputs, level)
    for share, frame in ((0.0, 0), (1.0, 2)):
        progress.share = share
        wanted = model.decode(clean[:, :, frame : frame + 1]).numpy()[0, 0]
        assert np.abs(progress._preview(step).astype(int) - wanted).max() <= 1


def test_the_preview_of_a_large_clip_is_small():
    model = tiny()
    latents = noise(model, height=64, width=96)
    step = Step(0, 500, latents, latents, latents, model.noise.level(500))
    height, width, _ = Progress(model)._preview(step).shape
    assert (height, width) == (2 * 64 // 3, 2 * 96 // 3) and width <= 2 * LARGEST


def test_a_watched_run_is_the_same_and_is_told_each_step(model):
    from xattn_helpers import generate

    steps = []
    watched = generate(model, PROMPT, seed=0, progress=False, watch=steps.append)
    alone = generate(model, PROMPT, seed=0, progress=False)
    assert torch.equal(watched.latents, alone.latents)
    assert [step.index for step in steps] == list(range(model.defaults.steps))
    assert torch.equal(steps[-1].latents[0], alone.latents)
    text, negative = model.encode(PROMPT), model.encode("")
    loop = denoise(model, noise(model), text, negative, 3, 4.0)
    first = next(loop)
    assert torch.equal(first.inputs, noise(model)) and first.level == model.noise.solver(3).level(0)
