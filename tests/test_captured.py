"""CUDA graphs of the gradient pass: the bookkeeping with a stand-in on the CPU, and on a GPU the real thing."""

from contextlib import nullcontext

import pytest
import torch
from models_for_tests import PATH, PROMPT, begun, noise, tiny

from xattn_helpers import backward, generate, load
from xattn_helpers.attention import controlled
from xattn_helpers.backward import Guidance
from xattn_helpers.captured import Captured


class StandIn(Captured):
    """Captures nothing, and when it is called runs the function again, as a graph would."""

    count = 0

    def __init__(self, run, *inputs):
        type(self).count += 1
        self.run = run

    def __call__(self, *inputs):
        return self.run(*inputs)


@pytest.fixture
def stand_in(monkeypatch):
    monkeypatch.setattr(StandIn, "count", 0)
    monkeypatch.setattr(backward, "Captured", StandIn)
    return StandIn


def as_on_a_gpu() -> Guidance:
    guidance = begun()
    guidance.cuda_graph = True  # begin refuses it on a CPU
    return guidance


def test_a_replay_reads_new_inputs_and_hands_out_tensors_of_its_own(monkeypatch):
    class Graph:
        """What the GPU does: the same kernels, from and into the same memory."""

        def replay(self):
            captured.outputs[0].copy_(captured.inputs[0] + captured.inputs[1])

    monkeypatch.setattr(torch.cuda, "CUDAGraph", Graph)
    monkeypatch.setattr(torch.cuda, "graph", lambda graph: nullcontext())
    given = torch.tensor(1.0), torch.tensor(10.0)
    captured = Captured(lambda one, other: (one + other,), *given)
    first, second = captured(torch.tensor(2.0), torch.tensor(20.0))[0], captured(*given)[0]
    assert (float(first), float(second)) == (22, 11) and [float(one) for one in given] == [1, 10]


def test_what_cannot_be_captured_says_so(monkeypatch):
    def run(one):
        raise RuntimeError("operation not permitted when stream is capturing")

    monkeypatch.setattr(torch.cuda, "CUDAGraph", object)
    monkeypatch.setattr(torch.cuda, "graph", lambda graph: nullcontext())
    with pytest.raises(RuntimeError, match="cuda_graph=True: this pass cannot be captured, .* .operation not"):
        Captured(run, torch.zeros(1))


def test_the_first_pass_runs_and_the_second_is_captured_once(stand_in):
    guidance, latents = as_on_a_gpu(), noise(tiny())
    wanted = guidance.gradient(latents, 500)
    assert stand_in.count == 0, "the first pass finds the last layer"
    for timestep in (500, torch.tensor(500)):
        for one, other in zip(guidance.gradient(latents, timestep), wanted, strict=True):
            torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-3)
    assert stand_in.count == 1


def test_while_others_look_at_the_attention_nothing_is_captured(stand_in):
    guidance, latents = as_on_a_gpu(), noise(tiny())
    guidance.gradient(latents, 500)
    with controlled(tiny(), lambda probabilities, layer, step: probabilities):
        guidance.gradient(latents, 500)
    assert stand_in.count == 0


def test_after_the_last_guided_step_the_graph_is_given_up(stand_in):
    guidance, latents, held = as_on_a_gpu(), noise(tiny()), []
    guidance.repeats = 2  # the second pass is captured
    for index, timestep in enumerate((999, 700, 400, 100)):  # of four steps the first two are guided
        guidance.update(latents, index, torch.tensor(timestep), tiny().scheduler)
        held.append(guidance._captured is not None)
    assert stand_in.count == 1 and held == [True, False, False, False]


def test_without_a_gpu_it_is_refused():
    with pytest.raises(ValueError, match="cuda_graph=True needs a CUDA GPU; the model is on cpu"):
        generate(tiny(), PROMPT, progress=False, guidance=Guidance("burger", PATH, cuda_graph=True))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("checkpoint_blocks", [False, True])
def test_a_captured_run_makes_the_same_clip(checkpoint_blocks):
    model, prompt = load("pocket"), "a burger floats on the water"
    knobs = {}, {"cuda_graph": True, "checkpoint_blocks": checkpoint_blocks}
    one, other = (
        generate(model, prompt, progress=False, guidance=Guidance("burger", PATH, **some)).latents for some in knobs
    )
    torch.testing.assert_close(one, other, atol=0.05, rtol=0.05)
