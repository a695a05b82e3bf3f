"""The zero-shot target of the paper, M x shape(A_orig): the maps of the unguided run, resized and moved (eq. 3).

    free = unguided(model, "a shark swims in the ocean", seed=3)       # run once, then kept
    target = free.moved("shark", scale=1.5, shift=(0.2, 0.0))
    clip = generate(model, free.clip.prompt, seed=3, guidance=Guidance("shark", target))
"""

from dataclasses import dataclass
from weakref import WeakKeyDictionary

import torch
import torch.nn.functional as F
from torch import Tensor
from transformers import PreTrainedTokenizerBase

from . import tokens
from .maps import centre_of_mass, soft_threshold
from .models import Model
from .recording import Recording, capture
from .sampling import Clip, generate
from .targets import Track, transform

MOST = 64  # unguided runs kept for each model; the oldest goes first
_KEPT: WeakKeyDictionary = WeakKeyDictionary()  # UNet: {(prompt, seed, steps): Unguided}


@dataclass
class Moved:
    """A target made of maps, at any resolution; `Guidance` takes it where it takes a track."""

    maps: dict[int, Tensor]  # by height: (frames, height, width), of the unguided run
    scale: float | Tensor = 1.0  # of the object's sides, one number or (frames,)
    shift: tuple[float, float] | Tensor = (0.0, 0.0)  # (x, y) in parts of the picture, one or (frames, 2)

    def mask(self, frames: int, height: int, width: int, shape: str = "") -> Tensor:
        """Targets (frames, height, width) in [0, 1]: from the unguided maps of this height, else from the next larger.

        `shape` is for tracks, and is not looked at. Raises ValueError for another number of frames.
        """
        there = max(self.maps) if height > max(self.maps) else min(one for one in self.maps if one >= height)
        maps = self.maps[there]
        if len(maps) != frames:
            raise ValueError(f"target: an unguided run of {len(maps)} frames given; needed are {frames} frames")
        drawn = transform(soft_threshold(maps), self.scale, self.shift).clamp(0, 1)
        if drawn.shape[1:] == (height, width):
            return drawn
        if height > there:
            return F.interpolate(drawn[:, None], (height, width), mode="bilinear")[:, 0]
        return F.adaptive_avg_pool2d(drawn[:, None], (height, width))[:, 0]


@dataclass
class Unguided:
    """An unguided clip and the attention of its run."""

    clip: Clip
    attention: dict[int, Tensor]  # by height: (frames, height, width, tokens), mean over steps, layers and heads
    tokenizer: PreTrainedTokenizerBase

    def maps(self, word: str) -> dict[int, Tensor]:
        """The word's maps by height, (frames, height, width) each; raises ValueError for an unknown word."""
        positions = tokens.find(self.tokenizer, self.clip.prompt, word)
        return {height: one[..., positions].sum(-1) for height, one in self.attention.items()}

    def moved(self, word: str, scale: float | Tensor = 1.0, shift: tuple[float, float] | Tensor = (0.0, 0.0)) -> Moved:
        """The word's maps as a target, resized about their centre and moved; raises ValueError for an unknown word."""
        return Moved(self.maps(word), scale, shift)

    def along(self, word: str, path: Track, scale: float | Tensor = 1.0) -> Moved:
        """The word's maps as a target, each frame's moved from where it is to where `path` is at that time."""
        maps = self.maps(word)
        finest = maps[max(maps)]
        centres = centre_of_mass(soft_threshold(finest)).nan_to_num(0.5)  # (frames, 2)
        return Moved(maps, scale, torch.from_numpy(path.centres(len(finest))).to(centres) - centres)


def unguided(model: Model, prompt: str, seed: int = 0, steps: int | None = None) -> Unguided:
    """The unguided run of a prompt and seed; it is made once for each model and number of steps, then kept."""
    return all_unguided(model, [prompt], [seed], steps)[0]


def all_unguided(model: Model, prompts: list[str], seeds: list[int], steps: int | None = None) -> list[Unguided]:
    """The unguided runs of several prompts; those that are not kept yet are made together."""
    kept = _KEPT.setdefault(model.unet, {})
    keys = [(prompt, seed, steps or model.defaults.steps) for prompt, seed in zip(prompts, seeds, strict=True)]
    found = {key: kept[key] for key in keys if key in kept}
    missing = list(dict.fromkeys(key for key in keys if key not in kept))
    if missing:
        with capture(model) as attention:
            clips = generate(model, [key[0] for key in missing], [key[1] for key in missing], steps, progress=False)
        for index, (key, clip) in enumerate(zip(missing, clips, strict=True)):
            found[key] = Unguided(clip, _by_height(attention, index), model.tokenizer)
    kept |= found
    while len(kept) > MOST:
        del kept[next(iter(kept))]
    return [found[key] for key in keys]


def _by_height(attention: Recording, index: int) -> dict[int, Tensor]:
    """Probabilities of one of the recorded prompts, averaged over heads and the layers of a resolution."""
    layers = {}
    for layer in attention.select():
        one = attention.probabilities(layer)[index].mean(1)  # (frames, height, width, tokens)
        layers.setdefault(one.shape[1], []).append(one)
    return {height: torch.stack(ones).mean(0) for height, ones in sorted(layers.items())}
