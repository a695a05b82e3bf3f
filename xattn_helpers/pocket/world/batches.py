"""Stories as tensors: many of them beside each other, ready to be drawn."""

import dataclasses
import random
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from .actors import Actor
from .stories import FRAMES, Story, sample_story
from .vocabulary import MEDIA, OBJECTS

ABSENT = -1  # the object of an actor that a story does not have, for it has fewer than another story of the batch


@dataclass(frozen=True)
class StoryBatch:
    """Stories of equal length as tensors; an absent actor has size 0."""

    scene: Int[Tensor, " batch"]  # index into MEDIA
    backdrop: Int[Tensor, " batch"]
    objects: Int[Tensor, "batch actors"]  # index into OBJECTS, in drawing order, or ABSENT
    position: Float[Tensor, "batch actors frames 2"]  # x, y in [0, 1], y down
    size: Float[Tensor, "batch actors frames"]  # long side over frame side
    angle: Float[Tensor, "batch actors frames"]  # radians, clockwise
    facing: Float[Tensor, "batch actors frames"]  # 1 right, -1 left

    def __len__(self) -> int:
        """How many stories there are."""
        return len(self.scene)

    def __getitem__(self, index) -> "StoryBatch":
        """The stories at `index`, a slice or a tensor of indices."""
        return StoryBatch(**{name: tensor[index] for name, tensor in vars(self).items()})

    @property
    def actors(self) -> int:
        """How many actors the largest story has."""
        return self.size.shape[1]

    @property
    def frames(self) -> int:
        """How many frames each story has."""
        return self.size.shape[2]

    def select_frames(self, index: Int[Tensor, "batch chosen"]) -> "StoryBatch":
        """Each story reduced to frames of its own."""
        index = index[:, None, :]  # (batch, 1, chosen): the same frames for every actor
        return dataclasses.replace(
            self,
            position=torch.take_along_dim(self.position, index[..., None], dim=2),
            size=torch.take_along_dim(self.size, index, dim=2),
            angle=torch.take_along_dim(self.angle, index, dim=2),
            facing=torch.take_along_dim(self.facing, index, dim=2),
        )

    def to(self, device: torch.device | str) -> "StoryBatch":
        """The same stories on another device."""
        return StoryBatch(**{name: tensor.to(device) for name, tensor in vars(self).items()})


def sample_batch(count: int, seed: int) -> tuple[StoryBatch, list[Story]]:
    """`count` random stories, the same for the same seed, as tensors and as stories with captions."""
    rng = random.Random(seed)
    stories = [sample_story(rng, FRAMES) for _ in range(count)]
    return collate(stories), stories


def collate(stories: Sequence[Story]) -> StoryBatch:
    """Stack stories; raises ValueError when there is none, or when they differ in length."""
    frames = _common_length(stories)
    slots = max(len(story.actors) for story in stories)
    casts = [_filled_cast(story.actors, slots, frames) for story in stories]
    scenes = list(MEDIA)
    return StoryBatch(
        scene=torch.tensor([scenes.index(story.scene) for story in stories]),
        backdrop=torch.tensor([story.backdrop for story in stories]),
        objects=torch.tensor([_object_indices(cast) for cast in casts]),
        position=torch.from_numpy(_stack(casts, "position")),
        size=torch.from_numpy(_stack(casts, "size")),
        angle=torch.from_numpy(np.deg2rad(_stack(casts, "angle"))),
        facing=torch.from_numpy(_stack(casts, "facing")),
    )


def _common_length(stories: Sequence[Story]) -> int:
    """The number of frames of every actor."""
    lengths = {len(actor.size) for story in stories for actor in story.actors}
    if len(lengths) != 1:
        raise ValueError(f"stories: {len(stories)} with {sorted(lengths)} frames given; all must have the same number")
    return lengths.pop()


def _filled_cast(actors: Sequence[Actor], slots: int, frames: int) -> list[Actor]:
    """The actors of a story, and absent ones up to the number of slots."""
    zeros = np.zeros(frames)
    absent = Actor("", np.zeros((frames, 2)), size=zeros, angle=zeros, facing=np.ones(frames))
    return [*actors, *[absent] * (slots - len(actors))]


def _object_indices(cast: Sequence[Actor]) -> list[int]:
    """The places of the actors' names in OBJECTS."""
    names = list(OBJECTS)
    return [names.index(actor.name) if actor.name else ABSENT for actor in cast]


def _stack(casts: Sequence[Sequence[Actor]], attribute: str) -> Float[np.ndarray, "batch actors frames ..."]:
    """One attribute of all actors."""
    rows = [[getattr(actor, attribute) for actor in cast] for cast in casts]
    return np.array(rows, np.float32)
