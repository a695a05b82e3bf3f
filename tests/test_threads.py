"""Threads on one model: each run is as it is alone, nobody hears another, and the network is restored."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
import torch
from models_for_tests import PATH, PROMPT, build_unet, noise, tiny
from transformers_for_tests import tiny_transformer

from xattn_helpers import Bias, Guidance, Swap, capture, generate
from xattn_helpers.attention.processor import STAND_INS, listening
from xattn_helpers.backbones.backbone import CALL, LISTENERS
from xattn_helpers.backbones.patching import UNCOMPILED
from xattn_helpers.backbones.temporal import frames_apart
from xattn_helpers.edits.saving import STAGES

SWAP = Swap("shark", "burger", source="a shark floats on the water")
GUIDANCE = Guidance("burger", PATH, memory="save")


def small():
    """A video model with sizes as small as they may be: threads are about order, not about size."""
    return replace(tiny(), defaults=replace(tiny().defaults, frames=2, height=16, width=16, steps=3))


@pytest.fixture(params=["unet", "wan", "ltx"])
def model(request):
    return small() if request.param == "unet" else tiny_transformer(request.param)


def plain(model, seed):
    return generate(model, PROMPT, seed, progress=False)


def captured(model, seed):
    with capture(model, heads=True, every_step=True, half="both") as attention:
        clip = generate(model, PROMPT, seed, progress=False)
    assert len(attention.steps) == model.defaults.steps and attention.prompts == (PROMPT,)
    clip.updates = tuple(attention.maps("burger", step=step) for step in range(len(attention.steps)))
    return clip


def swapped(model, seed):
    return generate(model, PROMPT, seed, edits=SWAP, progress=False)


def guided(model, seed):
    return generate(model, PROMPT, seed, edits=GUIDANCE, progress=False)


KINDS = (plain, captured, swapped, guided)


def state(network):
    """What may not stay changed: processors, and forwards that were set on modules."""
    processors = {name: id(processor) for name, processor in network.attn_processors.items()}
    forwards = {name for name, module in network.named_modules() if "forward" in vars(module)}
    return processors, forwards


def equal(first, second):
    """Bit for bit, what was recorded or updated included."""
    assert torch.equal(first.latents, second.latents) and (first.video == second.video).all()
    assert len(first.updates) == len(second.updates)
    for mine, yours in zip(first.updates, second.updates, strict=True):
        assert torch.equal(mine, yours) if isinstance(mine, torch.Tensor) else mine == yours
    if first.source:
        equal(first.source, second.source)


def test_eight_runs_of_four_kinds_in_four_threads_are_as_alone(model):
    before = state(model.network)
    jobs = [(kind, seed) for seed in (1, 2) for kind in KINDS]
    alone = [kind(model, seed) for kind, seed in jobs]
    assert not torch.equal(alone[0].latents, alone[2].latents) and alone[3].updates
    start = threading.Barrier(4)

    def work(job):
        kind, seed = job
        if seed == 1:
            start.wait(60)  # all four at once
        return kind(model, seed)

    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(work, jobs))
    for first, second in zip(alone, together, strict=True):
        equal(first, second)
    assert state(model.network) == before
    assert not any(patch.is_on(model.network) for patch in (STAND_INS, STAGES, UNCOMPILED))
    assert CALL.get() is None and LISTENERS.get() == ()


def test_a_capture_in_one_thread_hears_nothing_of_another():
    model, steps = small(), []
    with capture(model, every_step=True) as attention:
        thread = threading.Thread(target=lambda: steps.append(generate(model, "the shark", 5, progress=False)))
        thread.start()
        clip = generate(model, PROMPT, 1, progress=False)
        thread.join()
    assert len(attention.runs) == 1 and attention.prompts == (PROMPT,) and len(attention.steps) == 3
    assert torch.equal(clip.latents, plain(model, 1).latents)
    assert torch.equal(steps[0].latents, generate(model, "the shark", 5, progress=False).latents)


def test_an_edit_in_one_thread_changes_nothing_in_another():
    """While one thread is inside of a step, another begins and ends a whole run."""
    model, inside, done, clips = small(), threading.Event(), threading.Event(), []

    class Waiting:
        edits = True

        def __call__(self, maps, site, call):
            if not inside.is_set():
                inside.set()
                assert done.wait(60)
            return torch.full_like(maps, 1 / maps.shape[-1])

    def disturb():
        assert inside.wait(60)
        clips.append(generate(model, PROMPT, 1, edits=Bias("burger", PATH), progress=False))
        clips.append(plain(model, 1))
        done.set()

    thread = threading.Thread(target=disturb)
    thread.start()
    with listening(model.backbone, Waiting()):
        uniform = plain(model, 1)
    thread.join()
    assert torch.equal(clips[0].latents, generate(model, PROMPT, 1, edits=Bias("burger", PATH), progress=False).latents)
    assert torch.equal(clips[1].latents, plain(model, 1).latents)
    assert not torch.equal(uniform.latents, clips[1].latents)


def test_an_exception_in_one_thread_leaves_the_others_alone():
    model, wanted = small(), swapped(small(), 1)
    before = state(model.network)

    def fail(seed):
        with pytest.raises(ValueError, match="leaves no picture"):
            generate(model, PROMPT, seed, edits=Guidance("burger", PATH, strength=1e4, memory="save"), progress=False)

    with ThreadPoolExecutor(4) as pool:
        failing = [pool.submit(fail, seed) for seed in (1, 2)]
        swapping = [pool.submit(swapped, model, 1) for _ in range(2)]
        for job in failing:
            job.result()
        for job in swapping:
            equal(job.result(), wanted)
    assert state(model.network) == before


def test_frames_are_apart_in_one_thread_only():
    model, inside, done, apart = small(), threading.Event(), threading.Event(), []
    text, latents = model.encode([PROMPT]), noise(small())[:, :, :2]

    def work():
        with frames_apart(model):
            apart.append(model.predict(latents, 500, text))
            inside.set()
            assert done.wait(60)
            apart.append(model.predict(latents, 500, text))

    wanted = model.predict(latents, 500, text)
    thread = threading.Thread(target=work)
    thread.start()
    assert inside.wait(60)
    together = model.predict(latents, 500, text)
    done.set()
    thread.join()
    assert torch.equal(together, wanted) and torch.equal(apart[0], apart[1])
    assert (apart[0] - wanted).abs().max() > 1e-3
    with pytest.raises(ValueError, match="has no temporal layers"), frames_apart(tiny(1)):
        pass


def test_two_models_of_one_network_and_two_networks_do_not_meet():
    model = small()
    same = replace(model, defaults=replace(model.defaults, steps=2))
    other = replace(model)
    other.network = build_unet(True)
    with capture(model) as attention, capture(other) as elsewhere:
        plain(same, 1)
        plain(other, 1)
    assert [len(recorded.steps) for recorded in attention.runs] == [2]
    assert [len(recorded.steps) for recorded in elsewhere.runs] == [3]
