"""Schedules of noise: how much signal and how much noise a network's input holds, for any scheduler of diffusers.

A network sees x = alpha * x0 + sigma * noise. Diffusion schedules have alpha^2 = abar, the cumulative product of
alphas, and sigma^2 = 1 - abar; flow matching has alpha = 1 - sigma. All other rooms ask for (alpha, sigma).
"""

import copy
import inspect
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

Prediction = Literal["epsilon", "v_prediction", "sample", "flow_prediction"]
LEAST_SIGMA = 1e-6  # what noise is divided by
OWN_RANDOMNESS = ("DPMSolverSDEScheduler", "CosineDPMSolverMultistepScheduler")  # draw noise from no given generator


@dataclass(frozen=True)
class Level:
    """A level of noise: the shares of signal and noise in what the network sees."""

    timestep: float
    alpha: float  # of the signal, from 1 to 0
    sigma: float  # of the noise, from 0 to 1
    scale: float = 1.0  # what the network sees, over the latents that the solver keeps
    step_alpha: float = float("nan")  # one timestep's own, see `Noise.step_alpha`


CLEAN = Level(timestep=0.0, alpha=1.0, sigma=0.0)


@dataclass(frozen=True)
class Noise:
    """The scheduler that a model was published with, as a template that no run changes."""

    scheduler: Any

    def __post_init__(self):
        if reason := _why_unsupported(self.scheduler):
            raise ValueError(
                f"scheduler: {type(self.scheduler).__name__} {reason}; possible are those for diffusion with "
                "alphas_cumprod, as DDIMScheduler and DPMSolverMultistepScheduler, and those for flow matching"
            )

    @property
    def is_flow(self) -> bool:
        """Whether the model was trained by flow matching; some schedulers have alphas that mean nothing then."""
        config = self.scheduler.config
        return self.prediction == "flow_prediction" or bool(config.get("use_flow_sigmas"))

    @property
    def prediction(self) -> Prediction:
        """What the network predicts."""
        if _matches_flows(self.scheduler):
            return "flow_prediction"
        return self.scheduler.config.get("prediction_type", "epsilon")

    def level(self, timestep: Tensor | float) -> Level:
        """The level of a timestep, also of one between those that the model was trained with."""
        time = float(timestep)
        if self.is_flow:
            return self.at(time / self.scheduler.config.num_train_timesteps, time)
        log_sigma = np.interp(time, np.arange(len(self._log_sigmas)), self._log_sigmas)
        return self.at(float(np.exp(log_sigma)), time)

    def at(self, sigma: float, timestep: float) -> Level:
        """The level of a sigma as schedulers count it: of diffusion, noise over signal; of flow matching, the share."""
        if self.is_flow:
            return Level(timestep, 1 - sigma, sigma)
        length = (1 + sigma**2) ** 0.5
        return Level(timestep, 1 / length, sigma / length)

    def step_alpha(self, timestep: Tensor | float) -> float:
        """The share of the signal's variance that one timestep of training keeps: alpha = 1 - beta, from 0 to 1."""
        return self._signal_share(float(timestep)) / self._signal_share(float(timestep) - 1)

    def _signal_share(self, time: float) -> float:
        """abar: the share of the signal in the variance of what the network sees; 1 before the first timestep."""
        level = self.level(max(0.0, time))
        return level.alpha**2 / (level.alpha**2 + level.sigma**2) if time >= 0 else 1.0

    @cached_property
    def _log_sigmas(self) -> np.ndarray:
        """log(sqrt((1 - abar) / abar)) of every timestep; between them it is a line, as in diffusers' solvers."""
        signal = self.scheduler.alphas_cumprod.double().clamp(1e-12, 1 - 1e-12).cpu().numpy()
        return np.log((1 - signal) / signal) / 2

    def clean(self, prediction: Tensor, inputs: Tensor, level: Level) -> Tensor:
        """The latents x0 that a prediction means, from what the network saw at a level."""
        if self.prediction == "epsilon":
            return (inputs - level.sigma * prediction) / level.alpha
        if self.prediction == "v_prediction":
            return level.alpha * inputs - level.sigma * prediction
        return prediction if self.prediction == "sample" else inputs - level.sigma * prediction

    def noise_in(self, prediction: Tensor, inputs: Tensor, level: Level) -> Tensor:
        """The noise that a prediction means, as `clean` gives the latents."""
        if self.prediction == "epsilon":
            return prediction
        if self.prediction == "v_prediction":
            return level.alpha * prediction + level.sigma * inputs
        if self.prediction == "sample":
            return (inputs - level.alpha * prediction) / max(level.sigma, LEAST_SIGMA)
        return inputs + level.alpha * prediction

    def solver(self, steps: int, places: int | None = None) -> "Solver":
        """A solver of its own for a run: schedulers remember what they did.

        `places`, frames x height x width of the latents, is for schedules that depend on the size of a clip; they raise
        ValueError without it.
        """
        scheduler = copy.deepcopy(self.scheduler)
        options = inspect.signature(scheduler.set_timesteps).parameters
        shift = {}
        if scheduler.config.get("use_dynamic_shifting"):
            if places is None:
                raise ValueError("places: none given; this schedule depends on the size of the latents")
            shift = {"mu": _shift(scheduler.config, places)}
        if _matches_flows(scheduler) and "sigmas" in options:  # without them, they are shifted twice
            scheduler.set_timesteps(sigmas=np.linspace(1, 1 / steps, steps).tolist(), **shift)
        else:
            scheduler.set_timesteps(steps, **shift)
        return Solver(self, scheduler, steps)


def _matches_flows(scheduler: Any) -> bool:
    return type(scheduler).__name__.startswith("FlowMatch")


def _shift(config: Any, places: int) -> float:
    """How far a schedule shifts towards noise for clips of a size: a line through two points (Esser et al. 2024)."""
    points = (config.get("base_image_seq_len", 256), config.get("max_image_seq_len", 4096))
    shifts = (config.get("base_shift", 0.5), config.get("max_shift", 1.15))
    return shifts[0] + (places - points[0]) * (shifts[1] - shifts[0]) / (points[1] - points[0])


def _why_unsupported(scheduler: Any) -> str:
    """What keeps a scheduler from making a clip of noise, or nothing."""
    name = type(scheduler).__name__
    if not _matches_flows(scheduler) and not hasattr(scheduler, "alphas_cumprod"):
        return "does not tell shares of signal and noise"
    needed = list(inspect.signature(scheduler.step).parameters.values())[3:]  # after prediction, timestep and sample
    missing = [parameter.name for parameter in needed if parameter.default is inspect.Parameter.empty]
    if name in OWN_RANDOMNESS:
        return "draws noise that no seed decides"
    if "Inverse" in name:
        return "goes from clips to noise"
    if missing:
        return f"needs {', '.join(missing)} at each step"
    return ""


@dataclass
class Solver:
    """One run of a scheduler: from noise to latents, one call of the network after another."""

    noise: Noise
    scheduler: Any
    steps: int

    @property
    def timesteps(self) -> Tensor:
        """Of each call of the network, on the CPU."""
        return self.scheduler.timesteps.cpu()

    @property
    def first_scale(self) -> float:
        """Standard deviation of the latents that a run begins with."""
        return float(getattr(self.scheduler, "init_noise_sigma", 1.0))

    @property
    def order(self) -> int:
        """Calls of the network in a step."""
        return getattr(self.scheduler, "order", 1)

    def index(self, call: int) -> int:
        """The denoising step that a call belongs to: some solvers call the network more than once a step."""
        if self.order > 1:
            return call // self.order
        if call < len(getattr(self.scheduler, "prk_timesteps", ())):  # PNDM's first three steps are of Runge and Kutta
            return call // 4
        repeated = max(0, len(self.scheduler.timesteps) - self.steps)  # others of order 1 repeat in their first step
        return max(0, call - repeated)

    def levels(self) -> list[Level]:
        """What the network sees at the first call of each denoising step, and the clean level after the last."""
        levels = []
        for call in range(len(self.timesteps)):
            if self.index(call) == len(levels):
                levels.append(replace(self.level(call), scale=1.0))
        return [*levels, CLEAN]

    def scaled(self, latents: Tensor, call: int) -> Tensor:
        """What the network sees of the solver's latents."""
        if not hasattr(self.scheduler, "scale_model_input"):
            return latents
        return self.scheduler.scale_model_input(latents, self.scheduler.timesteps[call])

    def level(self, call: int) -> Level:
        """The level of noise at a call."""
        timestep = float(self.scheduler.timesteps[call])
        level = self.noise.level(timestep)
        sigmas = getattr(self.scheduler, "sigmas", ())
        if call < len(sigmas) and call % self.order == 0:  # the timestep may be rounded; within a step, they differ
            level = self.noise.at(float(sigmas[call]), timestep)
        return replace(level, scale=float(self.scaled(torch.ones(1), call)), step_alpha=self.noise.step_alpha(timestep))

    def step(self, prediction: Tensor, latents: Tensor, call: int, generators: list[torch.Generator]) -> Tensor:
        """The latents after a call. Solvers that draw noise draw each clip's from its own generator."""
        options = {}
        if "generator" in inspect.signature(self.scheduler.step).parameters:
            options["generator"] = generators
        return self.scheduler.step(prediction, self.scheduler.timesteps[call], latents, **options).prev_sample
