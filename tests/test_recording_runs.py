"""Several runs in a capture, calls by hand, gradients, and solvers that call the network more than once a step."""

import pytest
import torch
from diffusers import HeunDiscreteScheduler
from models_for_tests import PATH, PROMPT, SITES, noise, run, tiny, with_solver

from xattn_helpers import Guidance, Swap, capture
from xattn_helpers.attention.processor import listening
from xattn_helpers.backbones.backbone import Call

# Runs


def test_each_run_of_a_capture_has_its_own_prompts_and_steps():
    with capture(tiny(), every_step=True) as attention:
        run(tiny(), steps=2)
        run(tiny(), "the big shark", steps=4, height=16)
    assert [recorded.prompts for recorded in attention.runs] == [(PROMPT,), ("the big shark",)]
    assert [len(recorded.steps) for recorded in attention.runs] == [2, 4]
    for recorded, word, options in zip(
        attention.runs, ("burger", "shark"), ({"steps": 2}, {"steps": 4, "height": 16}), strict=True
    ):
        with capture(tiny(), every_step=True) as alone:
            run(tiny(), recorded.prompts[0], **options)
        assert torch.equal(recorded.maps(word, step=-1), alone.maps(word, step=-1))
        assert torch.equal(recorded.maps(word), alone.maps(word))


@pytest.mark.parametrize(
    "question", [lambda a: a.maps("burger"), lambda a: a.steps, lambda a: a.probabilities("mid"), lambda a: a.prompts]
)
def test_asking_a_recording_of_several_runs_is_an_error_that_says_how_to_ask(question):
    with capture(tiny()) as attention:
        run(tiny(), steps=1)
        run(tiny(), steps=1)
    with pytest.raises(ValueError, match=r"2 runs were recorded: ask one of them, as attention.runs\[0\].maps"):
        question(attention)


def test_a_run_and_calls_by_hand_are_told_apart():
    model = tiny()
    with capture(model, every_step=True) as attention:
        run(model, steps=2)
        model.predict(noise(model), 500, model.encode([PROMPT]))
    assert [len(recorded.steps) for recorded in attention.runs] == [2, 1]
    assert [recorded.prompts for recorded in attention.runs] == [(PROMPT,), ()]


def test_the_prompts_of_sources_are_at_the_end():
    with capture(tiny()) as attention:
        run(tiny(), steps=1, edits=Swap("shark", "burger", source="a shark floats on the water"))
    assert attention.prompts == (PROMPT, "a shark floats on the water")
    assert attention.maps("shark", batch=1).shape == (3, 16, 16)


# Calls by hand


def test_a_call_by_hand_needs_its_prompt_for_words_only():
    model = tiny()
    text = model.encode([PROMPT])
    with capture(model) as attention:
        model.predict(noise(model), 500, text)
    assert attention.maps(2).shape == (3, 16, 16)
    with pytest.raises(ValueError, match=r"unknown; use capture\(model, prompt=…\)"):
        attention.maps("burger")
    with capture(model, prompt=PROMPT) as told:
        model.predict(noise(model), 500, text)
    assert torch.equal(told.maps("burger"), attention.maps(2))


def test_calls_by_hand_count_by_their_timesteps():
    model, text = tiny(), tiny().encode([PROMPT])
    with capture(model, every_step=True) as attention:
        for timestep, latents in ((900, noise(model)), (900, noise(model, seed=1)), (100, noise(model))):
            model.predict(latents, timestep, text)
    assert [(step.index, step.timestep) for step in attention.steps] == [(0, 900), (1, 100)]
    with capture(model) as last:
        model.predict(noise(model, seed=1), 900, text)
    assert torch.equal(attention.maps(2, step=0), last.maps(2))  # a later call of the same step replaces the earlier


# Gradients


@pytest.mark.parametrize("frames", [1, 3])
def test_gradients_reach_the_latents_of_every_frame(frames):
    model = tiny(frames)
    latents, text = noise(model).requires_grad_(), model.encode([PROMPT])
    with capture(model, gradients=True, prompt=PROMPT) as attention:
        model.predict(latents, 500, text)
    attention.maps("burger", cells=2).square().sum().backward()
    assert latents.grad.isfinite().all() and (latents.grad.abs().amax((0, 1, 3, 4)) > 0).all()


def test_without_gradients_no_graph_is_stored():
    model = tiny()
    latents, text = noise(model).requires_grad_(), model.encode([PROMPT])
    for heads in (False, True):
        with capture(model, heads=heads) as attention:
            model.predict(latents, 500, text)
        assert not attention.probabilities("mid").requires_grad


def test_what_guidance_looks_at_beforehand_is_not_recorded():
    """A guidance calls the network before the step does, at the same index and timestep."""
    for half in ("conditional", "both"):
        with capture(tiny(), half=half, every_step=True) as looked:
            clip = run(tiny(), steps=2, edits=Guidance("burger", PATH, strength=1e-30, schedule="always"))
        with capture(tiny(), half=half, every_step=True) as plain:
            run(tiny(), steps=2)
        assert looked.steps == plain.steps and len(clip.updates) == 2
        assert torch.equal(looked.maps("burger"), plain.maps("burger"))
    with capture(tiny(), every_step=True) as guided:
        clip = run(tiny(), steps=2, edits=Guidance("burger", PATH, schedule=lambda index, steps: index == 1))
    assert torch.equal(guided.maps("burger", step=0), plain.maps("burger", step=0))
    assert not torch.equal(guided.maps("burger", step=1), plain.maps("burger", step=1))
    assert len(clip.updates) == 1 and len(guided.steps) == 2
    with capture(tiny()) as attention:
        tiny().predict(noise(tiny()), 500, tiny().encode([PROMPT]), call=Call(gradient=True))
    assert attention.runs == []


# More and fewer calls than steps


def test_a_solver_that_calls_twice_a_step_counts_once_with_its_last_call():
    two, seen = with_solver(tiny(), HeunDiscreteScheduler), []

    class Watcher:
        edits = False

        def __call__(self, maps, site, call):
            if site.group == "mid":
                seen.append((call.index, maps[call.part("conditional")].mean(2)))

    with listening(two.backbone, Watcher()), capture(two, every_step=True) as attention:
        run(two, steps=3)
    assert [index for index, _ in seen] == [0, 0, 1, 1, 2]
    assert [step.index for step in attention.steps] == [0, 1, 2]
    for step, number in ((0, 1), (1, 3), (2, 4)):
        assert torch.equal(attention.probabilities("mid", step)[:, :, 0], seen[number][1])


def test_a_site_that_a_stopped_pass_did_not_reach_is_averaged_over_its_own_steps():
    model, text = tiny(), tiny().encode([PROMPT])

    class Enough(Exception):
        pass

    def stop(*_):
        raise Enough

    with capture(model, every_step=True) as attention:
        model.predict(noise(model), 900, text)
        handle = model.network.up_blocks[0].register_forward_pre_hook(stop)
        with pytest.raises(Enough):
            model.predict(noise(model), 100, text)
        handle.remove()
    total = attention.probabilities("up_blocks.2.attentions.0").sum(-1)
    assert torch.allclose(total, torch.ones_like(total), atol=1e-5)
    with pytest.raises(ValueError, match="step=1: the run did not reach up_blocks.2.attentions.0"):
        attention.probabilities("up_blocks.2.attentions.0", step=1)
    assert attention.maps(2, group="down", step=1).shape == (3, 16, 16)
    assert len(attention.sites()) == SITES
