"""The choices of guidance as data: how far a step goes, which steps are guided, and which frame answers for which."""

from collections.abc import Callable
from typing import Literal

from ..backbones.noise import Level

Law = Literal["equal", "1 - abar", "(1 - abar) / abar", "(1 - alpha) / alpha", "sqrt(1 - abar)"]
Schedule = Literal["paper", "released", "first quarter", "first half", "every second", "always"]
FrameOf = Literal["own", "released"]


def _noise_share(level: Level) -> float:
    """1 - abar: the share of noise in the variance of what the network sees; of flow matching, too."""
    return level.sigma**2 / (level.alpha**2 + level.sigma**2)


def _noise_ratio(level: Level) -> float:
    return level.sigma**2 / level.alpha**2 if level.alpha else float("inf")


def _step_ratio(level: Level) -> float:
    return (1 - level.step_alpha) / level.step_alpha if level.step_alpha else float("inf")


# Step-size laws: delta^2 from the level of noise at this step; the numbers are those of the usual schedule of images,
# which ModelScope's videos share.
LAWS: dict[str, Callable[[Level], float]] = {
    # as LVD, for a gradient that was first scaled to a root mean square of one: strength is then the length of a step,
    # in standard deviations of a latent, whatever the size of the clip, the model and the energy
    "equal": lambda level: _noise_share(level) ** 0.5,
    "1 - abar": _noise_share,  # the paper's released code: from .995 to .02 over the schedule
    "(1 - abar) / abar": _noise_ratio,  # eq. 4 to the letter, if alpha is read as abar: from 214 to .02
    "(1 - alpha) / alpha": _step_ratio,  # eq. 4 to the letter, if alpha is 1 - beta of one timestep: from .012 to .001
    "sqrt(1 - abar)": lambda level: _noise_share(level) ** 0.5,  # LVD (Lian et al. 2024)
}

# Schedules: whether step `index` of `steps` is guided.
SCHEDULES: dict[str, Callable[[int, int], bool]] = {
    "paper": lambda index, steps: index < steps / 4 or index % 2 == 0,  # section 4.2
    "released": lambda index, steps: index < 0.9 * steps and (index <= 0.4 * steps or index % 2 == 0),  # its code
    "first quarter": lambda index, steps: index < steps / 4,  # layout guidance and LVD stop early, too
    "first half": lambda index, steps: index < steps / 2,
    "every second": lambda index, steps: index % 2 == 0,  # half the cost of "always", and guided until the end
    "always": lambda index, steps: True,
}

# Frames: the frame, of `frames`, whose map is held against the target of frame `frame`.
FRAMES: dict[str, Callable[[int, int], int]] = {
    "own": lambda frame, frames: frame,
    # The paper's released code takes the second half of a batch for the conditional half of classifier-free guidance,
    # but its batch is conditional only: the second half are the later frames. (What it then reads as 16 frames are 8
    # frames twice, with half of the heads each; here each keeps all heads.) Frames 0 to 7 of 16 have no target.
    "released": lambda frame, frames: frames // 2 + frame // 2,
}


def by_name(value: str | Callable, possible: dict[str, Callable]) -> Callable:
    """A function by its name, or a function."""
    return value if callable(value) else possible[value]
