"""Checks of what the exercises of the lessons ask for: `check.flow_step(your_function)` says what is wrong with it.

A check runs the function on small inputs beside the right one, and where they differ, beside the usual wrong ones, so
that it can name the mistake. It never shows the solution.
"""

from .blocks import attention, biased_attention, unpatchify
from .flow import flow_step, noise_share
from .motion import box_mask, line_boxes, mean_iou, neediest
from .verdict import Verdict

__all__ = [
    "Verdict", "attention", "biased_attention", "box_mask", "flow_step", "line_boxes", "mean_iou", "neediest",
    "noise_share", "unpatchify",
]  # fmt: skip
