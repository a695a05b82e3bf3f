"""The diagrams of lesson 04: a guided step, and how a map becomes one number."""

from collections.abc import Sequence

from tools.diagrams.canvas import BLUE, GREEN, GREY, INK, LARGE, NORMAL, ORANGE, SMALL, Canvas

PALEST, FULL = (244, 248, 252), (31, 79, 140)  # of a map's cells, red, green and blue
MAP = ((0.10, 0.12, 0.10, 0.11), (0.14, 0.22, 0.17, 0.12), (0.15, 0.26, 0.19, 0.12), (0.11, 0.14, 0.12, 0.10))
DISC = ((0, 1), (0, 2), (1, 0), (1, 1), (1, 2), (1, 3), (2, 0), (2, 1), (2, 2), (2, 3), (3, 1), (3, 2))
SHARPNESS = 20.0


def guided_loop() -> Canvas:
    """A pass with a gradient, an energy, a move of the latents, and then the usual step."""
    canvas = Canvas(1000, 500, "One guided step: a pass with a gradient, an energy, a move, and the usual step")
    _first_pass(canvas)
    _backwards(canvas)
    _usual_step(canvas)
    return canvas


def _first_pass(canvas: Canvas) -> None:
    canvas.words(24, 30, "1  look", LARGE, bold=True)
    canvas.words(110, 30, "one pass of the network, with the prompt alone", SMALL)
    latents(canvas, 24, 84, "latents z, at step t")
    canvas.arrow((118, 122), (162, 122))
    canvas.box(166, 82, 200, 80, "network", GREY)
    canvas.dot(266, 82)
    canvas.words(282, 70, "text attention", SMALL, color=BLUE)
    canvas.arrow((370, 122), (414, 122), color=BLUE)
    shades(canvas, 420, 84, MAP, 19, 0.27)
    canvas.words(458, 184, "map A of “burger”", SMALL, "middle", color=BLUE)
    canvas.words(534, 122, "against", SMALL, "middle")
    shades(canvas, 572, 84, disc(), 19)
    canvas.words(610, 184, "target, drawn by us", SMALL, "middle", color=BLUE)
    canvas.arrow((656, 122), (700, 122))
    canvas.box(704, 82, 140, 80, "energy E:|how far apart?", BLUE)


def _backwards(canvas: Canvas) -> None:
    canvas.words(24, 246, "2  move", LARGE, bold=True)
    canvas.words(118, 246, "backpropagation: which change of each latent makes E smaller?", SMALL, color=ORANGE)
    canvas.arrow((774, 168), (774, 216), (62, 216), (62, 172), color=ORANGE, dashed=True)
    canvas.box(24, 274, 364, 54, "z  ←  z − δ² · η · gradient of E", ORANGE)
    canvas.words(404, 301, "the weights of the network stay as they are;|nothing is trained", SMALL)


def _usual_step(canvas: Canvas) -> None:
    canvas.words(24, 376, "3  step", LARGE, bold=True)
    canvas.words(112, 376, "as without guidance: two passes, classifier-free guidance, one step of the solver", SMALL)
    canvas.arrow((62, 332), (62, 360))
    latents(canvas, 24, 406, "moved z", beside=True)
    canvas.arrow((206, 436), (250, 436))
    canvas.box(254, 406, 150, 60, "network,|with prompt", GREY)
    canvas.box(414, 406, 150, 60, "network,|without prompt", GREY)
    canvas.arrow((568, 436), (612, 436))
    latents(canvas, 618, 406, "latents at|step t − 1", beside=True)
    canvas.arrow((786, 436), (960, 436), (960, 52), (62, 52), (62, 78), color=GREEN)
    canvas.words(944, 320, "again, at|the next step", SMALL, "end", color=GREEN)


def latents(canvas: Canvas, x: float, y: float, words: str, beside: bool = False) -> None:
    """A small stack of frames, with its name below it or beside it."""
    cell = 11 if beside else 14
    for frame in (2, 1, 0):
        canvas.grid(x + 7 * frame, y - 7 * frame, 5, 5, cell)
    if beside:
        canvas.words(x + 86, y + 30, words, SMALL, color=GREEN)
    else:
        canvas.words(x + 50, y + 104, words, SMALL, color=GREEN)


def shades(
    canvas: Canvas, x: float, y: float, values: Sequence[Sequence[float]], cell: float, highest: float = 1.0
) -> None:
    """A map of cells, the brighter the darker blue."""
    for row, line in enumerate(values):
        for column, value in enumerate(line):
            canvas.fill(x + column * cell, y + row * cell, cell, cell, shade(value / highest))


def shade(share: float) -> str:
    """A colour between pale and full."""
    mixed = []
    for pale, full in zip(PALEST, FULL, strict=True):
        mixed.append(round(pale + share * (full - pale)))
    return "#{:02x}{:02x}{:02x}".format(*mixed)


def disc() -> list[list[float]]:
    """The target of the diagrams, 4 x 4."""
    drawn = [[0.0] * 4 for _ in range(4)]
    for row, column in DISC:
        drawn[row][column] = 1.0
    return drawn


def normed() -> list[list[float]]:
    """The map, stretched from 0 to 1."""
    low, high = min(map(min, MAP)), max(map(max, MAP))
    return [[(value - low) / (high - low) for value in line] for line in MAP]


def raised() -> list[list[float]]:
    """The stretched map after the soft threshold, whose own stretching changes no digit that is shown."""
    return [[1 / (1 + 2.718281828 ** (SHARPNESS * (0.5 - value))) for value in line] for line in normed()]


def differences() -> list[list[float]]:
    """Squared differences of target and thresholded map."""
    squares = []
    for wanted, line in zip(disc(), raised(), strict=True):
        squares.append([(aim - value) ** 2 for aim, value in zip(wanted, line, strict=True)])
    return squares


def energy() -> Canvas:
    """Four small maps with their numbers, from attention to the mean of squares."""
    canvas = Canvas(1000, 300, "From a map to one number: stretched, raised by a sigmoid, held against the target")
    steps = (
        ("map A", "attention of one head", MAP, 0.27), ("norm(A)", "darkest 0, brightest 1", normed(), 1.0),
        ("shape(A)", "σ(20 · (norm(A) − ½))", raised(), 1.0), ("target", "a disc, drawn by us", disc(), 1.0),
        ("(target − shape)²", "dark: far apart", differences(), 1.0),
    )  # fmt: skip
    for number, (title, words, values, highest) in enumerate(steps):
        _numbered(canvas, 24 + 190 * number, title, words, values, highest)
    for x, sign in ((198, "→"), (388, "→"), (578, "↔"), (768, "→")):
        canvas.words(x, 148, sign, LARGE, "middle", bold=True)
    mean = sum(map(sum, differences())) / 16
    canvas.words(861, 268, f"mean of the 16 cells: E = {mean:.2f}", NORMAL, "middle", color=ORANGE, bold=True)
    return canvas


def _numbered(
    canvas: Canvas, x: float, title: str, words: str, values: Sequence[Sequence[float]], highest: float
) -> None:
    canvas.words(x, 28, title, LARGE, bold=True)
    canvas.words(x, 52, words, SMALL)
    shades(canvas, x, 76, values, 38, highest)
    for row, line in enumerate(values):
        for column, value in enumerate(line):
            color = "#ffffff" if value / highest > 0.55 else INK
            text = f"{value:.2f}".removeprefix("0") if 0.005 <= value < 0.995 else f"{value:.0f}"
            canvas.words(x + 38 * column + 19, 76 + 38 * row + 19, text, SMALL, "middle", color=color)


DRAWINGS = {"guided_loop": guided_loop, "energy": energy}
