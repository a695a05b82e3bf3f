"""Runs with all kinds of solvers: seeds, what the gradient pass sees, what is counted as a step."""

from dataclasses import replace

import pytest
import torch
from diffusers import (
    DDIMScheduler,
    DPMSolverMultistepScheduler,
    EulerAncestralDiscreteScheduler,
    EulerDiscreteScheduler,
    FlowMatchEulerDiscreteScheduler,
    HeunDiscreteScheduler,
    KDPM2DiscreteScheduler,
    LCMScheduler,
    PNDMScheduler,
    UniPCMultistepScheduler,
)
from models_for_tests import PATH, PROMPT, tiny, with_solver
from transformers_for_tests import tiny_transformer

from xattn_helpers import Guidance, capture, generate
from xattn_helpers.backbones.model import Model
from xattn_helpers.backbones.noise import Noise

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of numpy, within diffusers

FLOW = {"prediction_type": "flow_prediction", "use_flow_sigmas": True, "flow_shift": 3.0}
SDE = {"algorithm_type": "sde-dpmsolver++"}
CHURN = {"stochastic_sampling": True}
STOCHASTIC = [
    (EulerAncestralDiscreteScheduler, {}), (DPMSolverMultistepScheduler, SDE), (LCMScheduler, {}),
    (FlowMatchEulerDiscreteScheduler, CHURN),
]  # fmt: skip
SOLVERS = [
    (DPMSolverMultistepScheduler, {}), (EulerDiscreteScheduler, {}), (HeunDiscreteScheduler, {}),
    (KDPM2DiscreteScheduler, {}), (PNDMScheduler, {"skip_prk_steps": True}), (UniPCMultistepScheduler, {}),
    (UniPCMultistepScheduler, FLOW), (DDIMScheduler, {"clip_sample": False}),
    (FlowMatchEulerDiscreteScheduler, {"shift": 3.0}), *STOCHASTIC,
]  # fmt: skip
NAMES = [f"{kind.__name__.removesuffix('Scheduler')}{'-'.join(settings)}" for kind, settings in SOLVERS]


def model_with(kind, settings):
    """Flow matching is that of a transformer; its sizes are as small as they may be."""
    if settings is FLOW or kind is FlowMatchEulerDiscreteScheduler:
        return replace(tiny_transformer("wan"), noise=Noise(kind(**settings)))
    model = with_solver(tiny(), kind, **settings)
    return replace(model, defaults=replace(model.defaults, frames=2, height=16, width=16))


@pytest.fixture(params=SOLVERS, ids=NAMES)
def model(request):
    return model_with(*request.param)


def run(model, prompt=PROMPT, **options):
    return generate(model, prompt, **({"seed": 3, "steps": 4, "progress": False} | options))


def test_the_same_seed_is_the_same_clip_alone_and_in_a_batch(model):
    alone = run(model)
    assert torch.equal(alone.latents, run(model).latents) and alone.latents.isfinite().all()
    batch = run(model, ["the shark", PROMPT, PROMPT], seed=[3, 3, 4])
    torch.testing.assert_close(batch[1].latents, alone.latents, atol=1e-3, rtol=1e-4)
    assert (batch[2].latents - alone.latents).abs().max() > 0.1


@pytest.mark.parametrize(("kind", "settings"), STOCHASTIC, ids=[kind.__name__ for kind, _ in STOCHASTIC])
def test_solvers_that_draw_noise_draw_from_the_seed_and_not_from_torchs_state(kind, settings):
    model = model_with(kind, settings)
    torch.manual_seed(0)
    clip, before = run(model), torch.get_rng_state()
    torch.manual_seed(1)
    assert torch.equal(run(model).latents, clip.latents)
    torch.manual_seed(0)
    assert torch.equal(torch.get_rng_state(), before)


class Inputs:
    """What the network is given, by whether a gradient is wanted."""

    def __init__(self, monkeypatch):
        self.gradient, self.step = [], []
        predict = Model.predict

        def noted(model, latents, timestep, *rest, call=None, **options):
            facts = call or rest[-1]
            seen = self.gradient if facts.gradient else self.step
            seen.append((facts.index, float(timestep), latents.detach().clone()))
            return predict(model, latents, timestep, *rest, **({"call": call} if call else {}), **options)

        monkeypatch.setattr(Model, "predict", noted)


def test_the_gradient_pass_sees_the_input_of_the_steps_own_call(model, monkeypatch):
    """A step of no length leaves the latents as they are, and so the two inputs must be equal."""
    inputs = Inputs(monkeypatch)
    clip = run(model, edits=Guidance("burger", PATH, strength=1e-30, schedule="always"))
    first = {}
    for index, timestep, latents in inputs.step:
        first.setdefault(index, (timestep, latents))
    assert [index for index, _, _ in inputs.gradient] == list(first) == [0, 1, 2, 3]
    for index, timestep, latents in inputs.gradient:
        wanted_timestep, wanted = first[index]
        assert timestep == pytest.approx(wanted_timestep)
        torch.testing.assert_close(latents, wanted, atol=1e-5, rtol=1e-5)
    assert [update.step for update in clip.updates] == [0, 1, 2, 3]
    assert torch.equal(clip.latents, run(model).latents)


def test_an_update_means_the_same_for_every_solver(model):
    """The step is made at what the network sees, of the length that its level of noise says."""
    clip = run(model, edits=Guidance("burger", PATH, strength=0.5, schedule=lambda index, steps: index == 0))
    level = model.noise.solver(4).level(0)
    share = level.sigma / (level.alpha**2 + level.sigma**2) ** 0.5
    assert share > 0.95 and len(clip.updates) == 1
    assert clip.updates[0].change > 0.5 * share  # the largest of changes whose root mean square is that
    assert all(0 <= energy <= 1 for energy in clip.updates[0].energy)


def test_steps_are_counted_and_not_calls(model):
    calls = []
    with capture(model, every_step=True) as attention:
        run(model, edits=Guidance("burger", PATH, schedule=lambda index, steps: calls.append(index) or False))
    assert [step.index for step in attention.steps] == [0, 1, 2, 3]
    assert sorted(set(calls)) == [0, 1, 2, 3]
    assert attention.maps("burger", step=3).isfinite().all()


def test_recording_changes_nothing_with_any_solver(model):
    with capture(model, heads=True, half="both"):
        recorded = run(model)
    assert torch.equal(recorded.latents, run(model).latents)
