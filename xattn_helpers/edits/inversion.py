"""Noise for a video that is given: what the video is at each level of noise, and how an edit of it goes from each to
the next.

A *route* knows both. The source at a level is the given video, as noisy as the level says; the edit goes beside it,
from the source at the first level to the clean one. With x for the source, y for the edit and ' for the next level:

    flowedit  y' = x' + step(y) - step(x), where step is Euler's of flow matching, and DDIM's: FlowEdit (Kulikov et al.
              2024), whose z is y - x + x0.
    ddpm      y' = x' + mean(y) - mean(x), where mean is that of a random step: edit-friendly DDPM inversion
              (Huberman-Spiegelglas et al. 2024), in which x' - mean(x) is the noise that source and edit share.
    plain     y' = step(y), from the noise to which the steps of sampling lead backwards (DDIM inversion, Song et al.
              2021). A step backwards is taken before the prediction that it needs is known: the way back leads
              elsewhere.
    blended   y' = step(y), from noise that is drawn and not found, the same at each level. Nothing ties the edit to the
              video but the background, which has to be kept (Blended Latent Diffusion, Avrahami et al. 2023).

The first two are exact: while prediction and input of the edit are the source's, y is x, and ends as the given video.
Their x is drawn with noise of its own at each level. Several draws can be made at each, as FlowEdit's authors do
(n_avg in their code): y - x, which all of them share, then moves by the mean of their differences.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch

from ..backbones.noise import Level, Noise
from .edit import Latents

Method = Literal["flowedit", "ddpm", "plain", "blended"]
Predict = Callable[[Latents, Level], Latents]  # what the network says of the source


@dataclass(frozen=True, eq=False)
class Ladder:
    """A given video: its latents, the schedule of noise, and the levels of an edit, the clean one last."""

    latents: Latents
    noise: Noise
    levels: list[Level]

    def at(self, index: int, drawn: Latents) -> Latents:
        """alpha x0 + sigma noise: the latents at a level."""
        level = self.levels[index]
        return level.alpha * self.latents + level.sigma * drawn.to(self.latents)


@dataclass(frozen=True, eq=False)
class Route:
    """From level to level; `sources` are the latents of the source at each, with a row for each draw of noise."""

    ladder: Ladder
    sources: list[Latents]

    def step(self, index: int, edited: Latents, prediction: Latents, of_source: Latents) -> Latents:
        """The edit at the next level, from what the network predicts for it and for the source at this one."""
        raise NotImplementedError

    def around(self, index: int) -> tuple[Level, Level]:
        """A level and the next."""
        return self.ladder.levels[index], self.ladder.levels[index + 1]


class Plain(Route):
    """The edit by itself."""

    def step(self, index: int, edited: Latents, prediction: Latents, of_source: Latents) -> Latents:
        """A step of sampling."""
        return moved(self.ladder.noise, edited, prediction, *self.around(index))


class FlowEdit(Route):
    """The edit moves by the difference of two velocities."""

    def step(self, index: int, edited: Latents, prediction: Latents, of_source: Latents) -> Latents:
        """The source at the next level, and the difference of two steps."""
        noise, levels = self.ladder.noise, self.around(index)
        own = moved(noise, edited, prediction, *levels)
        differences = own - moved(noise, self.sources[index], of_source, *levels)
        return self.sources[index + 1] + differences.mean(0, keepdim=True)


class EditFriendly(Route):
    """The edit takes the noise that brings the source from each level to the next."""

    def step(self, index: int, edited: Latents, prediction: Latents, of_source: Latents) -> Latents:
        """The source at the next level, and the difference of two means."""
        noise, levels = self.ladder.noise, self.around(index)
        own = mean_of_step(noise, edited, prediction, *levels)
        differences = own - mean_of_step(noise, self.sources[index], of_source, *levels)
        return self.sources[index + 1] + differences.mean(0, keepdim=True)


ROUTES: dict[Method, type[Route]] = {"flowedit": FlowEdit, "ddpm": EditFriendly, "plain": Plain, "blended": Plain}
AVERAGED: tuple[Method, ...] = ("flowedit", "ddpm")  # can take the mean of several draws of noise


def default_method(noise: Noise) -> Method:
    """FlowEdit for models of flow matching, edit-friendly DDPM inversion for those of diffusion."""
    return "flowedit" if noise.is_flow else "ddpm"


def check_draws(method: Method, draws: int) -> None:
    """Raise ValueError for several draws of noise where a method has one noise for all levels."""
    if draws > 1 and method not in AVERAGED:
        possible = " and ".join(map(repr, AVERAGED))
        said = f"draws: {draws} given; {method!r} has one noise for all levels"
        raise ValueError(f"{said}; possible are 1, and {possible}")


def find_route(method: Method, ladder: Ladder, predict: Predict, seed: int, draws: int = 1) -> Route:
    """The route of a method; for the plain one, the network is asked once for each level."""
    if method == "plain":
        sources = inverted_sources(ladder, predict)
    else:
        sources = drawn_sources(ladder, seed, draws, anew=method != "blended")
    return ROUTES[method](ladder, sources)


def moved(noise: Noise, inputs: Latents, prediction: Latents, level: Level, to: Level) -> Latents:
    """alpha' x0 + sigma' e of what a prediction means: DDIM's step, and Euler's of flow matching, in any direction."""
    clean, drawn = noise.clean(prediction, inputs, level), noise.noise_in(prediction, inputs, level)
    return to.alpha * clean + to.sigma * drawn


def mean_of_step(noise: Noise, inputs: Latents, prediction: Latents, level: Level, to: Level) -> Latents:
    """The mean of a step of DDPM: alpha' x0 + sqrt(sigma'^2 - s^2) e, with eta = 1 in eq. 16 of Song et al. 2021.

    s^2 = (sigma' / sigma)^2 (1 - alpha^2 / alpha'^2).
    """
    clean, drawn = noise.clean(prediction, inputs, level), noise.noise_in(prediction, inputs, level)
    variance = (to.sigma / level.sigma) ** 2 * (1 - (level.alpha / to.alpha) ** 2)
    return to.alpha * clean + max(to.sigma**2 - variance, 0.0) ** 0.5 * drawn


def drawn_sources(ladder: Ladder, seed: int, draws: int = 1, anew: bool = True) -> list[Latents]:
    """The source at each level, with noise that is drawn anew at each, or once; on the CPU, so that devices agree.

    The rows are the draws; the clean latents, which have no noise, have one.
    """
    generator, sources = torch.Generator().manual_seed(seed), []
    shape = (draws, *ladder.latents.shape[1:])
    drawn = torch.randn(shape, generator=generator)
    for index in range(len(ladder.levels) - 1):
        if anew and index:
            drawn = torch.randn(shape, generator=generator)
        sources.append(ladder.at(index, drawn))
    return [*sources, ladder.latents]


def inverted_sources(ladder: Ladder, predict: Predict) -> list[Latents]:
    """The source at each level, by the steps of sampling backwards, from the clean latents to the first level.

    A step to a level takes the prediction at that level, of latents that are not there yet.
    """
    latents, sources = ladder.latents, [ladder.latents]
    for index in range(len(ladder.levels) - 2, -1, -1):
        level, below = ladder.levels[index], ladder.levels[index + 1]
        latents = moved(ladder.noise, latents, predict(latents, level), below, level)
        sources.insert(0, latents)
    return sources
