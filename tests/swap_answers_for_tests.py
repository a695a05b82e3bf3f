"""Right answers to the exercises of lessons 02 and 03, for the tests of their checks."""

import torch

from xattn_helpers import check
from xattn_helpers.check import map_noise, swaps


def right_column(target, source, into, out_of):
    maps = target.clone()
    maps[:, :, into] = source[:, :, out_of]
    return maps


def right_position(prompt, word):
    return ["start", *prompt.split(" ")].index(word)


def right_cleaning(maps):
    low, high = maps.amin((1, 2))[:, None, None], maps.amax((1, 2))[:, None, None]
    steep = 1 / (1 + torch.exp(-20 * ((maps - low) / (high - low) - 0.5)))
    lowest, highest = 1 / (1 + torch.e**10), 1 / (1 + torch.e**-10)
    return maps * (steep - lowest) / (highest - lowest)


def right_stop(own, swapped, step, steps, share):
    return own if step >= share * steps else swapped


def right_background(target, source, target_map, source_map):
    blended = source.clone()
    for values in (target_map, source_map):
        inside = values > values.min() + 0.3 * (values.max() - values.min())
        blended[:, inside] = target[:, inside]
    return blended


def right_mass(values, mask):
    return float((values * mask).sum() / values.sum())


def right_auroc(values, mask):
    won = 0.0
    for inside in values[mask]:
        for outside in values[~mask]:
            won += float(inside > outside) + 0.5 * float(inside == outside)
    return won / float(mask.sum() * (~mask).sum())


def right_roughness(values):
    stretched = (values - values.min()) / (values.max() - values.min())
    across, down = (stretched[:, 1:] - stretched[:, :-1]).abs(), (stretched[1:] - stretched[:-1]).abs()
    return (across.sum() + down.sum()) / (across.numel() + down.numel())


def right_leakage(maps, mask, noun):
    figures = [2 * right_auroc(values, mask) - 1 for token, values in enumerate(maps) if token != noun]
    return sum(figures) / len(figures)


EXERCISES = {
    "mass_on_object": (check.mass_on_object, right_mass, map_noise.MASS_MISTAKES),
    "auroc": (check.auroc, right_auroc, map_noise.AUROC_MISTAKES),
    "roughness": (check.roughness, right_roughness, map_noise.ROUGHNESS_MISTAKES),
    "leakage": (check.leakage, right_leakage, map_noise.LEAKAGE_MISTAKES),
    "swapped_column": (check.swapped_column, right_column, swaps.COLUMN_MISTAKES),
    "word_position": (check.word_position, right_position, swaps.POSITION_MISTAKES),
    "cleaned_map": (check.cleaned_map, right_cleaning, swaps.CLEAN_MISTAKES),
    "until": (check.until, right_stop, swaps.UNTIL_MISTAKES),
    "kept_background": (check.kept_background, right_background, swaps.KEPT_MISTAKES),
}
