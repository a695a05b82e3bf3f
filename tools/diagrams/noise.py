"""The diagrams of lesson 02: what a pixel's attention is spent on, and three ways in which a map can be bad."""

import random

from tools.diagrams.canvas import BLUE, GREEN, GREY, LARGE, ORANGE, SMALL, Canvas

SPENT = (  # for a pixel on the object, and one outside: parts of 100
    ("a pixel on the shark", (34, 34, 10, 22)),
    ("a pixel of the sea", (5, 35, 15, 45)),
)
PARTS = (("“shark”", ORANGE), ("other words", BLUE), ("start", GREEN), ("padding", GREY))
OBJECT = {(2, 2), (2, 3), (3, 2), (3, 3), (2, 4), (3, 4)}  # row, column
SIDE, CELL = 7, 22
LEVELS = ("#ffffff", "#e3edf7", "#9dc0e4", "#2f6db3", "#16395f")  # dark to see: little to much attention


def attention_spent() -> Canvas:
    """A row of the attention of two pixels, which sums to one, divided among the tokens."""
    canvas = Canvas(1000, 300, "A pixel shares its attention out among the tokens; the noun's part is its map")
    canvas.words(24, 32, "a pixel shares its attention out among all tokens", LARGE, bold=True)
    for number, (name, shares) in enumerate(SPENT):
        top = 70 + 84 * number
        canvas.words(24, top + 26, name, SMALL)
        x = 190.0
        for (label, color), share in zip(PARTS, shares, strict=True):
            canvas.box(x, top, 7 * share, 52, label if share > 9 else "", color)
            x += 7 * share
        canvas.words(x + 16, top + 26, "sum: 1", SMALL, color=GREY)
    canvas.words(190, 246, "the orange parts, of all pixels, are the map of “shark”", SMALL, color=ORANGE)
    canvas.words(190, 270, "the blue parts are maps of other words: they may show the shark, too", SMALL, color=BLUE)
    return canvas


def bad_maps() -> Canvas:
    """A good map, and one for each of the three numbers that finds its fault."""
    canvas = Canvas(1000, 310, "A good map, one beside the object, a ragged one, and the object under another word")
    maps = (
        ("“shark”", "a good map", "", _good),
        ("“shark”", "misses the object", "AUROC falls", _missed),
        ("“shark”", "ragged", "roughness rises", _ragged),
        ("“in”", "the object, under another word", "leakage rises", _good),
    )
    for number, (word, fault, figure, level) in enumerate(maps):
        left = 40 + 245 * number
        canvas.words(left, 32, word, LARGE, bold=True)
        canvas.words(left, 58, fault, SMALL)
        canvas.words(left, 276, figure, SMALL, color=ORANGE)
        for row in range(SIDE):
            for column in range(SIDE):
                canvas.fill(left + CELL * column, 84 + CELL * row, CELL, CELL, LEVELS[level(row, column)])
        _outline(canvas, left)
    return canvas


def _outline(canvas: Canvas, left: float) -> None:
    """Where the object is."""
    x, y = left + 2 * CELL, 84 + 2 * CELL
    corners = ((x, y), (x + 3 * CELL, y), (x + 3 * CELL, y + 2 * CELL), (x, y + 2 * CELL), (x, y))
    path = "M" + "L".join(f"{across},{down}" for across, down in corners)
    canvas.elements.append(f"<path d='{path}' fill='none' stroke='{ORANGE}' stroke-width='3'/>")


def _good(row: int, column: int) -> int:
    """Much attention on the object, little around it."""
    if (row, column) in OBJECT:
        return 4
    return 1 if 1 <= row <= 4 and 1 <= column <= 5 else 0


def _missed(row: int, column: int) -> int:
    """The same, somewhere else."""
    return _good(row - 2, column + 1)


def _ragged(row: int, column: int) -> int:
    """Much on the object, and specks everywhere; the same each time it is drawn."""
    chance = random.Random(7 * row + column).random()
    return 4 if (row, column) in OBJECT and chance > 0.2 else int(4 * chance)


DRAWINGS = {"attention_spent": attention_spent, "bad_maps": bad_maps}
