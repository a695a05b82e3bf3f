"""The diagrams of lesson 00: the whole pipeline, text to embeddings, and the direction of time."""

import numpy as np

from tools.diagrams.canvas import BLUE, GREEN, GREY, INK, LARGE, NORMAL, ORANGE, SMALL, Canvas

TOKENS = ("<start>", "a", "burger", "floats", "on", "the", "water", "<end>", "<pad>")
NUMBERS = ("687", "320", "634", "656", "519", "615", "678", "688", "688")  # of the pocket tokenizer
NOUN = TOKENS.index("burger")
FADED = "#e9c3a8"  # a trace of the noun
STEPS = (1000, 750, 500, 250, 0)  # t of the drawn pictures
SIGNAL = (0.0, 0.06, 0.28, 0.67, 1.0)  # abar at these, as in Stable Diffusion's schedule
BURGER = (
    "ssssssssss", "sssbbbbsss", "ssbbbbbbss", "ssbbbbbbss", "swggggggws",
    "wwmmmmmmww", "wwmmmmmmww", "wwbbbbbbww", "wwwwwwwwww", "wwwwwwwwww",
)  # fmt: skip
PALETTE = {  # sky, bun, green, meat, water
    "s": (207, 230, 245), "b": (222, 150, 66), "g": (86, 168, 58), "m": (104, 56, 28), "w": (47, 154, 156),
}  # fmt: skip
PICTURE = np.array([[PALETTE[letter] for letter in row] for row in BURGER]) / 255  # (rows, columns, 3)


def pipeline() -> Canvas:
    """From a prompt and noise to a video, with the shapes of the pocket video model."""
    canvas = Canvas(1000, 500, "A prompt becomes embeddings, with which a U-Net turns noise into a video")
    _prompt(canvas)
    _network(canvas)
    _stack(canvas, 30, 300, noisy=True)
    canvas.words(84, 240, "noise", LARGE, "middle", bold=True)
    canvas.words(84, 428, "16 frames of|4 channels of 16 × 16", SMALL, "middle")
    canvas.arrow((150, 332), (236, 332))
    canvas.arrow((566, 332), (644, 332))
    _stack(canvas, 650, 300, noisy=False)
    canvas.words(704, 240, "latents", LARGE, "middle", bold=True)
    canvas.words(704, 428, "of the same size,|now without noise", SMALL, "middle")
    canvas.arrow((766, 332), (796, 332))
    canvas.box(800, 302, 76, 60, "decoder", GREEN)
    canvas.words(838, 384, "of the auto-|encoder", SMALL, "middle")
    canvas.arrow((880, 332), (903, 332))
    for frame in range(2, -1, -1):
        canvas.grid(906 + 5 * frame, 300 - 5 * frame, 1, 1, 70, GREY)
    _picture(canvas, 906, 300, 7, 1.0)
    canvas.words(944, 240, "video", LARGE, "middle", bold=True)
    canvas.words(944, 428, "16 frames of|128 × 128 × 3", SMALL, "middle")
    return canvas


def _prompt(canvas: Canvas) -> None:
    """The upper row: words, tokens, embeddings."""
    canvas.words(24, 62, "“a burger floats|on the water”", NORMAL)
    canvas.words(24, 24, "prompt", LARGE, bold=True)
    canvas.arrow((150, 62), (186, 62))
    canvas.box(190, 36, 110, 52, "tokenizer", BLUE)
    canvas.arrow((304, 62), (340, 62))
    canvas.box(344, 36, 110, 52, "text|encoder", BLUE)
    canvas.arrow((458, 62), (494, 62))
    canvas.grid(498, 36, 20, 4, 13, BLUE)
    canvas.words(498, 24, "embeddings", LARGE, bold=True)
    canvas.words(774, 62, "20 tokens of|128 numbers", SMALL)
    canvas.words(245, 106, "words become|20 whole numbers", SMALL, "middle")
    canvas.arrow((628, 92), (628, 140), (400, 140), (400, 196), color=BLUE)
    canvas.words(640, 126, "cross-attention: each place of the picture|looks at the words", SMALL, color=BLUE)


def _network(canvas: Canvas) -> None:
    """The U-Net with its levels and skip connections, and the loop around it."""
    canvas.box(240, 200, 322, 216, "", GREY)
    canvas.words(401, 218, "U-Net: which part of this is noise?", NORMAL, "middle", bold=True)
    for left, right, top, size in ((258, 464, 240, "16 × 16"), (288, 434, 296, "8 × 8")):
        canvas.box(left, top, 80, 42, size, GREEN)
        canvas.box(right, top, 80, 42, size, GREEN)
        canvas.arrow((left + 84, top + 21), (right - 4, top + 21), color=GREY, dashed=True)
    canvas.box(361, 352, 80, 42, "4 × 4", GREEN)
    canvas.words(401, 250, "skip connection", SMALL, "middle", color=GREY)
    canvas.arrow((298, 284), (312, 294))
    canvas.arrow((330, 340), (359, 364))
    canvas.arrow((443, 364), (472, 340))
    canvas.arrow((490, 294), (504, 284))
    canvas.arrow((604, 332), (604, 470), (196, 470), (196, 338), color=ORANGE)
    again = "take a part of it away, and ask again: t falls from 1000 to 0"
    canvas.words(400, 452, again, SMALL, "middle", color=ORANGE)


def _stack(canvas: Canvas, x: float, y: float, noisy: bool) -> None:
    """Frames behind each other; the first is noise, or shows an object."""
    for frame in range(3, 0, -1):
        canvas.grid(x + 9 * frame, y - 9 * frame, 10, 10, 8)
    _picture(canvas, x, y, 8, 0.0 if noisy else 1.0, grey=True)


def _picture(canvas: Canvas, x: float, y: float, cell: float, abar: float, grey: bool = False) -> None:
    """The small drawing under as much noise as eq. 2 gives it at this abar."""
    noise = np.random.default_rng(3).normal(size=PICTURE.shape)
    values = abar**0.5 * 2 * (PICTURE - 0.5) + (1 - abar) ** 0.5 * 0.6 * noise
    colors = (255 * (0.5 + values / 2).clip(0, 1)).astype(int)
    if grey:
        colors = np.repeat(colors.mean(-1, keepdims=True).astype(int), 3, -1)
    for row, column in np.ndindex(len(BURGER), len(BURGER)):
        red, green, blue = colors[row, column]
        canvas.cell(x + column * cell, y + row * cell, cell, cell, f"fill='#{red:02x}{green:02x}{blue:02x}'")


def text_to_embeddings() -> Canvas:
    """Words, tokens, embeddings; once with words apart, once mixed."""
    canvas = Canvas(1000, 420, "Each word becomes a token, a number, and a column of 128 numbers")
    for y, label in ((46, "tokens"), (100, "numbers"), (236, "embeddings"), (360, "embeddings")):
        canvas.words(24, y, label, LARGE, bold=True)
    canvas.words(24, 262, "of our encoder", SMALL)
    canvas.words(24, 386, "of one that mixes", SMALL)
    for number, token in enumerate(TOKENS):
        x = 160 + 74 * number
        canvas.box(x, 30, 66, 32, token, ORANGE if number == NOUN else BLUE)
        canvas.words(x + 33, 100, NUMBERS[number], NORMAL, "middle", color=GREY)
        canvas.arrow((x + 33, 66), (x + 33, 86))
        canvas.arrow((x + 33, 114), (x + 33, 134))
        _column(canvas, x + 21, 196, ORANGE if number == NOUN else BLUE, traced=False)
        _column(canvas, x + 21, 320, ORANGE if number == NOUN else BLUE, traced=number > NOUN)
    canvas.box(160, 138, 658, 36, "text encoder: each token looks at those before it", GREY)
    canvas.words(836, 46, "… 20 in all", SMALL)
    canvas.words(836, 236, "“the” says “the”:|the burger is|in one column", SMALL)
    canvas.words(836, 360, "every later column|tells of the burger", SMALL, color=ORANGE)
    return canvas


def _column(canvas: Canvas, x: float, y: float, color: str, traced: bool) -> None:
    """An embedding as a strip of cells, some of them with a trace of the noun."""
    canvas.grid(x, y, 2, 7, 12, color)
    for row in (1, 2, 4) if traced else ():
        canvas.fill(x, y + 12 * row, 24, 12, FADED)


def direction_of_time() -> Canvas:
    """Noise at t = 1000, a picture at t = 0; training adds noise, sampling takes it away."""
    canvas = Canvas(1000, 330, "Time t counts noise: sampling goes from t = 1000, all noise, to t = 0, the picture")
    for number, (step, abar) in enumerate(zip(STEPS, SIGNAL, strict=True)):
        x = 60 + 196 * number
        _picture(canvas, x, 104, 10, abar)
        canvas.words(x + 48, 220, f"t = {step}", NORMAL, "middle", bold=True)
    canvas.arrow((110, 70), (890, 70), color=GREEN)
    steps = "sampling: many small steps, each asks the network what is noise"
    canvas.words(500, 46, steps, NORMAL, "middle", color=GREEN)
    canvas.arrow((890, 266), (110, 266), color=ORANGE)
    canvas.words(500, 290, "training: noise is added, to any t in one line (eq. 2)", NORMAL, "middle", color=ORANGE)
    canvas.words(108, 290, "ᾱ near 0", NORMAL, "middle", color=INK)
    canvas.words(892, 290, "ᾱ near 1", NORMAL, "middle", color=INK)
    return canvas


DRAWINGS = {
    "pipeline": pipeline, "text_to_embeddings": text_to_embeddings, "direction_of_time": direction_of_time,
}  # fmt: skip
