"""The zero-shot target of the paper, M x shape(A_orig): the maps of the unguided run, resized and moved (eq. 3).

    free = unguided(model, "a shark swims in the ocean", seed=3)       # run once, then kept
    target = free.moved("shark", scale=1.5, shift=(0.2, 0.0))
    clip = generate(model, free.clip.prompt, seed=3, edits=Guidance("shark", target))
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import torch
import torch.nn.functional as F
from jaxtyping import Float
from pydantic import Field
from torch import Tensor

from ..arguments import checked
from ..attention.maps import centre_of_mass, soft_threshold
from ..attention.recording import Recording, capture
from ..backbones.model import Model
from ..backbones.text import Text
from ..kinds import Frames, Positive, Prompt, Seed, Side, Steps
from ..sampling import Clip, generate
from .kept import Kept
from .targets import Scale, Shape, Shift, Track, track, transform

SMALLEST = 0.05  # side of a track of maps that are all but empty, in parts of the picture
_RUNS = Kept(64)  # what `run_key` gives: Unguided

MapsByHeight = Annotated[
    dict[int, Float[Tensor, "frames height width"]],
    Field(min_length=1, description="a dictionary from heights to maps (frames, height, width) as tensors"),
]  # fmt: skip


@checked
@dataclass(frozen=True, eq=False)
class MovedMaps:
    """A target made of maps, at any size; `Guidance` and `Bias` take it where they take a track."""

    maps: MapsByHeight  # of the unguided run
    scale: Scale = 1.0  # of the object's sides, a number or (frames,)
    shift: Shift = (0.0, 0.0)  # (x, y) in parts of the picture, a pair or (frames, 2)

    @checked
    def mask(
        self, frames: Frames, height: Side, width: Side, shape: Shape = "box"
    ) -> Float[Tensor, "frames height width"]:
        """Targets in [0, 1]: from the unguided maps of this height, else from the next larger.

        `shape` is for tracks, and is not looked at. Raises ValueError for another number of frames.
        """
        nearest = max(self.maps) if height > max(self.maps) else min(side for side in self.maps if side >= height)
        maps = self.maps[nearest]
        if len(maps) != frames:
            raise ValueError(f"target: an unguided run of {len(maps)} frames given; needed are {frames} frames")
        drawn = transform(soft_threshold(maps), self.scale, self.shift).clamp(0, 1)
        if drawn.shape[1:] == (height, width):
            return drawn
        if height > nearest:
            return F.interpolate(drawn[:, None], (height, width), mode="bilinear")[:, 0]
        return F.adaptive_avg_pool2d(drawn[:, None], (height, width))[:, 0]


@dataclass(frozen=True, eq=False)
class Unguided:
    """An unguided clip and the attention of its run."""

    clip: Clip
    attention: dict[int, Tensor]  # by height: (frames, height, width, tokens), mean over steps, sites and heads
    text: Text

    @checked
    def maps(self, word: str) -> dict[int, Float[Tensor, "frames height width"]]:
        """The word's maps by height; raises ValueError for an unknown word."""
        positions = self.text.find(self.clip.prompt, word)
        return {height: tokens[..., positions].sum(-1) for height, tokens in self.attention.items()}

    @checked
    def moved(self, word: str, scale: Scale = 1.0, shift: Shift = (0.0, 0.0)) -> MovedMaps:
        """The word's maps as a target, resized about their centre and moved; raises ValueError for an unknown word."""
        return MovedMaps(self.maps(word), scale, shift)

    @checked
    def as_track(self, word: str, scale: Positive = 1.0) -> Track:
        """Where the word's maps are in each frame, as a track, for an object of another shape.

        It has the centre of the maps and a square as large as they are, its side times `scale`. Raises ValueError for
        an unknown word.
        """
        maps = self.maps(word)
        shapes = soft_threshold(maps[max(maps)])
        centres = centre_of_mass(shapes).nan_to_num(0.5).clamp(0, 1)
        sides = (scale * shapes.mean((1, 2)).sqrt()).clamp(SMALLEST, 1)  # the mean is the share of the picture
        return track([tuple(centre) for centre in centres.tolist()], size=sides.tolist())

    @checked
    def follow(self, word: str, path: Track, scale: Scale = 1.0) -> MovedMaps:
        """The word's maps as a target, each frame's moved from where it is to where `path` is at that time."""
        maps = self.maps(word)
        finest = maps[max(maps)]
        centres = centre_of_mass(soft_threshold(finest)).nan_to_num(0.5)  # (frames, 2)
        return MovedMaps(maps, scale, torch.from_numpy(path.centres(len(finest))).to(centres) - centres)


@checked
def unguided(model: Model, prompt: Prompt, seed: Seed = 0, steps: Steps | None = None) -> Unguided:
    """The unguided run of a prompt and seed; it is made once for each model and number of steps, then kept."""
    return all_unguided(model, [prompt], [seed], steps)[0]


@checked
def all_unguided(
    model: Model, prompts: Sequence[Prompt], seeds: Sequence[Seed], steps: Steps | None = None
) -> list[Unguided]:
    """The unguided runs of several prompts; those that are not kept yet are made together."""
    if len(prompts) != len(seeds):
        raise ValueError(f"seeds: {len(seeds)} given for {len(prompts)} prompts; give one for each")
    keys = [run_key(model, prompt, seed, steps) for prompt, seed in zip(prompts, seeds, strict=True)]
    runs = _RUNS.of(model.network)
    missing = list(dict.fromkeys(key for key in keys if key not in runs))
    if missing:
        made = _make(model, missing, steps)
        runs |= made
        _RUNS.add(model.network, made)
    return [runs[key] for key in keys]


def run_key(model: Model, prompt: str, seed: int, steps: int | None) -> tuple:
    """All that a run of a network depends on: models with changed defaults or another solver may share one."""
    defaults, scheduler = model.defaults, model.noise.scheduler
    size = (defaults.frames, defaults.height, defaults.width)
    solver = (type(scheduler).__name__, repr(sorted(scheduler.config.items())))
    return prompt, seed, steps or defaults.steps, defaults.cfg_scale, size, solver


def _make(model: Model, keys: list[tuple], steps: int | None) -> dict[tuple, Unguided]:
    prompts, seeds = [key[0] for key in keys], [key[1] for key in keys]
    with capture(model) as attention:
        clips = generate(model, prompts, seeds, steps, progress=False)
    made = {}
    for index, (key, clip) in enumerate(zip(keys, clips, strict=True)):
        made[key] = Unguided(clip, by_height(attention, index), model.text)
    return made


def by_height(attention: Recording, index: int) -> dict[int, Tensor]:
    """Probabilities of one of the recorded prompts, averaged over heads and the sites of a height."""
    sites: dict[int, list[Tensor]] = {}
    for site in attention.sites():
        maps = attention.probabilities(site)[index].mean(1)  # (frames, height, width, tokens)
        sites.setdefault(maps.shape[1], []).append(maps)
    return {height: torch.stack(maps).mean(0) for height, maps in sorted(sites.items())}
