"""The diagrams of lesson 03: a swap of maps between two runs, and text encoders that keep words apart or mix them."""

from tools.diagrams.canvas import BLUE, GREEN, GREY, LARGE, ORANGE, SMALL, Canvas

SOURCE = ("a", "truck", "drives", "on", "the", "road")
TARGET = ("a", "car", "drives", "on", "the", "road")
NOUN = 1  # of both
COLUMN, TALL = 46, 84  # pixels from one column of a map to the next, and its height
STEPS = ((168, "first step"), (498, "next step"))  # left, and what it is called


def swap() -> Canvas:
    """Two runs from the same noise; in every step the source's column takes the place of the target's."""
    canvas = Canvas(1000, 440, "Two runs from the same noise: in each step, the car gets the truck's column of maps")
    canvas.words(24, 32, "source run", LARGE, bold=True)
    canvas.words(24, 408, "target run", LARGE, bold=True)
    canvas.box(24, 190, 96, 62, "the same|noise", GREEN)
    canvas.arrow((72, 186), (72, 112), (160, 112), color=GREEN)
    canvas.arrow((72, 256), (72, 330), (160, 330), color=GREEN)
    for left, name in STEPS:
        canvas.words(left, 32, name, SMALL, color=GREY)
        _columns(canvas, left, 70, SOURCE, 54)
        _columns(canvas, left, 288, TARGET, 390)
        middle = left + NOUN * COLUMN + 20
        canvas.arrow((middle, 158), (middle, 284), color=ORANGE)
    canvas.words(STEPS[0][0] + 88, 206, "the truck's column|takes the place|of the car's", SMALL, color=ORANGE)
    canvas.words(STEPS[1][0] + 88, 206, "in every layer,|at every step", SMALL, color=ORANGE)
    for height, name in ((112, "a truck"), (330, "a car|at the truck's|place")):
        canvas.arrow((448, height), (490, height))
        canvas.arrow((778, height), (868, height))
        canvas.words(822, height - 16, "…", LARGE, "middle")
        canvas.box(874, height - 36, 108, 72, name, GREEN)
    canvas.words(168, 425, "a column: how much each pixel looks at that word", SMALL, color=BLUE)
    return canvas


def _columns(canvas: Canvas, left: float, top: float, words: tuple[str, ...], height: float) -> None:
    """The maps of a prompt's words as columns, with the words above or below them."""
    for number, word in enumerate(words):
        x = left + number * COLUMN
        canvas.box(x, top, COLUMN - 6, TALL, "", ORANGE if number == NOUN else BLUE)
        canvas.words(x + (COLUMN - 6) / 2, height, word, SMALL, "middle", color=ORANGE if number == NOUN else BLUE)


def words_apart() -> Canvas:
    """A text encoder that leaves each word itself, beside one that mixes a word with those before it."""
    canvas = Canvas(1000, 330, "A text encoder that keeps words apart, beside one that mixes each with those before it")
    canvas.words(24, 32, "ours: frozen and random", LARGE, bold=True)
    canvas.words(24, 58, "each vector is nearly its own word's", SMALL)
    canvas.fill(499, 20, 1, 280, GREY)
    canvas.words(524, 32, "trained, as CLIP", LARGE, bold=True)
    canvas.words(524, 58, "a vector also tells of the words before it", SMALL)
    for left, reach in ((24, 0), (524, NOUN)):
        for number, word in enumerate(SOURCE):
            x = left + 74 * number
            color = ORANGE if number == NOUN or (reach and number > NOUN) else BLUE
            canvas.box(x, 216, 66, 40, word, ORANGE if number == NOUN else BLUE)
            canvas.box(x, 96, 66, 40, "", color)
            canvas.words(x + 33, 116, "vector", SMALL, "middle")
            canvas.arrow((x + 33, 212), (x + 33, 140), color=color if number == NOUN else BLUE)
            if reach and number > NOUN:
                canvas.arrow((left + 74 * NOUN + 33, 212), (x + 20, 140), color=ORANGE, dashed=True)
    canvas.words(24, 296, "“road” knows nothing of the truck:|a swap of one column swaps one word", SMALL)
    canvas.words(524, 296, "“road” knows of the truck:|the truck is in the maps of later words, too", SMALL)
    return canvas


DRAWINGS = {"swap": swap, "words_apart": words_apart}
