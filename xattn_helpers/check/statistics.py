"""Exercises on comparing settings: lost objects, paired differences, the bootstrap; and the frame bug."""

from collections.abc import Callable
from typing import Annotated

import numpy as np
import torch
from torch import Tensor

from ..arguments import checked
from ..edits.steps import FRAMES
from ..kinds import takes
from ..measures.adherence import HALF
from .parts import mean_over_all
from .verdict import Inputs, Verdict, judge

OfOne = Annotated[Callable, takes(1)]
OfTwo = Annotated[Callable, takes(2)]
NAN = float("nan")
TAILS = (2.5, 97.5)  # per cent of the resamples, below and above the interval


@checked
def counted_iou(function: OfOne) -> Verdict:
    """Check `function(ious)`: the mean over frames, NaN counting 0; 0 unless more than half of the frames have one."""
    videos = ([0.8, 0.6, NAN, 0.7], [0.9, NAN, NAN, 0.5], [NAN, NAN, 0.6, NAN], [NAN] * 3, [0.4, 0.5, 0.6])
    calls: list[Inputs] = [(torch.tensor(video),) for video in videos]
    return judge(function, _counted, COUNTED_MISTAKES, calls, "counted_iou")


def _counted(ious: Tensor) -> Tensor:
    return mean_over_all(ious) * bool((~ious.isnan()).float().mean() > HALF)


def _counted_from(share: float) -> Callable[[Tensor], Tensor]:
    """With another share of frames that must have the object."""
    return lambda ious: mean_over_all(ious) * bool((~ious.isnan()).float().mean() >= share)


COUNTED_MISTAKES = {
    "counted_iou leaves out the frames without the object: they count 0, so divide by all frames":
        lambda ious: ious.nanmean().nan_to_num(0.0) * bool(_counted(ious) > 0),
    "counted_iou leaves out the frames without the object, and never calls an object lost":
        lambda ious: ious.nanmean(),
    "counted_iou never calls an object lost: without more than half of the frames the video counts 0":
        mean_over_all,
    "counted_iou takes half of the frames for enough: it must be more than half": _counted_from(HALF),
    "counted_iou calls an object lost if one frame lacks it: more than half of the frames are enough":
        _counted_from(1.0),
    "counted_iou has it the other way round: a video with the object in more than half of the frames is not lost":
        lambda ious: mean_over_all(ious) - _counted(ious),
    "counted_iou returns NaN where the object is lost: it counts 0, or the mean of all videos would leave it out":
        lambda ious: torch.where(_counted(ious) > 0, _counted(ious), torch.tensor(NAN)),
    "counted_iou returns the share of frames that have the object": lambda ious: (~ious.isnan()).float().mean(),
    "counted_iou is NaN as soon as one frame has none: let NaN count 0": lambda ious: ious.mean(),
}  # fmt: skip


@checked
def paired_difference(function: OfTwo) -> Verdict:
    """Check `function(first, second)`: the mean of first - second over the cases that both have; NaN is none."""
    generator = torch.Generator().manual_seed(0)
    calls: list[Inputs] = []
    for cases, gaps in ((6, ((1,), (4, 5))), (5, ((0, 2), (2,))), (4, ((), ()))):
        pair = []
        for missing in gaps:
            values = torch.rand(cases, generator=generator)
            values[list(missing)] = NAN
            pair.append(values)
        calls.append(tuple(pair))
    return judge(function, _paired, PAIRED_MISTAKES, calls, "paired_difference")


def _paired(first: Tensor, second: Tensor) -> Tensor:
    return (first - second).nanmean()


PAIRED_MISTAKES = {
    "paired_difference subtracts two means: subtract case by case first, over the cases that both have":
        lambda first, second: first.nanmean() - second.nanmean(),
    "paired_difference is second minus first": lambda first, second: _paired(second, first),
    "paired_difference loses the signs: a difference may be negative":
        lambda first, second: (first - second).abs().nanmean(),
    "paired_difference lets a missing case count 0: leave it out on both sides":
        lambda first, second: (first.nan_to_num(0.0) - second.nan_to_num(0.0)).mean(),
    "paired_difference lets the difference of a missing case count 0: leave it out":
        lambda first, second: (first - second).nan_to_num(0.0).mean(),
    "paired_difference is NaN as soon as one case is missing: leave out what only one side has":
        lambda first, second: (first - second).mean(),
    "paired_difference is a sum: take the mean": lambda first, second: (first - second).nansum(),
    "paired_difference is the median: take the mean": lambda first, second: (first - second).nanmedian(),
    "paired_difference returns a number for each case: take their mean": lambda first, second: first - second,
}  # fmt: skip


@checked
def bootstrap_interval(function: OfTwo) -> Verdict:
    """Check `function(values, draws)`: the percentiles 2.5 and 97.5 of the means of the drawn cases, a tensor of two.

    `values` is (cases,), and `draws` is (resamples, cases): which cases each resample takes.
    """
    generator = torch.Generator().manual_seed(0)
    calls: list[Inputs] = []
    for cases, resamples in ((9, 400), (14, 300)):
        values = torch.rand(cases, generator=generator) ** 2
        calls.append((values, torch.randint(cases, (resamples, cases), generator=generator)))
    return judge(function, _bootstrap, BOOTSTRAP_MISTAKES, calls, "bootstrap_interval")


def _bootstrap(values: Tensor, draws: Tensor) -> Tensor:
    return _percentiles(values[draws].mean(1))


def _percentiles(numbers: Tensor, tails: tuple[float, ...] = TAILS) -> Tensor:
    return torch.from_numpy(np.percentile(numbers.numpy(), tails)).float()


def _normal(values: Tensor, draws: Tensor) -> Tensor:
    return values.mean() + torch.tensor([-1.96, 1.96]) * values.std() / len(values) ** 0.5


BOOTSTRAP_MISTAKES = {
    "bootstrap_interval takes percentiles of the cases: they tell how cases differ, not how sure their mean is":
        lambda values, draws: _percentiles(values),
    "bootstrap_interval takes percentiles of all that was drawn: take the mean of each resample first":
        lambda values, draws: _percentiles(values[draws].flatten()),
    "bootstrap_interval takes the means over the resamples: each resample has a mean, over its cases":
        lambda values, draws: _percentiles(values[draws].mean(0)),
    "bootstrap_interval has the percentiles 5 and 95, which hold 90 %": lambda values, draws: _percentiles(
        values[draws].mean(1), (5, 95)),
    "bootstrap_interval has the quartiles, which hold 50 %": lambda values, draws: _percentiles(
        values[draws].mean(1), (25, 75)),
    "bootstrap_interval returns the high end first": lambda values, draws: _bootstrap(values, draws).flip(0),
    "bootstrap_interval takes the smallest and the largest mean: cut off 2.5 % on either side":
        lambda values, draws: torch.stack([values[draws].mean(1).min(), values[draws].mean(1).max()]),
    "bootstrap_interval has the medians of the resamples: take their means": lambda values, draws: _percentiles(
        values[draws].median(1).values),
    "bootstrap_interval does not use the draws: this is the interval of a normal distribution": _normal,
    "bootstrap_interval returns the means: take their percentiles": lambda values, draws: values[draws].mean(1),
}  # fmt: skip


@checked
def frames_read(function: OfOne) -> Verdict:
    """Check `function(frames)`: for each frame the one that `chunk(2)[1]` of a batch of conditional frames reads."""
    calls: list[Inputs] = [(frames,) for frames in (16, 8, 12)]
    return judge(function, _read, FRAMES_MISTAKES, calls, "frames_read")


def _read(frames: int) -> Tensor:
    return torch.tensor([FRAMES["released"](frame, frames) for frame in range(frames)])


FRAMES_MISTAKES = {
    "frames_read is what the code meant to read: every frame its own": torch.arange,
    "frames_read takes the first half: chunk(2)[1] is the second": lambda frames: torch.arange(frames) // 2,
    "frames_read repeats the second half as a whole: the rows of a frame stay side by side":
        lambda frames: torch.arange(frames // 2, frames).repeat(2),
    "frames_read has as many frames as the second half: they are dealt out to all frames again":
        lambda frames: torch.arange(frames // 2, frames),
    "frames_read goes beyond the last frame": lambda frames: torch.arange(frames) + frames // 2,
    "frames_read reads every second frame": lambda frames: 2 * torch.arange(frames) % frames,
}  # fmt: skip
