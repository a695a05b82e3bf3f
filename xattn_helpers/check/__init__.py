"""Checks of what the exercises of the lessons ask for: `check.flow_step(your_function)` says what is wrong with it.

A check runs the function on small inputs beside the right one, and where they differ, beside the usual wrong ones, so
that it can name the mistake. It never shows the solution.
"""

from .blocks import attention, biased_attention, unpatchify
from .denoising import ddim_step, denoise
from .energies import normalise, shape_energy, soft_threshold
from .flow import flow_step, noise_share
from .given import blended_latents, flowedit_step, found_noise, inversion_step, outside_psnr
from .map_noise import auroc, leakage, mass_on_object, roughness
from .maps import mean_map, record, word_map
from .motion import box_mask, line_boxes, mean_iou, neediest
from .noise import add_noise, classifier_free, noise_loss
from .statistics import bootstrap_interval, counted_iou, frames_read, paired_difference
from .steps import equal_step, guided_step
from .swaps import cleaned_map, kept_background, swapped_column, until, word_position
from .tokens import chance_of_best, token_shares
from .verdict import Verdict

__all__ = [
    "Verdict", "add_noise", "attention", "auroc", "biased_attention", "blended_latents", "bootstrap_interval",
    "box_mask", "chance_of_best", "classifier_free", "cleaned_map", "counted_iou", "ddim_step", "denoise",
    "equal_step", "flow_step", "flowedit_step", "found_noise", "frames_read", "guided_step", "inversion_step",
    "kept_background", "leakage", "line_boxes", "mass_on_object", "mean_iou", "mean_map", "neediest", "noise_loss",
    "noise_share", "normalise", "outside_psnr", "paired_difference", "record", "roughness", "shape_energy",
    "soft_threshold", "swapped_column", "token_shares", "unpatchify", "until", "word_map", "word_position",
]  # fmt: skip
