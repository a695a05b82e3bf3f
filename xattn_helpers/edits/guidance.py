"""Backward guidance: before a denoising step, move the latents downhill on an energy of attention maps (section 3.4).

    path = track([(0.25, 0.25), (0.25, 0.8)])
    clip = generate(model, "a burger floats on the water", edits=Guidance("burger", path))

The update is the paper's eq. 4, z <- z - delta^2 * eta * gradient; every choice that the paper and its peers make
differently is a knob of `Guidance`.
"""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal

from pydantic import Field

from ..arguments import checked
from ..backbones.backbone import Site, choose_sites
from ..kinds import Cells, Words, takes
from .edit import Run
from .energies import Weighted, combine
from .gradient import Memory
from .placements import Targets, WordsOfTargets, check_placements, for_some
from .steering import Steering
from .steps import FRAMES, LAWS, SCHEDULES, FrameOf, Law, Schedule
from .targets import Shape

__all__ = ["FRAMES", "LAWS", "SCHEDULES", "Guidance"]

FOR_SIZE: dict[str, Any] = {"strength": 0.055, "schedule": "always"}
USUAL_ROWS = (7, 20)  # of maps in which the paper and its peers find objects: 8 x 8 and 16 x 16 at their sizes

Limit = Annotated[float, Field(gt=0, allow_inf_nan=True)]
ScheduleFunction = Annotated[Callable[[int, int], bool], takes(2)]
FrameFunction = Annotated[Callable[[int, int], int], takes(2)]
Endless = Annotated[float, Field(ge=-math.inf, allow_inf_nan=True, description="a number, -inf for never")]


@checked
@dataclass(frozen=True)
class Guidance:
    """Where words shall be. Lists of words and targets guide several objects at once.

    Lists of lists, one for each prompt of a batch, give every prompt words and targets of its own.
    """

    word: WordsOfTargets
    # A track, the moved maps of an unguided run (`zero_shot.py`), or maps (frames, height, width) in [0, 1]
    target: Targets
    # What is minimised: a name of `ENERGIES`, names with weights, or a function. "box" leaves no second object behind.
    energy: Weighted = "box"
    # eta. With the law "equal", the length of a step at full noise: the root mean square of what is added to a latent.
    # With the others it depends on energy, size and model: 100 for "1 - abar" and "box" on the pocket models.
    strength: Annotated[float, Field(ge=0)] = 0.08
    law: Law = "equal"  # delta^2, a name of `LAWS`
    schedule: Schedule | ScheduleFunction = "first half"  # a name of `SCHEDULES`, or a function of index, steps
    cells: Cells | None = None  # latent cells a map cell; None: maps of 7 to 20 rows, or all
    groups: Words | None = None  # of sites; None is all
    blocks: Words | None = None  # sites whose names begin so, as "blocks.0."; None is all
    shape: Shape = "disc"  # how a track is drawn: "disc", the ellipse in a box, or "box", whose corners few things fill
    repeats: Annotated[int, Field(ge=1, le=1000)] = 1  # updates at each guided step
    stop_below: Endless = -math.inf  # no further repeats when the mean energy of a frame is below this
    limit: Limit = 10.0  # standard deviations that one update may move a latent; more is an error
    # Of a gradient pass: "save" computes each stage of the network twice, which is slower and smaller; "spend" keeps
    # all; "auto" saves from the stage on at which less than half of a GPU's memory is free, and from its start once a
    # pass has found too little; it spends on a CPU.
    memory: Memory = "auto"
    # On a CUDA GPU: record the gradient pass once and replay it, in less than a third of the time for a large network,
    # in the next runs of the same shapes too. Its memory stays reserved, so that "auto" saves, until the model goes, or
    # until the last guided step of a run that leaves less than half of the GPU free. While somebody else looks at the
    # attention (a capture, a swap), the pass runs as usual.
    graphed: bool = False
    # The frame that answers for a frame's target: a name of `FRAMES` ("released": the bug of the paper's released code,
    # which leaves the first half of a video without targets of its own), or a function of frame, frames.
    frame_of: FrameOf | FrameFunction = "own"
    source: Literal[""] = ""

    def __post_init__(self):
        check_placements(self.word, self.target)
        combine(self.energy)

    @classmethod
    def for_track(cls, word: Any, target: Any, **knobs: Any) -> "Guidance":
        """For objects that move along a track: the defaults, which the study `tuning` chose for it."""
        return cls(word, target, **knobs)

    @classmethod
    def for_size(cls, word: Any, target: Any, **knobs: Any) -> "Guidance":
        """For objects that take a size where they are: shorter steps until the end keep more of the scene.

        Chosen in the study `tuning`, too. It costs a gradient at every step, so about twice as much as the defaults.
        """
        return cls(word, target, **(FOR_SIZE | knobs))

    def sites(self, model: Any, size: tuple[int, int, int] | None = None) -> list[Site]:
        """The sites whose maps are held against the target, before anything runs.

        `size` is frames, height and width of the latents, by default those of the model's own clips. Raises ValueError
        if the model has none of the sites that were asked for.
        """
        backbone, own = model.backbone, model.defaults
        chosen = choose_sites(backbone, self.groups, self.cells, self.blocks)
        if self.cells is not None:
            return chosen
        low, high = USUAL_ROWS
        size = size or model.codec.latent_size(own.frames, own.height, own.width)
        usual = [site for site in chosen if low <= backbone.grid(site, size)["height"] <= high]
        return usual or chosen

    def for_prompts(self, chosen: slice) -> "Guidance":
        """The same for some of the prompts of a batch."""
        return replace(self, **for_some(self.word, self.target, chosen))

    @contextmanager
    def attach(self, run: Run) -> Iterator[Steering]:
        """Move the latents of the targets before each guided step inside the block."""
        if self.graphed and run.model.device.type != "cuda":
            raise ValueError(f"graphed=True needs a CUDA GPU; the model is on {run.model.device}")
        steering = Steering(self, run)
        try:
            yield steering
            steering.notes.read()
        finally:
            steering.release()
