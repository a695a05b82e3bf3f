"""Checks of what the exercises of the lessons ask for: `check.flow_step(your_function)` says what is wrong with it.

A check runs the function on small inputs beside the right one, and where they differ, beside the usual wrong ones, so
that it can name the mistake. It never shows the solution.
"""

from .blocks import attention, biased_attention, unpatchify
from .energies import normalise, shape_energy, soft_threshold
from .flow import flow_step, noise_share
from .statistics import bootstrap_interval, counted_iou, frames_read, paired_difference
from .steps import equal_step, guided_step
from .verdict import Verdict

__all__ = [
    "Verdict", "attention", "biased_attention", "bootstrap_interval", "counted_iou", "equal_step", "flow_step",
    "frames_read", "guided_step", "noise_share", "normalise", "paired_difference", "shape_energy", "soft_threshold",
    "unpatchify",
]  # fmt: skip
