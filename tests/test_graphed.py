"""Gradient passes that become a CUDA graph: a stand-in here, and on a GPU the real thing."""

from contextlib import nullcontext

import pytest
import torch
from models_for_tests import PATH, PROMPT, tiny
from steering_for_tests import TIMESTEP, begun, close, image_noise, level

from xattn_helpers import Guidance, capture, generate, load
from xattn_helpers.edits import graphs
from xattn_helpers.edits.graphs import Graphed


class StandIn(Graphed):
    """Records nothing, and when it is called runs the function again, with what was given to it, as a graph would."""

    count = 0

    def __init__(self, run, inputs, facts=()):
        type(self).count += 1
        self.run, self.facts = run, [tensor.clone() for tensor in facts]

    def __call__(self, *inputs):
        return self.run(*inputs, *self.facts)


@pytest.fixture
def stand_in(monkeypatch):
    monkeypatch.setattr(StandIn, "count", 0)
    monkeypatch.setattr(graphs, "Graphed", StandIn)
    graphs.forget()
    yield StandIn
    graphs.forget()


def test_a_replay_reads_new_inputs_and_hands_out_tensors_of_its_own(monkeypatch):
    class Graph:
        """What the GPU does: the same kernels, from and into the same memory."""

        def replay(self):
            graphed.outputs[0].copy_(graphed.inputs[0] + graphed.inputs[1])

    monkeypatch.setattr(torch.cuda, "CUDAGraph", Graph)
    monkeypatch.setattr(torch.cuda, "graph", lambda graph: nullcontext())
    inputs = torch.tensor(1.0), torch.tensor(10.0)
    graphed = Graphed(lambda first, second: (first + second,), inputs)
    (first,), (second,) = graphed(torch.tensor(2.0), torch.tensor(20.0)), graphed(*inputs)
    assert (float(first), float(second)) == (22, 11) and [float(tensor) for tensor in inputs] == [1, 10]


def test_what_cannot_be_recorded_says_so(monkeypatch):
    def run(tensor):
        raise RuntimeError("operation not permitted when stream is capturing")

    monkeypatch.setattr(torch.cuda, "CUDAGraph", object)
    monkeypatch.setattr(torch.cuda, "graph", lambda graph: nullcontext())
    with pytest.raises(RuntimeError, match="graphed=True: this pass cannot become a graph, .*operation not permitted"):
        Graphed(run, [torch.zeros(1)])


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
        held.append(steering._graph.graph is not None)
    assert stand_in.count == 1 and held == [True, False, False, False]


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("memory", ["spend", "save"])
def test_a_graphed_run_makes_the_same_clip(memory):
    model, latents = load("pocket"), []
    for knobs in ({}, {"graphed": True, "memory": memory}):
        guidance = Guidance("burger", PATH, **knobs)
        latents.append(generate(model, PROMPT, edits=guidance, progress=False).latents)
    torch.testing.assert_close(*latents, atol=0.05, rtol=0.05)
