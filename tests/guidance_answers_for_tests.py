"""Right answers to the exercises on guidance, each written in another way than the check's own."""

import torch

from xattn_helpers import check
from xattn_helpers.check import energies, statistics, steps


def right_norm(maps):
    normed = []
    for frame in maps:
        normed.append((frame - frame.min()) / (frame.max() - frame.min()))
    return torch.stack(normed)


def right_threshold(maps, sharpness):
    raised = 1 / (1 + torch.exp(sharpness * (0.5 - right_norm(maps))))
    return right_norm(raised)


def right_energy(shapes, target):
    return ((shapes - target) ** 2).flatten(2).sum(-1) / target[0].numel()


def right_step(latents, gradient, abar, strength):
    return latents + strength * (abar - 1) * gradient


def right_equal_step(latents, gradient, abar, strength):
    moved = []
    for clip, downhill in zip(latents, gradient, strict=True):
        length = torch.linalg.vector_norm(downhill) / downhill.numel() ** 0.5
        moved.append(clip - strength * (1 - abar) ** 0.5 / length * downhill)
    return torch.stack(moved)


def right_count(ious):
    seen = [value for value in ious.tolist() if value == value]
    return sum(seen) / len(ious) if len(seen) > len(ious) / 2 else 0.0


def right_difference(first, second):
    both = ~(first.isnan() | second.isnan())
    return first[both].mean() - second[both].mean()


def right_interval(values, draws):
    means = torch.stack([values[draw].mean() for draw in draws])
    return torch.quantile(means, torch.tensor([0.025, 0.975]))


def right_frames(frames):
    rows = torch.arange(frames).repeat_interleave(8)  # eight heads each
    return rows.chunk(2)[1].reshape(frames, -1)[:, 0]


EXERCISES = {
    "normalise": (check.normalise, right_norm, energies.NORM_MISTAKES),
    "soft_threshold": (check.soft_threshold, right_threshold, energies.THRESHOLD_MISTAKES),
    "shape_energy": (check.shape_energy, right_energy, energies.ENERGY_MISTAKES),
    "guided_step": (check.guided_step, right_step, steps.STEP_MISTAKES),
    "equal_step": (check.equal_step, right_equal_step, steps.EQUAL_MISTAKES),
    "counted_iou": (check.counted_iou, right_count, statistics.COUNTED_MISTAKES),
    "paired_difference": (check.paired_difference, right_difference, statistics.PAIRED_MISTAKES),
    "bootstrap_interval": (check.bootstrap_interval, right_interval, statistics.BOOTSTRAP_MISTAKES),
    "frames_read": (check.frames_read, right_frames, statistics.FRAMES_MISTAKES),
}
