"""The diagrams of lesson 06: the knobs of a guided step, what a lost object counts, and the bootstrap."""

import numpy as np

from tools.diagrams.canvas import BLUE, GREEN, GREY, LARGE, NORMAL, ORANGE, SMALL, Canvas
from tools.diagrams.guidance import MAP, disc, latents, shades

OVERLAPS = ((0.8, 0.7, 0.8, 0.7, None), (0.9, None, 0.8, None, None))  # of two videos, by frame
CASES = (0.1, 0.3, 0.4, 0.6, 0.8)
DRAWS = ((3, 0, 3, 1, 4), (2, 2, 1, 0, 4), (4, 3, 3, 2, 1))  # three resamples


def knobs() -> Canvas:
    """The guided loop, with what can be chosen at each place."""
    canvas = Canvas(1000, 360, "The guided loop and its knobs: layers, frames, target, energy, law, strength, schedule")
    latents(canvas, 24, 110, "latents z")
    canvas.arrow((118, 148), (152, 148))
    canvas.box(156, 108, 130, 80, "network", GREY)
    canvas.arrow((290, 148), (324, 148), color=BLUE)
    shades(canvas, 330, 110, MAP, 19, 0.27)
    canvas.words(429, 148, "↔", LARGE, "middle")
    shades(canvas, 452, 110, disc(), 19)
    canvas.arrow((534, 148), (568, 148))
    canvas.box(572, 108, 110, 80, "energy", BLUE)
    canvas.arrow((686, 148), (720, 148), color=ORANGE, dashed=True)
    canvas.box(724, 108, 120, 80, "move z", ORANGE)
    canvas.arrow((848, 148), (882, 148))
    canvas.box(886, 108, 96, 80, "usual|step", GREEN)
    canvas.arrow((934, 104), (934, 40), (62, 40), (62, 86), color=GREEN)
    _knob(canvas, 221, 224, "layers", "which maps?")
    _knob(canvas, 368, 224, "frames", "which map for|which target?")
    _knob(canvas, 490, 290, "target", "drawn as disc or box,|or own map?")
    _knob(canvas, 627, 224, "energy", "how is “far|apart” counted?")
    _knob(canvas, 784, 224, "law, strength", "how far?")
    _knob(canvas, 498, 40, "schedule", "at which steps?", beside=True)
    return canvas


def _knob(canvas: Canvas, x: float, y: float, name: str, words: str, beside: bool = False) -> None:
    """A knob below its place, or on a line."""
    width = 11 * len(name) + 20
    canvas.box(x - width / 2, y - 14, width, 28, name, ORANGE)
    if beside:
        canvas.words(x + width / 2 + 10, y + 16, words, SMALL)
    else:
        canvas.arrow((x, y - 16), (x, 192), color=ORANGE)
        canvas.words(x, y + 24 + 8 * words.count("|"), words, SMALL, "middle")


def lost() -> Canvas:
    """Two videos, of which one has its object in too few frames."""
    canvas = Canvas(1000, 230, "A video counts the mean of its frames; one that loses its object counts 0")
    sums = ("mean of all five frames: .60", "seen in 2 of 5 frames: lost, counts 0")
    for row, (overlaps, text) in enumerate(zip(OVERLAPS, sums, strict=True)):
        y = 62 + 84 * row
        for frame, value in enumerate(overlaps):
            x = 60 + 96 * frame
            color = GREY if value is None else GREEN
            canvas.box(x, y, 84, 56, "not seen|0" if value is None else f"IoU .{round(10 * value)}", color)
        canvas.arrow((548, y + 28), (592, y + 28))
        canvas.words(606, y + 28, text, NORMAL, color=ORANGE if row else GREEN, bold=True)
    canvas.words(60, 32, "five frames of a video", LARGE, bold=True)
    canvas.words(606, 32, "what the video counts", LARGE, bold=True)
    return canvas


def bootstrap() -> Canvas:
    """Five cases, three resamples of them with their means, and the interval of many means."""
    canvas = Canvas(1000, 300, "The bootstrap: cases are drawn again and again, and the means of the draws are spread")
    canvas.words(24, 30, "5 cases", LARGE, bold=True)
    for number, value in enumerate(CASES):
        canvas.box(24, 60 + 44 * number, 86, 34, f".{round(10 * value)}", BLUE)
    canvas.words(170, 30, "drawn with replacement", LARGE, bold=True)
    for place, draw in enumerate(DRAWS):
        x = 176 + 96 * place
        for number, case in enumerate(draw):
            canvas.box(x, 60 + 44 * number, 76, 34, f".{round(10 * CASES[case])}", BLUE)
        mean = np.mean([CASES[case] for case in draw])
        canvas.words(x + 38, 288, f"mean .{round(100 * mean)}", SMALL, "middle", color=ORANGE)
    canvas.arrow((118, 164), (168, 164))
    canvas.words(472, 164, "…", LARGE)
    canvas.arrow((500, 164), (560, 164))
    canvas.words(576, 30, "the means of many draws", LARGE, bold=True)
    _spread(canvas)
    return canvas


def _spread(canvas: Canvas) -> None:
    """A histogram of means, with the interval that holds 95 % of them."""
    means = np.random.default_rng(0).choice(CASES, (9999, len(CASES))).mean(1)
    counts, edges = np.histogram(means, bins=26, range=(0.1, 0.8))
    low, high = np.percentile(means, [2.5, 97.5])
    for count, left, right in zip(counts, edges[:-1], edges[1:], strict=True):
        height = 150 * count / counts.max()
        inside = low <= (left + right) / 2 <= high
        if height >= 1:
            canvas.fill(_across(left), round(230 - height), 14, round(height), BLUE if inside else "#c9d3dc")
    canvas.fill(round(_across(low)), 244, round(_across(high) - _across(low)), 3, ORANGE)
    canvas.words((_across(low) + _across(high)) / 2, 268, f"95 %: .{round(100 * low)} to .{round(100 * high)}", NORMAL,
                 "middle", color=ORANGE, bold=True)  # fmt: skip


def _across(mean: float) -> float:
    return round(580 + 560 * (mean - 0.1), 1)


DRAWINGS = {"knobs": knobs, "lost": lost, "bootstrap": bootstrap}
