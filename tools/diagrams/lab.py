"""The diagrams of the lab: a bias on a word's logits, and the overlap of two boxes."""

import math
from collections.abc import Sequence

from tools.diagrams.canvas import BLUE, GREEN, GREY, LARGE, ORANGE, SMALL, Canvas

WORDS = ("a", "burger", "floats", "on", "the", "water")
LOGITS = (0.4, 1.0, 0.7, 0.3, 0.3, 1.8)  # made up, for a patch
BIAS, WORD = 3.0, 1
WIDE, STEP = 32, 44  # pixels: of a bar, and from one to the next


def bias() -> Canvas:
    """Logits of a patch inside and of one outside, with the bias of one word, and what the softmax makes of them."""
    canvas = Canvas(1000, 500, "A number added to the logit of one word, up inside of a circle and down outside")
    canvas.words(24, 32, "patches", LARGE, bold=True)
    canvas.grid(24, 150, 8, 8, 22, GREEN)
    canvas.elements.append(f"<circle cx='79' cy='216' r='44' fill='none' stroke='{ORANGE}' stroke-width='2.5'/>")
    canvas.fill(68, 194, 22, 22, ORANGE)
    canvas.fill(156, 282, 22, 22, GREY)
    canvas.words(24, 350, "the circle is where|the burger shall be", SMALL, color=ORANGE)
    canvas.words(250, 32, "logits", LARGE, bold=True)
    canvas.words(700, 32, "after the softmax", LARGE, bold=True)
    canvas.words(700, 56, "the words share a patch out: the sum is 1", SMALL)
    for top, sign, place, color in ((170, 1, "inside", ORANGE), (370, -1, "outside", GREY)):
        _patch(canvas, top, sign * BIAS, place, color)
    canvas.arrow((94, 205), (236, 150), color=ORANGE)
    canvas.arrow((182, 293), (236, 350), color=GREY)
    return canvas


def _patch(canvas: Canvas, base: int, number: float, place: str, color: str) -> None:
    """The two bar charts of one patch, above a line at a height."""
    logits = list(LOGITS)
    logits[WORD] += number
    shares = [math.exp(logit) for logit in logits]
    shares = [share / sum(shares) for share in shares]
    canvas.words(250, base - 92, f"{place}: b = {number:+g} for “burger”".replace("-", "−"), SMALL, color=color)
    _bars(canvas, 250, base, logits, 18, 56)
    x, height = 250 + STEP * WORD + WIDE / 2, 18 * LOGITS[WORD]
    canvas.arrow((x - WIDE / 2 - 4, base - height), (x - WIDE / 2 - 4, base - height - 18 * number), color=ORANGE)
    canvas.arrow((530, base - 10), (670, base - 10))
    canvas.words(600, base - 30, "softmax", SMALL, "middle")
    _bars(canvas, 700, base, shares, 70, 14)
    canvas.words(700 + STEP * WORD + WIDE / 2, base - 70 * shares[WORD] - 10, f"{shares[WORD]:.2f}", SMALL, "middle")


def _bars(canvas: Canvas, left: float, base: float, values: Sequence[float], scale: float, below: float) -> None:
    """A bar for each word, up or down from a line, with the word some pixels below it."""
    canvas.fill(left - 8, base, STEP * len(WORDS) + 8, 0.5, GREY)
    for number, (word, value) in enumerate(zip(WORDS, values, strict=True)):
        x, height = left + STEP * number, max(1.0, scale * abs(value))
        top = base - height if value > 0 else base
        canvas.fill(x, top, WIDE, height, ORANGE if number == WORD else BLUE)
        canvas.words(x + WIDE / 2, base + below, word, SMALL, "middle")


def overlap() -> Canvas:
    """Intersection over union, and its mean over the frames of a path."""
    canvas = Canvas(1000, 330, "Intersection over union of an asked and a detected box, and its mean over frames")
    canvas.words(24, 32, "in one frame", LARGE, bold=True)
    canvas.box(24, 70, 130, 110, "", ORANGE)
    canvas.box(74, 110, 130, 110, "", BLUE)
    canvas.fill(74, 110, 80, 70, GREEN)
    canvas.words(24, 244, "asked", SMALL, color=ORANGE)
    canvas.words(204, 244, "detected", SMALL, "end", color=BLUE)
    canvas.words(250, 126, "IoU =", LARGE, bold=True)
    canvas.words(392, 108, "what both share", SMALL, "middle", color=GREEN)
    canvas.fill(320, 126, 144, 1.5, "#27313b")
    canvas.words(392, 146, "what they cover together", SMALL, "middle")
    canvas.words(250, 190, f"here {_iou():.2f}", SMALL)
    canvas.fill(499, 20, 1, 290, GREY)
    canvas.words(524, 32, "along a path", LARGE, bold=True)
    for number, shift in enumerate((3, 14, None, 6)):
        _frame(canvas, 524 + 114 * number, 70, number, shift)
    canvas.words(524, 244, "mIoU: the mean over all frames.|A frame in which nothing is detected counts 0.", SMALL)
    return canvas


def _frame(canvas: Canvas, left: float, top: float, number: int, shift: int | None) -> None:
    """A frame with the asked box and, moved by some pixels, the detected one."""
    canvas.grid(left, top, 1, 1, 100, GREY)
    x, y = left + 8 + 14 * number, top + 10 + 14 * number
    canvas.elements.append(_outline(x, y, ORANGE))
    if shift is None:
        canvas.words(left + 50, top + 122, "0", SMALL, "middle")
        return
    canvas.elements.append(_outline(x + shift, y + shift, BLUE))
    share = (36 - shift) ** 2
    canvas.words(left + 50, top + 122, f"{share / (2 * 36**2 - share):.2f}", SMALL, "middle")


def _outline(x: float, y: float, color: str) -> str:
    return f"<path d='M{x},{y}h36v36h-36z' fill='none' stroke='{color}' stroke-width='2.5'/>"


def _iou() -> float:
    """Of the two boxes on the left."""
    common = 80 * 70
    return common / (2 * 130 * 110 - common)


DRAWINGS = {"bias": bias, "overlap": overlap}
