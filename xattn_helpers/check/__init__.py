"""Checks of what the exercises of the lessons ask for: `check.flow_step(your_function)` says what is wrong with it.

A check runs the function on small inputs beside the right one, and where they differ, beside the usual wrong ones, so
that it can name the mistake. It never shows the solution.
"""

from .blocks import attention, biased_attention, unpatchify
from .denoising import ddim_step, denoise
from .flow import flow_step, noise_share
from .noise import add_noise, classifier_free, noise_loss
from .verdict import Verdict

__all__ = [
    "Verdict", "add_noise", "attention", "biased_attention", "classifier_free", "ddim_step", "denoise", "flow_step",
    "noise_loss", "noise_share", "unpatchify",
]  # fmt: skip
