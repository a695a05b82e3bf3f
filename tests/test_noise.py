"""Shares of signal and noise against hand computations, and against what each scheduler of diffusers really does."""

import math

import diffusers
import numpy as np
import pytest
import torch
from diffusers import (
    DDIMScheduler,
    DPMSolverMultistepScheduler,
    FlowMatchEulerDiscreteScheduler,
    PNDMScheduler,
    UniPCMultistepScheduler,
)
from models_for_tests import SCHEDULE

from xattn_helpers.backbones.noise import Noise

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of numpy, within diffusers

UNIPC_FLOW = {"prediction_type": "flow_prediction", "use_flow_sigmas": True, "flow_shift": 3.0}


def schedule_by_hand():
    """abar of Stable Diffusion's schedule: betas are squares of a line."""
    betas = np.linspace(0.00085**0.5, 0.012**0.5, 1000) ** 2
    return np.cumprod(1 - betas)


# Levels by hand


@pytest.mark.parametrize("prediction", ["epsilon", "v_prediction", "sample"])
@pytest.mark.parametrize("timestep", [0, 1, 500, 999])
def test_diffusion_has_the_roots_of_abar(prediction, timestep):
    noise = Noise(DDIMScheduler(**SCHEDULE, prediction_type=prediction))
    level, abar = noise.level(torch.tensor(timestep)), schedule_by_hand()[timestep]
    assert level.alpha == pytest.approx(abar**0.5, rel=1e-4)
    assert level.sigma == pytest.approx((1 - abar) ** 0.5, rel=1e-4)
    assert (level.timestep, level.scale, noise.prediction, noise.is_flow) == (timestep, 1.0, prediction, False)


def test_between_two_timesteps_the_logarithm_of_noise_over_signal_is_a_line():
    noise, abar = Noise(DDIMScheduler(**SCHEDULE)), schedule_by_hand()
    for share in (0.25, 0.9):
        low, high = (math.log((1 - abar[t]) / abar[t]) / 2 for t in (300, 301))
        ratio = math.exp((1 - share) * low + share * high)  # sigma / alpha
        level = noise.level(300 + share)
        assert level.sigma / level.alpha == pytest.approx(ratio, rel=1e-4)
        assert level.alpha**2 + level.sigma**2 == pytest.approx(1)
    assert noise.level(300).sigma < noise.level(300.25).sigma < noise.level(300.9).sigma < noise.level(301).sigma


@pytest.mark.parametrize(
    "scheduler", [FlowMatchEulerDiscreteScheduler(shift=3.0), UniPCMultistepScheduler(**SCHEDULE, **UNIPC_FLOW)]
)
@pytest.mark.parametrize("timestep", [0.0, 123.4, 500, 1000])
def test_flow_matching_has_a_line_and_never_an_abar(scheduler, timestep):
    noise = Noise(scheduler)
    level = noise.level(timestep)
    assert noise.is_flow and noise.prediction == "flow_prediction"
    assert (level.alpha, level.sigma) == pytest.approx((1 - timestep / 1000, timestep / 1000))
    noisy = Noise(UniPCMultistepScheduler(**SCHEDULE, use_flow_sigmas=True))  # a network that predicts the noise
    assert noisy.is_flow and noisy.prediction == "epsilon" and noisy.level(timestep) == level


def test_a_schedule_that_ends_in_pure_noise_has_no_infinite_level():
    level = Noise(DDIMScheduler(**SCHEDULE, rescale_betas_zero_snr=True)).level(999)
    assert 0 < level.alpha < 1e-5 and level.sigma == pytest.approx(1)


def test_clean_latents_are_what_the_prediction_means():
    """x = alpha x0 + sigma e; v = alpha e - sigma x0; of flow matching, the velocity is e - x0."""
    x0, e = torch.tensor([0.5]), torch.tensor([-1.25])
    level = Noise(DDIMScheduler(**SCHEDULE)).level(400)
    x = level.alpha * x0 + level.sigma * e
    predictions = {"epsilon": e, "v_prediction": level.alpha * e - level.sigma * x0, "sample": x0}
    for name, prediction in predictions.items():
        noise = Noise(DDIMScheduler(**SCHEDULE, prediction_type=name))
        torch.testing.assert_close(noise.clean(prediction, x, level), x0)
    flow = Noise(FlowMatchEulerDiscreteScheduler())
    level = flow.level(400)
    torch.testing.assert_close(flow.clean(e - x0, 0.6 * x0 + 0.4 * e, level), x0)


# Timesteps


@pytest.mark.parametrize("shift", [1.0, 3.0])
def test_flow_sigmas_are_shifted_once(shift):
    """diffusers' own set_timesteps shifts twice (issue 13243)."""
    solver = Noise(FlowMatchEulerDiscreteScheduler(shift=shift)).solver(4)
    line = np.array([1, 0.75, 0.5, 0.25])
    wanted = shift * line / (1 + (shift - 1) * line)
    assert [solver.level(call).sigma for call in range(4)] == pytest.approx(wanted)
    assert solver.timesteps.tolist() == pytest.approx(1000 * wanted)


def test_flow_levels_are_told_apart_where_integer_timesteps_are_not():
    solver = Noise(UniPCMultistepScheduler(**SCHEDULE, **(UNIPC_FLOW | {"flow_shift": 100.0}))).solver(50)
    sigmas = [solver.level(call).sigma for call in range(50)]
    assert len(set(solver.timesteps.tolist())) < 50 == len(set(sigmas)) and sigmas == sorted(sigmas, reverse=True)
    assert [solver.index(call) for call in range(50)] == list(range(50))


@pytest.mark.parametrize(
    ("settings", "indices"),
    [
        ({"skip_prk_steps": True}, [0, 0, 1, 2, 3, 4]),
        ({"skip_prk_steps": False}, [0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 4]),
    ],
)
def test_a_solver_that_repeats_in_its_first_steps_counts_steps_and_not_calls(settings, indices):
    solver = Noise(PNDMScheduler(**SCHEDULE, **settings)).solver(5)
    assert [solver.index(call) for call in range(len(solver.timesteps))] == indices


# Every scheduler, with a network that knows the truth

PLAIN = ("epsilon", "v_prediction")
DIFFUSION = [
    "CogVideoXDDIM", "DDIM", "DDIMParallel", "DDPM", "DPMSolverMultistep", "DPMSolverSinglestep", "EulerDiscrete",
    "EulerAncestralDiscrete", "HeunDiscrete", "KDPM2Discrete", "KDPM2AncestralDiscrete", "LCM", "LMSDiscrete",
    "UniPCMultistep",
]  # fmt: skip
CASES = [(name, {"prediction_type": prediction}) for name in DIFFUSION for prediction in PLAIN]
CASES += [(name, {"use_karras_sigmas": True}) for name in ("EulerDiscrete", "DPMSolverMultistep", "KDPM2Discrete")]
CASES += [(name, UNIPC_FLOW) for name in ("UniPCMultistep", "DPMSolverMultistep", "DPMSolverSinglestep")]
CASES += [("FlowMatchEulerDiscrete", {"shift": shift}) for shift in (1.0, 5.0)]
CASES += [("FlowMatchHeunDiscrete", {"shift": shift}) for shift in (1.0, 5.0)]
CASES += [
    ("DPMSolverMultistep", {"algorithm_type": "sde-dpmsolver++"}), ("PNDM", {"set_alpha_to_one": True}),
    ("FlowMatchEulerDiscrete", {"stochastic_sampling": True}), ("DPMSolverMultistep", {"prediction_type": "sample"}),
]  # fmt: skip


def build(name, settings):
    kind = getattr(diffusers, f"{name}Scheduler")
    known = kind().config
    usual = {key: value for key, value in (SCHEDULE | {"clip_sample": False}).items() if key in known}
    return kind(**(usual | settings))


@pytest.mark.parametrize(("name", "settings"), CASES)
def test_levels_are_what_the_scheduler_really_does(name, settings):
    """A network that predicts the truth at the levels it is told must lead exactly to the truth, by every solver."""
    noise = Noise(build(name, settings))
    solver, generators = noise.solver(6), [torch.Generator().manual_seed(seed) for seed in (1, 2)]
    truth = torch.randn(2, 4, 1, 3, 3, generator=torch.Generator().manual_seed(0)) / 2
    latents = torch.stack([torch.randn(4, 1, 3, 3, generator=generator) for generator in generators])
    latents = latents * solver.first_scale
    for call in range(len(solver.timesteps)):
        level, inputs = solver.level(call), solver.scaled(latents, call)
        torch.testing.assert_close(inputs, latents * level.scale)
        e = (inputs - level.alpha * truth) / level.sigma
        predictions = {
            "epsilon": e, "sample": truth, "v_prediction": level.alpha * e - level.sigma * truth,
            "flow_prediction": e - truth,
        }  # fmt: skip
        prediction = predictions[noise.prediction]
        torch.testing.assert_close(noise.clean(prediction, inputs, level), truth, atol=1e-5, rtol=0)
        latents = solver.step(prediction, latents, call, generators)
    torch.testing.assert_close(latents, truth, atol=1e-5, rtol=0)
    assert [solver.index(call) for call in (0, len(solver.timesteps) - 1)] == [0, 5]


# What is refused


class DPMSolverSDEScheduler(DPMSolverMultistepScheduler):
    """The real one needs another package."""


@pytest.mark.parametrize(
    ("scheduler", "answer"),
    [
        (diffusers.EDMEulerScheduler(), "EDMEulerScheduler does not tell shares of signal and noise; possible are"),
        (diffusers.ScoreSdeVeScheduler(), "ScoreSdeVeScheduler does not tell"),
        (diffusers.HeliosScheduler(), "HeliosScheduler does not tell"),
        (diffusers.DDIMInverseScheduler(), "DDIMInverseScheduler goes from clips to noise"),
        (diffusers.RePaintScheduler(), "RePaintScheduler needs original_image, mask at each step"),
        (DPMSolverSDEScheduler(**SCHEDULE), "DPMSolverSDEScheduler draws noise that no seed decides"),
    ],
)
def test_a_scheduler_that_cannot_be_run_is_refused_with_the_reason(scheduler, answer):
    with pytest.raises(ValueError, match=answer):
        Noise(scheduler)


def test_the_template_is_changed_by_no_run():
    noise = Noise(DPMSolverMultistepScheduler(**SCHEDULE))
    first, second = noise.solver(4), noise.solver(8)
    assert first.scheduler is not second.scheduler and noise.scheduler.num_inference_steps is None
    assert (len(first.timesteps), len(second.timesteps)) == (4, 8)
