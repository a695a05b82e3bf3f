"""All that can be set from the command line of the training program."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from .. import WEIGHTS
from .stages import STAGES

NAMES = tuple(stage.name for stage in STAGES)
RESUMABLE = tuple(stage.name for stage in STAGES if stage.goes_on)


@dataclass
class TrainConfig:
    """Which stages to run, where, and how long.

    Raises ValueError for a stage that does not exist, or that cannot go on from finished weights.
    """

    stages: list[str] = field(default_factory=lambda: list(NAMES), metadata={"help": f"which of {NAMES}"})
    out: Path = field(default=WEIGHTS, metadata={"help": "folder of the finished models"})
    work: Path = field(default=Path("runs/pocket"), metadata={"help": "folder of checkpoints and latents"})
    seed: int = 0
    clips: int = field(default=49152, metadata={"help": "clips in the training set of the diffusion models"})
    frame_clips: int = field(default=16384, metadata={"help": "clips whose frames train autoencoder and detector"})
    vae_steps: int = 2000
    vae_batch: int = 96
    detector_steps: int = 1500
    detector_batch: int = 96
    t2i_steps: int = 4000
    t2i_batch: int = 512
    t2v_steps: int = 2500
    t2v_batch: int = 96
    t2v_noisy_share: float = field(default=0.6, metadata={"help": "of the timesteps, drawn from the noisiest: motion"})
    t2v_noisy_from: float = field(default=0.75, metadata={"help": "where the noisiest timesteps begin, in [0, 1)"})
    t2v_motion_share: float = field(default=0.35, metadata={"help": "of a batch, from captions that name a motion"})
    dit_steps: int = field(default=24000, metadata={"help": "0: as many as fit into `minutes`, down to the last rate"})
    dit_batch: int = 128
    dit_rate: float = field(default=1e-3, metadata={"help": "largest learning rate"})
    dit_hold: float = field(default=0.3, metadata={"help": "share of the training before the learning rate falls"})
    dit_image_share: float = field(default=0.35, metadata={"help": "of the batches: single frames, not videos"})
    dit_motion_share: float = field(default=0.3, metadata={"help": "of a batch, from captions that name a motion"})
    minutes: float = field(default=math.inf, metadata={"help": "stop after this time; the next call goes on"})
    compile: bool = field(default=False, metadata={"help": "compile the blocks: minutes at first, then faster (CUDA)"})
    go_on: list[str] = field(default_factory=list, metadata={"help": f"of {RESUMABLE}: start from the weights in out"})
    smoke: bool = field(default=False, metadata={"help": "a few steps of everything, to see that it runs"})

    def __post_init__(self):
        self.out = Path(self.out)
        self.work = Path(self.work)
        if not self.dit_steps and math.isinf(self.minutes):
            raise ValueError("dit_steps=0 trains for as long as minutes say, and minutes are not given")
        _check("stages", self.stages, NAMES)
        _check("go_on", self.go_on, RESUMABLE)
        if self.smoke:
            self._shrink()

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
