"""The choices of guidance as data: how far a step goes, which steps are guided, and which frame answers for which."""

from collections.abc import Callable

from torch import Tensor

# Step-size laws: delta^2 from the signal's share abar (the cumulative product of alphas) at this step; the numbers are
# those of Stable Diffusion's and ModelScope's schedule.
LAWS: dict[str, Callable[[Tensor], Tensor]] = {
    "1 - abar": lambda abar: 1 - abar,  # the paper's released code: from .995 to .02 over the schedule
    "(1 - abar) / abar": lambda abar: (1 - abar) / abar,  # eq. 4 to the letter, also called sigma^2: from 214 to .02
    "sqrt(1 - abar)": lambda abar: (1 - abar).sqrt(),  # LVD
    "norm": lambda abar: (1 - abar).sqrt(),  # as LVD, for a gradient that was first scaled to norm one
}

# Schedules: whether step `index` of `steps` is guided.
SCHEDULES: dict[str, Callable[[int, int], bool]] = {
    "paper": lambda index, steps: index < steps / 4 or index % 2 == 0,  # section 4.2
    "released": lambda index, steps: index < 0.9 * steps and (index <= 0.4 * steps or index % 2 == 0),  # its code
    "first quarter": lambda index, steps: index < steps / 4,  # layout guidance and LVD stop early, too
    "first half": lambda index, steps: index < steps / 2,
    "always": lambda index, steps: True,
}

# Frames: the frame, of `frames`, whose map is held against the target of frame `frame`.
FRAMES: dict[str, Callable[[int, int], int]] = {
    "own": lambda frame, frames: frame,
    # The paper's released code takes the second half of a batch for the conditional half of classifier-free guidance,
    # but its batch is conditional only: the second half are the later frames. (What it then reads as 16 frames are 8
    # frames twice, with half of the heads each; here every one keeps all heads.) Frames 0 to 7 of 16 have no target.
    "released": lambda frame, frames: frames // 2 + frame // 2,
}


def signal(scheduler, timestep: Tensor | int) -> Tensor:
    """abar at a timestep; raises ValueError for a scheduler without it (flow matching), whose law must be another."""
    if not hasattr(scheduler, "alphas_cumprod"):
        raise ValueError(
            f"{type(scheduler).__name__} has no alphas_cumprod, from which the step size is made; use DDIMScheduler or "
            "DPMSolverMultistepScheduler"
        )
    return scheduler.alphas_cumprod[int(timestep)]
