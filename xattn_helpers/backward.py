"""Backward guidance: before a denoising step, move the latents downhill on an energy of attention maps (section 3.4).

    path = track([(0.25, 0.25), (0.25, 0.8)])
    clip = generate(model, "a burger floats on the water", guidance=Guidance("burger", path))

The update is the paper's eq. 4, z <- z - delta^2 * eta * gradient; every choice that the paper and its peers make
differently is a knob of `Guidance`.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch import Tensor

from . import tokens
from .attention import PLACES, Layer, Step, controlled, find_layers, several
from .energies import Energy, combine
from .targets import Track

# Step-size laws: delta^2 from the signal's share abar (the cumulative product of alphas) at this step.
LAWS: dict[str, Callable[[Tensor], Tensor]] = {
    "1 - abar": lambda abar: 1 - abar,  # the paper's released code: from .995 to .02 over the schedule
    "(1 - abar) / abar": lambda abar: (1 - abar) / abar,  # eq. 4 to the letter, also called sigma^2: from 214 to .02
    "sqrt(1 - abar)": lambda abar: (1 - abar).sqrt(),  # LVD
    "norm": lambda abar: (1 - abar).sqrt(),  # as LVD, for a gradient that was first scaled to norm one
}

# Schedules: whether step `index` of `steps` is guided.
SCHEDULES: dict[str, Callable[[int, int], bool]] = {
    "paper": lambda index, steps: index < steps / 4 or index % 2 == 0,  # section 4.2
    "released": lambda index, steps: index < 0.9 * steps and (index <= 0.4 * steps or index % 2 == 0),  # its code
    "first quarter": lambda index, steps: index < steps / 4,  # layout guidance and LVD stop early, too
    "first half": lambda index, steps: index < steps / 2,
    "always": lambda index, steps: True,
}
LOSS_SCALE = 1024.0  # for half precision, in which small gradients would become zero


class _Reached(Exception):
    """The forward pass has gone as far as guidance needs it."""


@dataclass
class _Probe:
    """A controller that keeps the probabilities of the chosen layers, with their graph, and stops after the last."""

    chosen: Callable[[Tensor], bool]
    last: str | None  # the layer to stop after, once it is known
    seen: dict[str, Tensor] = field(default_factory=dict)
    records = True

    def __call__(self, probabilities: Tensor, layer: Layer, step: Step) -> Tensor:
        """Keep, and stop; a layer that checkpointing runs again for its gradient is left alone."""
        if self.chosen(probabilities) and layer.name not in self.seen:
            self.seen[layer.name] = probabilities
            if layer.name == self.last:
                raise _Reached
        return probabilities


@dataclass
class Guidance:
    """Where words shall be. Lists of words and targets guide several objects at once."""

    word: str | list[str]
    target: Track | Tensor | list  # a track, or maps (frames, height, width) in [0, 1]
    # What is minimised: a name of `ENERGIES`, names with weights, or a function. "box" leaves no second object behind.
    energy: str | dict[str, float] | Energy = "box"
    # eta. With the box energy and law "1 - abar" 30 follows closely on the pocket models; on ModelScope begin with 30
    # as well, and with the energy "shape" with 60 (the paper's 15 times the weight of 4 in its code).
    strength: float = 30.0
    law: str = "1 - abar"  # delta^2, a name of `LAWS`
    schedule: str | Callable[[int, int], bool] = "paper"  # when: a name of `SCHEDULES`, or a function of index, steps
    resolution: int | tuple[int, ...] = (8, 16)  # height of the maps; ModelScope at 256 pixels also has 32
    place: str | tuple[str, ...] = PLACES
    shape: str = "box"  # how a track is drawn: box or disc
    repeats: int = 1  # updates at each guided step
    stop_below: float = 0.0  # no further repeats when the mean energy of a frame is below this
    most: float = 10.0  # standard deviations that one update may move a latent; more is an error
    log: list[dict] = field(default_factory=list, repr=False)  # one entry an update: step, energy, largest change

    def __post_init__(self):
        self.words = [self.word] if isinstance(self.word, str) else list(self.word)
        self.targets = list(self.target) if isinstance(self.target, list) else [self.target]
        if len(self.words) != len(self.targets):
            raise ValueError(f"target: {len(self.targets)} given for {len(self.words)} words; give one for each")
        self._energy = combine(self.energy)
        if self.law not in LAWS:
            raise ValueError(f"law={self.law!r}: possible are {', '.join(map(repr, LAWS))}")
        if isinstance(self.schedule, str) and self.schedule not in SCHEDULES:
            raise ValueError(f"schedule={self.schedule!r}: possible are {', '.join(SCHEDULES)}, or a function")
        if self.strength < 0 or self.repeats < 1:
            raise ValueError(f"strength={self.strength}, repeats={self.repeats}: possible are from 0 and from 1 on")
        self.places, self.resolutions = several(self.place), several(self.resolution)
        if not self.places or not self.resolutions or set(self.places) - set(PLACES):
            raise ValueError(f"place={self.place!r}, resolution={self.resolution!r}: places are {', '.join(PLACES)}")

    def begin(self, model, prompts: list[str], text: Tensor, steps: int) -> None:
        """Called by `generate` before the first step; raises ValueError for a word that a prompt does not have."""
        self.model, self.steps, self.text, self.log = model, steps, text, []
        self.positions = [[tokens.find(model.tokenizer, prompt, word) for word in self.words] for prompt in prompts]
        self.layers, self._last = [one for one in find_layers(model.unet) if one.place in self.places], None
        if not self.layers:
            raise ValueError(f"place={self.place!r}: the model has no text cross-attention there")

    def update(self, latents: Tensor, index: int, timestep: Tensor, scheduler) -> Tensor:
        """Latents (batch, channels, frames, h, w), moved downhill if this step is guided."""
        guided = SCHEDULES[self.schedule] if isinstance(self.schedule, str) else self.schedule
        if self.strength == 0 or not guided(index, self.steps):
            return latents
        size = self.strength * LAWS[self.law](signal(scheduler, timestep))
        for _ in range(self.repeats):
            energy, gradient = self.gradient(latents, timestep)
            if energy.mean() < self.stop_below:
                break
            gradient[len(self.positions) :] = 0  # the sources of a control stay where they are
            if self.law == "norm":
                gradient = gradient / gradient.norm().clamp(min=1e-12)
            change = size.to(gradient) * gradient
            self._check(change, energy, index)
            latents = (latents - change).to(latents.dtype)
        return latents

    def gradient(self, latents: Tensor, timestep: Tensor | int) -> tuple[Tensor, Tensor]:
        """Energies (prompts, frames) and their gradient with respect to the latents, float32.

        Only the conditional pass is run, only the needed layers keep their probabilities, and nothing after the last.
        """
        probe = _Probe(lambda probabilities: probabilities.shape[3] in self.resolutions, self._last)
        scale = LOSS_SCALE if latents.dtype == torch.float16 else 1.0
        with torch.enable_grad(), controlled(self.model, probe, self.layers):
            moving = latents.detach().requires_grad_(True)
            try:
                self.model.predict_noise(moving, timestep, self.text)
            except _Reached:
                pass
            if not probe.seen:
                raise ValueError(f"resolution={self.resolution}: no layer in {', '.join(self.places)} has such maps")
            self._remember(list(probe.seen))
            energy = torch.stack([self.of_layer(one.float()) for one in probe.seen.values()]).mean(0)
            (gradient,) = torch.autograd.grad(scale * energy.sum(), moving)
        return energy.detach(), gradient.float() / scale

    def of_layer(self, probabilities: Tensor) -> Tensor:
        """The energy of one layer, (prompts, frames): mean over heads, sum over words."""
        rows = []
        for one, positions in zip(probabilities, self.positions, strict=False):  # (frames, heads, h, w, tokens)
            frames, _, height, width, _ = one.shape
            energies = [
                self._energy(one[..., word].sum(-1).transpose(0, 1), self._drawn(target, frames, height, width, one))
                for word, target in zip(positions, self.targets, strict=True)
            ]
            rows.append(sum(energy.mean(0) for energy in energies))
        return torch.stack(rows)

    def _drawn(self, target: Track | Tensor, frames: int, height: int, width: int, like: Tensor) -> Tensor:
        """A target at the resolution of a layer, (frames, height, width)."""
        if isinstance(target, Track):
            return target.mask(frames, height, width, self.shape).to(like)
        if target.ndim != 3 or len(target) != frames:
            raise ValueError(f"target: shape {tuple(target.shape)} given; needed is ({frames} frames, height, width)")
        return F.adaptive_avg_pool2d(target.to(like)[:, None], (height, width))[:, 0]

    def _remember(self, names: list[str]) -> None:
        """After the first pass it is known which layers are needed: only they pay for an explicit softmax."""
        self.layers = [layer for layer in self.layers if layer.name in names]
        self._last = names[-1]

    def _check(self, change: Tensor, energy: Tensor, index: int) -> None:
        largest = float(change.abs().amax())
        self.log.append({"step": index, "energy": energy.mean(0).tolist(), "largest_change": largest})
        if not largest < float("inf"):
            raise FloatingPointError(
                f"step {index}: the gradient is not finite; load the model with dtype=torch.float32 or lower strength"
            )
        if largest > self.most:
            raise ValueError(
                f"strength={self.strength} with law={self.law!r} moves a latent by {largest:.0f} standard deviations "
                f"at step {index}, which leaves no picture; lower strength, take law='1 - abar', or see what happens "
                f"with a higher most={self.most}"
            )


def signal(scheduler, timestep: Tensor | int) -> Tensor:
    """abar at a timestep; raises ValueError for a scheduler without it (flow matching), whose law must be another."""
    if not hasattr(scheduler, "alphas_cumprod"):
        raise ValueError(
            f"{type(scheduler).__name__} has no alphas_cumprod, from which the step size is made; use DDIMScheduler or "
            "DPMSolverMultistepScheduler"
        )
    return scheduler.alphas_cumprod[int(timestep)]
