"""Checks of what the exercises of the lessons ask for: `check.flow_step(your_function)` says what is wrong with it.

A check runs the function on small inputs beside the right one, and where they differ, beside the usual wrong ones, so
that it can name the mistake. It never shows the solution.
"""

from .blocks import attention, biased_attention, unpatchify
from .flow import flow_step, noise_share
from .noise import auroc, leakage, mass_on_object, roughness
from .swaps import cleaned_map, kept_background, swapped_column, until, word_position
from .verdict import Verdict

__all__ = [
    "Verdict", "attention", "auroc", "biased_attention", "cleaned_map", "flow_step", "kept_background", "leakage",
    "mass_on_object", "noise_share", "roughness", "swapped_column", "unpatchify", "until", "word_position",
]  # fmt: skip
