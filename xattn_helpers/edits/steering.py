"""The state of guidance in one run: energies, gradients, updates."""

import math
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from ..attention.processor import Maps
from ..backbones.backbone import LISTENERS
from ..backbones.noise import Level
from ..backbones.offloading import takes_turns
from ..backbones.temporal import APART
from ..descriptions import shown
from .edit import Latents, Run, State, Update
from .energies import combine
from .facts import Facts, sizes_of
from .gradient import always, probed, shortage
from .graphs import GraphOfRun
from .notes import Notes
from .placements import Placements
from .steps import FRAMES, LAWS, SCHEDULES, by_name

if TYPE_CHECKING:
    from .guidance import Guidance

LOSS_SCALE = 1024.0  # for half precision, in which small gradients would become zero


class Steering(State):
    """Moves the latents of the targets; the sources of a swap stay where they are."""

    def __init__(self, guidance: "Guidance", run: Run):
        self.guidance, self.run = guidance, run
        self.sites = guidance.sites(run.model, run.size)
        self.placements = Placements.of(guidance.word, guidance.target, run, guidance.shape)
        self.notes = Notes(guidance, run)
        self._energy = combine(guidance.energy)
        self._guided = self._guided_steps()
        order, sizes = self._frame_order(), sizes_of(run.model.backbone, self.sites, run.size)
        self.facts = Facts.of(run.text, self.placements, order, sizes)
        self._is_short = shortage(guidance.memory, guidance.graphed, run.model.device)
        self._graph = self._prepare_graph() if guidance.graphed else None

    def _guided_steps(self) -> list[bool]:
        """Which steps are guided."""
        schedule, guided = by_name(self.guidance.schedule, SCHEDULES), []
        for index in range(self.run.steps):
            answer = schedule(index, self.run.steps)
            if answer not in (True, False):
                name = self.guidance.schedule
                raise ValueError(f"schedule={name!r} gives {answer!r} for step {index}; possible are True and False")
            guided.append(bool(answer))
        return guided

    def _frame_order(self) -> Tensor:
        """Which frame answers for each frame's target, (frames,)."""
        frame_of = by_name(self.guidance.frame_of, FRAMES)
        frames = self.run.model.backbone.grid(self.sites[0], self.run.size)["frames"]
        order = [frame_of(frame, frames) for frame in range(frames)]
        if not all(isinstance(frame, (int, np.integer)) and 0 <= frame < frames for frame in order):
            name = self.guidance.frame_of
            raise ValueError(f"frame_of={name!r} gives frames {order}; possible are 0 to {frames - 1}")
        return torch.tensor(order, device=self.run.model.device)

    @property
    def updates(self) -> list[list[Update]]:
        """What happened to each target so far."""
        self.notes.read()
        return self.notes.updates

    def release(self) -> None:
        """Keep a graph for the next run, or give its memory back."""
        if self._graph is not None:
            self._graph.release()

    def update(self, latents: Latents, level: Level, index: int) -> Latents:
        """Latents moved downhill if this step is guided.

        The gradient is taken at what the network sees, `level.scale` times the solver's latents, and the step is made
        there: so it means the same for every solver.
        """
        self.notes.read()
        guidance = self.guidance
        if guidance.strength > 0 and self._guided[index]:
            for _ in range(guidance.repeats):
                energy, gradient = self.gradient(latents * level.scale, level.timestep, index)
                enough = energy.mean(1) < guidance.stop_below  # each prompt by itself, whatever shares its batch
                if guidance.stop_below > -math.inf and enough.all():
                    break
                change = self._change(gradient, level) * ~enough.view(-1, 1, 1, 1, 1)
                self.notes.add(index, energy, change, ~enough)
                moved = latents[self.run.targets] - change / level.scale
                latents = torch.cat([moved.to(latents.dtype), latents[len(moved) :]])
        if not any(self._guided[index + 1 :]):
            self.release()  # for the steps that remain, and the decoder
        return latents

    def _change(self, gradient: Latents, level: Level) -> Latents:
        """delta^2 eta gradient, of eq. 4; with equal steps each clip's gradient first gets a root mean square of 1."""
        law, size = self.guidance.law, LAWS[self.guidance.law](level)
        if math.isinf(size):
            raise ValueError(
                f"law={law!r} has no finite step where there is no signal, at timestep {level.timestep:.0f}; possible "
                f"are {', '.join(map(repr, LAWS))}, or a schedule without that step"
            )
        if law == "equal":
            length = gradient.square().mean((1, 2, 3, 4), keepdim=True).sqrt()
            gradient = gradient / length.clamp(min=torch.finfo(gradient.dtype).tiny)
        return self.guidance.strength * size * gradient

    def gradient(
        self, inputs: Latents, timestep: float, index: int = 0
    ) -> tuple[Float[Tensor, "prompts frames"], Float[Tensor, "prompts channels frames height width"]]:
        """Energies and their gradient with respect to what the network sees, in float32, of the targets alone.

        Only the conditional pass is run, and nothing after the last needed site.
        """
        time = torch.tensor(timestep, device=inputs.device)
        somebody_listens = any(entry.network is self.run.model.network for entry in LISTENERS.get())
        if self._graph is None or somebody_listens:
            return self._gradient_that_fits(inputs, time, index)

        def run(moving: Tensor, when: Tensor, facts: Facts) -> tuple[Tensor, Tensor]:
            return self._gradient(moving, when, index, facts)

        results = self._graph.results(run, inputs, time)
        self._graph.is_warm = True
        return results or self._gradient_that_fits(inputs, time, index)

    def _prepare_graph(self) -> GraphOfRun:
        energy = self.guidance.energy
        names = tuple(site.name for site in self.sites)
        terms = tuple(energy.items()) if isinstance(energy, Mapping) else energy
        about = (names, terms, self.placements.counts(), self._is_short is None, APART.get())
        network = self.run.model.network
        is_kept = not callable(energy) and not takes_turns(network)  # a function may hold anything, the model too
        return GraphOfRun(network, self.facts, about, is_kept)

    def _gradient_that_fits(self, inputs: Latents, timestep: Tensor, index: int) -> tuple[Tensor, Tensor]:
        """A gradient pass; with memory="auto", one that finds too little memory is run again and saves from its start.

        So do all later ones. Nothing can tell beforehand how much the first stages of a network will take.
        """
        try:
            return self._gradient(inputs, timestep, index, self.facts)
        except torch.OutOfMemoryError:
            if self.guidance.memory != "auto" or self._is_short is always:
                raise
        self._is_short = always  # outside of `except`, where the error would keep what the pass had computed
        if inputs.is_cuda:
            torch.cuda.empty_cache()
        return self._gradient(inputs, timestep, index, self.facts)

    def _gradient(self, inputs: Latents, timestep: Tensor, index: int, facts: Facts) -> tuple[Tensor, Tensor]:
        model, call = self.run.model, self.run.call(index, gradient=True)
        scale = LOSS_SCALE if model.dtype == torch.float16 else 1.0
        with torch.enable_grad():
            moving = inputs.detach().requires_grad_(True)
            forward = partial(model.predict, moving, timestep, facts.text, call=call)
            with probed(model.backbone, self.sites, forward, self._is_short, facts.tokens) as maps:
                energies = [self._energy_at(maps[site.name], facts.placements, facts.order) for site in self.sites]
                energy = torch.stack(energies).mean(0)
                (gradient,) = torch.autograd.grad(scale * energy.sum(), moving)
        return energy.detach(), gradient[self.run.targets].float() / scale

    def energy_at(self, maps: Maps) -> Float[Tensor, "prompts frames"]:
        """The energy at one site, of maps of all tokens: mean over heads, sum over words."""
        return self._energy_at(maps, self.placements, self.facts.order)

    def _energy_at(self, maps: Maps, placements: Placements, order: Tensor) -> Float[Tensor, "prompts frames"]:
        rows = []
        for of_clip, objects in zip(maps, placements.of_prompts, strict=False):  # sources have no targets
            energies = []
            for placement in objects:
                of_word = of_clip[..., placement.positions].sum(-1)[order]
                energies.append(self._of_object(of_word, placements.drawn(placement.target, of_clip)))
            rows.append(torch.stack(energies).sum(0))
        return torch.stack(rows)

    def _of_object(
        self, of_word: Float[Tensor, "frames heads height width"], target: Float[Tensor, "frames height width"]
    ) -> Float[Tensor, " frames"]:
        maps = of_word.transpose(0, 1)  # (heads, frames, height, width)
        energies = self._energy(maps, target)
        if not isinstance(energies, Tensor) or energies.shape != maps.shape[:2] or not energies.requires_grad:
            raise ValueError(
                f"energy={self.guidance.energy!r} gives {shown(energies)}; needed is one number for each head and "
                f"frame, a tensor {tuple(maps.shape[:2])} with a gradient"
            )
        return energies.mean(0)
