"""The diagrams of lesson 08: a given video's way to noise and back, and the mask that keeps its background."""

from tools.diagrams.canvas import BLUE, GREEN, GREY, LARGE, NORMAL, ORANGE, SMALL, Canvas

PLACES = (60, 330, 600, 870)  # left sides of the levels, from clean to noise
NAMES = ("x₀, clean", "a little noise", "more noise", "noise")
BOX = 80  # pixels of a level's box
CELLS = 8  # of a mask, in a row


def inversion() -> Canvas:
    """Plain inversion, whose way back leads elsewhere, above the exact way, which takes the source along."""
    canvas = Canvas(1000, 560, "Plain inversion comes back elsewhere; the exact ways take the given video along")
    _plain(canvas)
    canvas.fill(24, 268, 952, 1, GREY)
    _exact(canvas)
    return canvas


def _plain(canvas: Canvas) -> None:
    canvas.words(24, 30, "plain inversion", LARGE, bold=True)
    canvas.words(200, 30, "steps of sampling, taken backwards, find the noise; then steps forwards", SMALL)
    for number, left in enumerate(PLACES):
        canvas.box(left, 66, BOX, 46, f"x{'₀₁₂₃'[number]}", GREEN)
        canvas.box(left, 186, BOX, 46, f"y{'₀₁₂₃'[number]}", ORANGE)
        if number:
            canvas.arrow((PLACES[number - 1] + BOX + 6, 89), (left - 6, 89), color=GREEN)
            canvas.arrow((left - 6, 209), (PLACES[number - 1] + BOX + 6, 209), color=ORANGE)
            canvas.words(left - 95, 74, "asks at the wrong place", SMALL, "middle", color=GREY)
    canvas.arrow((910, 116), (910, 182))
    canvas.words(898, 149, "the noise that was found", SMALL, "end")
    canvas.words(60, 149, "not the same: each step adds an error", SMALL, color=ORANGE)


def _exact(canvas: Canvas) -> None:
    canvas.words(24, 300, "the exact ways", LARGE, bold=True)
    canvas.words(200, 300, "noise is drawn for each level, and the source goes beside the edit", SMALL)
    for number, left in enumerate(PLACES):
        canvas.box(left, 346, BOX, 46, f"x{'₀₁₂₃'[number]}", GREEN)
        canvas.box(left, 456, BOX, 46, f"y{'₀₁₂₃'[number]}", ORANGE)
        canvas.words(left + BOX / 2, 330, NAMES[number], SMALL, "middle", color=GREY)
        if number:
            middle = (PLACES[number - 1] + left + BOX) / 2
            canvas.arrow((left - 6, 369), (PLACES[number - 1] + BOX + 6, 369), color=GREEN, dashed=True)
            canvas.arrow((left - 6, 479), (PLACES[number - 1] + BOX + 6, 479), color=ORANGE)
            canvas.arrow((middle, 375), (middle, 473), color=BLUE)
            canvas.words(middle + 10, 424, "what the step|lacks to reach x", SMALL, color=BLUE)
    canvas.arrow((910, 396), (910, 452))
    canvas.words(60, 530, "with the same prompt for both, every y is its x, and the video comes back", NORMAL)


def background_mask() -> Canvas:
    """Maps of the old and of the new object, their union, and latents of both videos put together."""
    canvas = Canvas(1000, 370, "Where the old or the new object is, the edit stands; elsewhere the given video")
    _mask(canvas, 40, 70, 2, "map of “cat”|in the given video")
    _mask(canvas, 40, 230, 3, "map of “duck”|in the edit, so far")
    canvas.arrow((150, 114), (286, 160), color=BLUE)
    canvas.arrow((150, 274), (286, 220), color=BLUE)
    canvas.words(340, 126, "the larger of both", SMALL, "middle", color=BLUE)
    _mask(canvas, 296, 146, 5, "mask m, soft|at its edge")
    canvas.arrow((400, 190), (470, 190))
    canvas.box(476, 154, 300, 72, "m · edit + (1 − m) · source", GREY)
    canvas.box(476, 60, 140, 50, "edit y′", ORANGE)
    canvas.arrow((546, 114), (546, 150), color=ORANGE)
    canvas.box(636, 60, 140, 50, "source x′", GREEN)
    canvas.arrow((706, 114), (706, 150), color=GREEN)
    canvas.arrow((782, 190), (846, 190))
    canvas.box(852, 154, 120, 72, "edit,|background|kept", ORANGE)
    canvas.words(476, 264, "both as noisy as the next level: after every step", SMALL)
    canvas.words(476, 300, "outside, the given video returns exactly, up to the autoencoder", SMALL, color=GREEN)
    canvas.words(476, 24, "latents at the next level", LARGE, bold=True)
    canvas.words(40, 24, "maps of words", LARGE, bold=True)
    return canvas


def _mask(canvas: Canvas, left: float, top: float, kind: int, name: str) -> None:
    """A picture of cells with a blob: 2 is high, 3 is wide, and 5 has both."""
    cell = 11
    canvas.grid(left, top, CELLS, CELLS, cell, BLUE)
    for row in range(CELLS):
        for column in range(CELLS):
            high = 1 - max(abs(column - 3.5) / 2, abs(row - 3.5) / 4)
            wide = 1 - max(abs(column - 4.5) / 3.5, abs(row - 4.5) / 2)
            share = max({2: (high,), 3: (wide,), 5: (high, wide)}[kind])
            if share > 0:
                canvas.shade(left + cell * column, top + cell * row, cell, BLUE, min(1, 0.25 + share))
    canvas.words(left, top + cell * CELLS + 24, name, SMALL)


DRAWINGS = {"inversion": inversion, "background_mask": background_mask}
