"""Gradient passes that end early, save memory, or become a CUDA graph: a stand-in here, and on a GPU the real thing."""

from contextlib import nullcontext
from functools import partial

import pytest
import torch
from models_for_tests import PATH, PROMPT, noise, tiny
from steering_for_tests import TIMESTEP, begun, image_noise, level

from xattn_helpers import Guidance, capture, generate, load
from xattn_helpers.attention.processor import listening
from xattn_helpers.edits import steering as steering_module
from xattn_helpers.edits.gradient import STAGES, Graphed, probed


def close(first, second):
    for tensor, wanted in zip(first, second, strict=True):
        torch.testing.assert_close(tensor, wanted, atol=1e-5, rtol=1e-3)


def test_a_probe_has_the_maps_of_its_sites_and_only_these():
    model, latents = tiny(1), image_noise()
    sites = [site for site in model.sites if site.group != "up"]
    predict = partial(model.predict, latents, TIMESTEP, model.encode(PROMPT))
    with torch.no_grad(), capture(model, group=("down", "mid"), heads=True, prompt=PROMPT) as attention:
        with probed(model.backbone, sites, predict) as maps:
            assert list(maps) == [site.name for site in sites]
    for site in sites:
        assert torch.equal(maps[site.name], attention.probabilities(site))


def test_what_goes_wrong_in_a_pass_is_told():
    def predict():
        raise ValueError("wrong")

    with pytest.raises(ValueError, match="wrong"):
        with probed(tiny(1).backbone, tiny(1).sites, predict):
            pass


# Checkpointing


@pytest.mark.parametrize("frames", [1, 3])
def test_checkpointing_changes_no_gradient_and_restores_the_model(frames):
    model = tiny(frames)
    plain, saving = (begun(model=model, memory=memory) for memory in ("spend", "save"))
    close(saving.gradient(noise(model), TIMESTEP), plain.gradient(noise(model), TIMESTEP))
    assert not any("forward" in vars(stage) for stage in model.backbone.stages())


def test_under_checkpointing_stages_run_twice_and_not_to_the_end():
    steering, network, ran = begun(memory="save", cells=2, groups="down", model=tiny(1)), tiny(1).network, []
    handles = [
        network.down_blocks[1].resnets[0].register_forward_hook(lambda *_: ran.append("down")),
        network.mid_block.resnets[0].register_forward_hook(lambda *_: ran.append("mid")),
    ]
    try:
        steering.gradient(image_noise(), TIMESTEP)
    finally:
        for handle in handles:
            handle.remove()
    assert ran == ["down", "down"]


def test_what_checkpointing_computes_again_is_recorded_once():
    counts = []

    class Counting:
        edits = False

        def __call__(self, maps, site, call):
            counts.append((site.name, call.gradient))

    steering = begun(memory="save", cells=2, groups="down", model=tiny(1))
    with listening(tiny(1).backbone, Counting(), steering.sites), capture(tiny(1), prompt=PROMPT) as attention:
        steering.gradient(image_noise(), TIMESTEP)
    assert counts == [(steering.sites[0].name, True)] * 2, "the pass, and again for the gradient"
    assert not attention.runs, "what guidance looks at is not what becomes of the clip"


def test_a_guided_clip_is_the_same_under_checkpointing():
    latents = []
    for memory in ("spend", "save"):
        guidance = Guidance("burger", PATH, memory=memory)
        latents.append(generate(tiny(1), PROMPT, steps=2, edits=guidance, progress=False).latents)
    torch.testing.assert_close(*latents, atol=1e-3, rtol=1e-3)


def test_what_saves_memory_is_over_with_its_pass():
    """While another thread guides, the stages are still prepared to be computed twice."""
    model, latents = tiny(1), image_noise()
    text = model.encode(PROMPT)
    with torch.no_grad():
        wanted = model.predict(latents, TIMESTEP, text)
        with STAGES.on(model.network, model.backbone.stages()):
            begun(memory="save", cells=2, groups="down", model=model).gradient(latents, TIMESTEP)
            assert torch.equal(model.predict(latents, TIMESTEP, text), wanted)


# Graphs


class StandIn(Graphed):
    """Records nothing, and when it is called runs the function again, as a graph would."""

    count = 0

    def __init__(self, run, *inputs):
        type(self).count += 1
        self.run = run

    def __call__(self, *inputs):
        return self.run(*inputs)


@pytest.fixture
def stand_in(monkeypatch):
    monkeypatch.setattr(StandIn, "count", 0)
    monkeypatch.setattr(steering_module, "Graphed", StandIn)
    return StandIn


def test_a_replay_reads_new_inputs_and_hands_out_tensors_of_its_own(monkeypatch):
    class Graph:
        """What the GPU does: the same kernels, from and into the same memory."""

        def replay(self):
            graphed.outputs[0].copy_(graphed.inputs[0] + graphed.inputs[1])

    monkeypatch.setattr(torch.cuda, "CUDAGraph", Graph)
    monkeypatch.setattr(torch.cuda, "graph", lambda graph: nullcontext())
    inputs = torch.tensor(1.0), torch.tensor(10.0)
    graphed = Graphed(lambda first, second: (first + second,), *inputs)
    (first,), (second,) = graphed(torch.tensor(2.0), torch.tensor(20.0)), graphed(*inputs)
    assert (float(first), float(second)) == (22, 11) and [float(tensor) for tensor in inputs] == [1, 10]


def test_what_cannot_be_recorded_says_so(monkeypatch):
    def run(tensor):
        raise RuntimeError("operation not permitted when stream is capturing")

    monkeypatch.setattr(torch.cuda, "CUDAGraph", object)
    monkeypatch.setattr(torch.cuda, "graph", lambda graph: nullcontext())
    with pytest.raises(RuntimeError, match="graphed=True: this pass cannot become a graph, .*operation not permitted"):
        Graphed(run, torch.zeros(1))


def test_the_first_pass_runs_and_the_second_is_recorded_once(stand_in):
    steering, plain, latents = begun(graphed=True, model=tiny(1)), begun(model=tiny(1)), image_noise()
    wanted = plain.gradient(latents, TIMESTEP)
    close(steering.gradient(latents, TIMESTEP), wanted)
    assert stand_in.count == 0, "a pass must be warm"
    for _ in range(2):
        close(steering.gradient(latents, TIMESTEP), wanted)
    close(steering.gradient(latents, 100.0), plain.gradient(latents, 100.0))
    assert stand_in.count == 1
    plain.gradient(latents, TIMESTEP)
    assert stand_in.count == 1, "nothing is recorded that was not asked for"


def test_while_somebody_looks_at_the_attention_nothing_is_recorded(stand_in):
    steering, latents = begun(graphed=True, model=tiny(1)), image_noise()
    steering.gradient(latents, TIMESTEP)
    with capture(tiny(1)):
        steering.gradient(latents, TIMESTEP)
    assert stand_in.count == 0
    with capture(tiny(3)):  # another network
        steering.gradient(latents, TIMESTEP)
    assert stand_in.count == 1


def test_after_the_last_guided_step_the_graph_is_given_up(stand_in):
    steering = begun(graphed=True, repeats=2, schedule="first half", model=tiny(1))  # the second pass is recorded
    held = []
    for index, timestep in enumerate((999.0, 700.0, 400.0, 100.0)):
        steering.update(image_noise(), level(timestep), index)
        held.append(steering._graph is not None)
    assert stand_in.count == 1 and held == [True, False, False, False]


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("memory", ["spend", "save"])
def test_a_graphed_run_makes_the_same_clip(memory):
    model, latents = load("pocket"), []
    for knobs in ({}, {"graphed": True, "memory": memory}):
        guidance = Guidance("burger", PATH, **knobs)
        latents.append(generate(model, PROMPT, edits=guidance, progress=False).latents)
    torch.testing.assert_close(*latents, atol=0.05, rtol=0.05)
