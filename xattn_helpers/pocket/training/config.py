"""All that can be set from the command line of the training program."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator, Field

from ...arguments import checked
from ...kinds import Count, Seed, Share
from .. import WEIGHTS
from ..networks import BLOCKS
from ..text import Mixing
from .stages import STAGES

NAMES = tuple(stage.name for stage in STAGES)
RESUMABLE = tuple(stage.name for stage in STAGES if stage.goes_on)

Folder = Annotated[Path, BeforeValidator(lambda value: Path(value) if isinstance(value, str) else value)]
CountOrZero = Annotated[int, Field(ge=0)]
Rate = Annotated[float, Field(gt=0, le=1)]
Part = Annotated[float, Field(gt=0, le=1)]
BelowOne = Annotated[float, Field(ge=0, lt=1)]
Minutes = Annotated[float, Field(gt=0, allow_inf_nan=True)]


@checked
@dataclass
class TrainConfig:
    """Which stages to run, where, and how long.

    Raises ValueError for a stage that does not exist, or that cannot go on from finished weights.
    """

    stages: list[str] = field(default_factory=lambda: list(NAMES), metadata={"help": f"which of {NAMES}"})
    out: Folder = field(default=WEIGHTS, metadata={"help": "folder of the finished models"})
    work: Folder = field(default=Path("runs/pocket"), metadata={"help": "folder of checkpoints and latents"})
    latents: Folder | None = field(default=None, metadata={"help": "folder of latents, if they are not in work"})
    seed: Seed = 0
    story_seed: Seed = field(default=0, metadata={"help": "of the stories in the training set of the diffusion models"})
    data_share: Part = field(default=1.0, metadata={"help": "of these clips, the first ones: all that is trained on"})
    text: Mixing = field(default="apart", metadata={"help": "whether the text encoder keeps words apart or mixes them"})
    clips: Count = field(default=49152, metadata={"help": "clips in the training set of the diffusion models"})
    frame_clips: Count = field(default=16384, metadata={"help": "clips whose frames train autoencoder and detector"})
    vae_steps: Count = 2000
    vae_batch: Count = 96
    detector_steps: Count = 1500
    detector_batch: Count = 96
    t2i_steps: Count = 4000
    t2i_batch: Count = 512
    t2v_steps: Count = 2500
    t2v_batch: Count = 96
    t2v_noisy_share: Share = field(default=0.6, metadata={"help": "of the timesteps, drawn from the noisiest: motion"})
    t2v_noisy_from: BelowOne = field(default=0.75, metadata={"help": "where the noisiest timesteps begin, in [0, 1)"})
    t2v_motion_share: Share = field(default=0.35, metadata={"help": "of a batch, from captions that name a motion"})
    t2v_scratch: bool = field(default=False, metadata={"help": "do not begin from the image model"})
    dit_blocks: Count = BLOCKS
    dit_steps: CountOrZero = field(default=24000, metadata={"help": "0: as many as fit into `minutes`"})
    dit_batch: Count = 128
    dit_rate: Rate = field(default=1e-3, metadata={"help": "largest learning rate"})
    dit_hold: Share = field(default=0.3, metadata={"help": "share of the training before the learning rate falls"})
    dit_image_share: Share = field(default=0.35, metadata={"help": "of the batches: single frames, not videos"})
    dit_motion_share: Share = field(default=0.3, metadata={"help": "of a batch, from captions that name a motion"})
    minutes: Minutes = field(default=math.inf, metadata={"help": "stop after this time; the next call goes on"})
    compile: bool = field(default=False, metadata={"help": "compile the blocks: minutes at first, then faster (CUDA)"})
    go_on: list[str] = field(default_factory=list, metadata={"help": f"of {RESUMABLE}: start from the weights in out"})
    smoke: bool = field(default=False, metadata={"help": "a few steps of everything, to see that it runs"})

    def __post_init__(self):
        if not self.dit_steps and math.isinf(self.minutes):
            raise ValueError("dit_steps=0 trains for as long as minutes say, and minutes are not given")
        _check("stages", self.stages, NAMES)
        _check("go_on", self.go_on, RESUMABLE)
        if self.smoke:
            self._shrink()

    @property
    def latents_folder(self) -> Path:
        """Where the latents of the training set are."""
        return self.work if self.latents is None else self.latents

    def _shrink(self) -> None:
        """Make everything tiny, away from the real checkpoints and the real weights, which stay as they are."""
        self.work = self.work / "smoke"
        if self.out == WEIGHTS:
            self.out = self.work / "weights"
        self.clips = 4
        self.frame_clips = 64
        self.vae_steps = self.detector_steps = self.t2i_steps = self.t2v_steps = self.dit_steps = 2
        self.vae_batch = self.detector_batch = self.t2i_batch = 2
        self.t2v_batch = self.dit_batch = 1


def _check(argument: str, names: Sequence[str], possible: Sequence[str]) -> None:
    unknown = sorted(set(names) - set(possible))
    if unknown:
        raise ValueError(f"{argument}: {unknown} given, possible are {', '.join(possible)}")
