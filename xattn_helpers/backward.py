"""Backward guidance: before a denoising step, move the latents downhill on an energy of attention maps (section 3.4).

    path = track([(0.25, 0.25), (0.25, 0.8)])
    clip = generate(model, "a burger floats on the water", guidance=Guidance("burger", path))

The update is the paper's eq. 4, z <- z - delta^2 * eta * gradient; every choice that the paper and its peers make
differently is a knob of `Guidance`.
"""

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch import Tensor

from . import tokens
from .aims import Target, named, pairs, same_number
from .attention import PLACES, controlled, find_layers, several
from .captured import Captured
from .energies import Energy, combine
from .probe import Probe, Reached, checkpointed
from .schedules import FRAMES, LAWS, SCHEDULES, signal

__all__ = ["FRAMES", "LAWS", "SCHEDULES", "Guidance", "signal"]

LOSS_SCALE = 1024.0  # for half precision, in which small gradients would become zero


@dataclass
class Guidance:
    """Where words shall be. Lists of words and targets guide several objects at once.

    Lists of lists, one for each prompt of a batch, give every prompt words and targets of its own.
    """

    word: str | list[str] | list[list[str]]
    # A track, the moved maps of an unguided run (`zero_shot.py`), or maps (frames, height, width) in [0, 1]
    target: Target | list[Target] | list[list[Target]]
    # What is minimised: a name of `ENERGIES`, names with weights, or a function. "box" leaves no second object behind.
    energy: str | dict[str, float] | Energy = "box"
    # eta, chosen on the tuning cases of `benchmarks/guidance_cases.py` for the box energy and this law on the pocket
    # models. On ModelScope begin with 30, and with the energy "shape" with 60 (the paper's 15 times 4 in its code).
    strength: float = 100.0
    # delta^2, a name of `LAWS`. "norm", with steps of one length, is the better choice on the pocket models, with a
    # strength of 5 to 15 for 16 frames (lessons 04 and 06). The length is over all frames: a picture needs a quarter.
    law: str = "1 - abar"
    # When: a name of `SCHEDULES`, or a function of index, steps. "first half" is as good as "paper" and costs less.
    schedule: str | Callable[[int, int], bool] = "first half"
    resolution: int | tuple[int, ...] = (8, 16)  # height of the maps; ModelScope at 256 pixels also has 32
    place: str | tuple[str, ...] = PLACES
    shape: str = "disc"  # how a track is drawn: "disc", the ellipse in the box, or "box", whose corners few things fill
    repeats: int = 1  # updates at each guided step
    stop_below: float = float("-inf")  # no further repeats when the mean energy of a frame is below this
    most: float = 10.0  # standard deviations that one update may move a latent; more is an error
    checkpoint_blocks: bool = False  # compute each block twice to save memory, where a gradient pass does not fit
    # On a CUDA GPU: record the gradient pass once a run and replay it, in less than a third of the time for a network
    # as large as ModelScope's. Its memory stays reserved until the last guided step, so take it together with
    # checkpoint_blocks. While something else looks at the attention (a recorder, a swap), the pass runs as usual.
    cuda_graph: bool = False
    # The frame that answers for a frame's target: a name of `FRAMES` ("released": the bug of the paper's released code,
    # which leaves the first half of a video without targets of its own), or a function of frame, frames.
    frame_of: str | Callable[[int, int], int] = "own"
    # One entry an update: step, energy (a list over frames, mean over prompts), largest change
    log: list[dict] = field(default_factory=list, repr=False)

    def __post_init__(self):
        self.each = isinstance(self.word, list) and not any(isinstance(one, str) for one in self.word)
        words, targets = (self.word, self.target) if self.each else ([self.word], [self.target])
        self.wanted = [pairs(*both) for both in same_number(words, targets, "prompts")]
        self._energy = combine(self.energy)
        if self.law not in LAWS:
            raise ValueError(f"law={self.law!r}: possible are {', '.join(map(repr, LAWS))}")
        self._guided = named("schedule", self.schedule, SCHEDULES)
        self._frame_of = named("frame_of", self.frame_of, FRAMES)
        if not self.strength >= 0 or self.repeats < 1:
            raise ValueError(f"strength={self.strength}, repeats={self.repeats}: possible are from 0 and from 1 on")
        self.places, self.resolutions = several(self.place), several(self.resolution)
        if not self.places or not self.resolutions or set(self.places) - set(PLACES):
            raise ValueError(f"place={self.place!r}, resolution={self.resolution!r}: places are {', '.join(PLACES)}")

    def begin(self, model, prompts: list[str], text: Tensor, steps: int) -> None:
        """Called by `generate` before the first step; raises ValueError for a word that a prompt does not have."""
        if self.each and len(prompts) != len(self.wanted):
            raise ValueError(f"word: lists for {len(self.wanted)} prompts given; this run has {len(prompts)}")
        self.model, self.steps, self.text, self.log, self._drawings = model, steps, text, [], {}
        wanted = self.wanted if self.each else self.wanted * len(prompts)
        self.aims = [
            [(torch.tensor(tokens.find(model.tokenizer, prompt, word), device=text.device), one) for word, one in some]
            for prompt, some in zip(prompts, wanted, strict=True)
        ]
        self.layers, self._last = [one for one in find_layers(model.unet) if one.place in self.places], None
        self._captured = None
        if not self.layers:
            raise ValueError(f"place={self.place!r}: the model has no text cross-attention there")
        if self.cuda_graph and model.device.type != "cuda":
            raise ValueError(f"cuda_graph=True needs a CUDA GPU; the model is on {model.device}")

    def update(self, latents: Tensor, index: int, timestep: Tensor, scheduler) -> Tensor:
        """Latents (batch, channels, frames, h, w), moved downhill if this step is guided."""
        if self.strength == 0 or not self._guided(index, self.steps):
            return latents
        size = self.strength * LAWS[self.law](signal(scheduler, timestep))
        for _ in range(self.repeats):
            energy, gradient = self.gradient(latents, timestep)
            enough = energy.mean(1) < self.stop_below  # each prompt by itself, whatever shares its batch
            if enough.all():
                break
            gradient[len(self.aims) :] = 0  # the sources of a control stay where they are
            gradient[: len(self.aims)][enough] = 0
            if self.law == "norm":
                gradient = F.normalize(gradient.flatten(1)).view_as(gradient)
            change = size.to(gradient) * gradient
            self._check(change, energy, index)
            latents = (latents - change).to(latents.dtype)
        if not any(self._guided(later, self.steps) for later in range(index + 1, self.steps)):
            self._captured = None  # which gives its memory back, for the steps that remain and the decoder
        return latents

    def gradient(self, latents: Tensor, timestep: Tensor | int) -> tuple[Tensor, Tensor]:
        """Energies (prompts, frames) and their gradient with respect to the latents, float32.

        Only the conditional pass is run, only the needed layers keep their probabilities, and nothing after the last.
        """
        watched = hasattr(self.model.unet, "_attention_tap")  # by others, who may read from the GPU
        if not self.cuda_graph or watched or self._last is None:  # the first pass finds the last layer
            return self._gradient(latents, timestep)
        timestep = torch.as_tensor(timestep, device=latents.device)
        if self._captured is None:
            self._captured = Captured(self._gradient, latents, timestep)
        return self._captured(latents, timestep)

    def _gradient(self, latents: Tensor, timestep: Tensor | int) -> tuple[Tensor, Tensor]:
        probe = Probe(self.resolutions, self._last, at_once=not self.checkpoint_blocks)
        saving = checkpointed(self.model.unet, probe) if self.checkpoint_blocks else nullcontext()
        scale = LOSS_SCALE if latents.dtype == torch.float16 else 1.0
        with torch.enable_grad(), controlled(self.model, probe, self.layers), saving:
            moving = latents.detach().requires_grad_(True)
            try:
                self.model.predict_noise(moving, timestep, self.text)
            except Reached:
                pass
            if not probe.seen:
                raise ValueError(f"resolution={self.resolution}: no layer in {', '.join(self.places)} has such maps")
            self._remember(list(probe.seen))
            energy = torch.stack([self.of_layer(one) for one in probe.seen.values()]).mean(0)
            (gradient,) = torch.autograd.grad(scale * energy.sum(), moving)
        return energy.detach(), gradient.float() / scale

    def of_layer(self, probabilities: Tensor) -> Tensor:
        """The energy of one layer, (prompts, frames): mean over heads, sum over words."""
        frames, _, height, width, _ = probabilities.shape[1:]  # (batch, frames, heads, h, w, tokens)
        order = self._order(frames, probabilities.device)
        rows = []
        for one, aims in zip(probabilities, self.aims, strict=False):  # the sources of a control have no aims
            maps = [one[..., positions].float().sum(-1)[order].transpose(0, 1) for positions, _ in aims]
            drawn = [self._drawn(target, frames, height, width, maps[0]) for _, target in aims]
            rows.append(sum(self._energy(*both).mean(0) for both in zip(maps, drawn, strict=True)))
        return torch.stack(rows)

    def _order(self, frames: int, device: torch.device) -> Tensor:
        """Which frame answers for each frame's target, (frames,)."""
        if ("order", frames) not in self._drawings:
            order = [self._frame_of(frame, frames) for frame in range(frames)]
            if not all(0 <= one < frames for one in order):
                raise ValueError(f"frame_of={self.frame_of!r} gives frames {order}; possible are 0 to {frames - 1}")
            self._drawings["order", frames] = torch.tensor(order, device=device)
        return self._drawings["order", frames]

    def _drawn(self, target: Target, frames: int, height: int, width: int, like: Tensor) -> Tensor:
        """A target at the resolution of a layer, (frames, height, width); each is drawn once a run."""
        key = (id(target), frames, height, width)
        if key not in self._drawings:
            self._drawings[key] = self._draw(target, frames, height, width).to(like)
        return self._drawings[key]

    def _draw(self, target: Target, frames: int, height: int, width: int) -> Tensor:
        if not isinstance(target, Tensor):
            return target.mask(frames, height, width, self.shape)
        if target.ndim != 3 or len(target) != frames:
            raise ValueError(f"target: shape {tuple(target.shape)} given; needed is ({frames} frames, height, width)")
        return F.adaptive_avg_pool2d(target.float()[:, None], (height, width))[:, 0]

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
                f"at step {index}, which leaves no picture; lower strength, take another law (possible are "
                f"{', '.join(map(repr, LAWS))}), or see what happens with a higher most={self.most}"
            )
