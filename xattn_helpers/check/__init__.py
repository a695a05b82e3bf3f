"""Checks of what the exercises of the lessons ask for: `check.flow_step(your_function)` says what is wrong with it.

A check runs the function on small inputs beside the right one, and where they differ, beside the usual wrong ones, so
that it can name the mistake. It never shows the solution.
"""

from .blocks import attention, biased_attention, unpatchify
from .denoising import ddim_step, denoise
from .flow import flow_step, noise_share
from .maps import mean_map, record, word_map
from .motion import box_mask, line_boxes, mean_iou, neediest
from .noise import add_noise, classifier_free, noise_loss
from .tokens import chance_of_best, token_shares
from .verdict import Verdict

__all__ = [
    "Verdict", "add_noise", "attention", "biased_attention", "box_mask", "chance_of_best", "classifier_free",
    "ddim_step", "denoise", "flow_step", "line_boxes", "mean_iou", "mean_map", "neediest", "noise_loss",
    "noise_share", "record", "token_shares", "unpatchify", "word_map",
]  # fmt: skip
