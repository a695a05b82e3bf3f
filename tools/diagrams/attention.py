"""The diagrams of lesson 01: queries, keys and values of a picture of 3 x 3, and the attention layers of a U-Net."""

import torch
from torch import Tensor

from tools.diagrams.canvas import BLUE, GREEN, GREY, INK, LARGE, NORMAL, ORANGE, PAPER, SMALL, Canvas
from xattn_helpers.attention.softmax import attention_maps

SKY, BURGER, WATER = (0.0, 0.0), (4.0, 0.0), (0.0, 4.0)  # what a pixel looks for: something to eat, something wet
QUERIES = torch.tensor([SKY, SKY, SKY, WATER, BURGER, WATER, WATER, WATER, WATER])
KEYS = torch.tensor([(1.0, 0.0), (0.0, 0.0), (0.0, 1.0)])
WORDS = ("burger", "on", "water")
COLORS = {SKY: "#bfe3f5", BURGER: ORANGE, WATER: "#4aa5a0"}
STRONG = 0.7  # of the highest: there, letters are white
ROW, COLUMN = 28, 56  # pixels of a number in a table
TOP, BELOW = 92, 424  # of the tables of pixels, and of words
MIDDLE = TOP + 4.5 * ROW
WORD_MIDDLE = BELOW + 1.5 * ROW


def query_key_value() -> Canvas:
    """A picture asks, three words answer: queries, keys, their softmax, and one column as a map."""
    canvas = Canvas(1000, 580, "Nine pixels ask three words; a column of the answers is the map of a word")
    maps = attention_maps(QUERIES[None, None], KEYS[None, None])[0, 0]  # (pixels, words)
    _picture(canvas)
    _words(canvas)
    _head(canvas, 240, 28, "queries Q", "what each pixel looks for", GREEN)
    _table(canvas, 240, TOP, QUERIES, GREEN, digits=0)
    canvas.arrow((358, MIDDLE), (402, MIDDLE))
    canvas.words(446, MIDDLE, "softmax of|Q Kᵀ / √d", NORMAL, "middle")
    canvas.arrow((490, MIDDLE), (530, MIDDLE))
    _head(canvas, 536, 28, "attention A", "each row sums to one", INK)
    _table(canvas, 536, TOP, maps, ORANGE, digits=2)
    for number, word in enumerate(WORDS):
        canvas.words(536 + COLUMN * (number + 0.5), TOP - 10, word, SMALL, "middle", BLUE)
    _map(canvas, maps[:, 0])
    _output(canvas)
    return canvas


def _head(canvas: Canvas, x: float, y: float, title: str, line: str, color: str) -> None:
    canvas.words(x, y, title, LARGE, color=color, bold=True)
    canvas.words(x, y + 23, line, SMALL)


def _picture(canvas: Canvas) -> None:
    _head(canvas, 24, 28, "a picture", "3 × 3 pixels", INK)
    names = {SKY: "sky", BURGER: "burger", WATER: "water"}
    for pixel, query in enumerate(QUERIES.tolist()):
        x, y = 24 + 50 * (pixel % 3), MIDDLE - 75 + 50 * (pixel // 3)
        canvas.fill(x, y, 50, 50, COLORS[query[0], query[1]])
        canvas.words(x + 25, y + 25, names[query[0], query[1]], SMALL, "middle")
    canvas.arrow((180, MIDDLE), (234, MIDDLE), color=GREEN)
    canvas.words(206, MIDDLE - 16, "W_Q", SMALL, "middle", GREEN)


def _words(canvas: Canvas) -> None:
    _head(canvas, 24, BELOW - 44, "a prompt", "three words", INK)
    for number, word in enumerate(WORDS):
        canvas.box(24, BELOW + ROW * number + 1, 96, ROW - 2, word, BLUE)
    canvas.arrow((126, WORD_MIDDLE), (234, WORD_MIDDLE), color=BLUE)
    canvas.words(180, WORD_MIDDLE - 16, "W_K", SMALL, "middle", BLUE)
    _head(canvas, 240, BELOW - 44, "keys K", "what each word is found by", BLUE)
    _table(canvas, 240, BELOW, KEYS, BLUE, digits=0)
    canvas.arrow((358, WORD_MIDDLE), (446, WORD_MIDDLE), (446, MIDDLE + 30), color=BLUE)


def _table(canvas: Canvas, x: float, y: float, values: Tensor, color: str, digits: int) -> None:
    """Numbers in rows; the larger a number, the stronger its colour."""
    highest = float(values.max())
    for row, numbers in enumerate(values.tolist()):
        for column, value in enumerate(numbers):
            left, top = x + COLUMN * column, y + ROW * row
            canvas.fill(left, top, COLUMN, ROW, mixed(color, value / highest))
            ink = PAPER if value > STRONG * highest else INK
            canvas.words(left + COLUMN / 2, top + ROW / 2, f"{value:.{digits}f}", SMALL, "middle", ink)


def mixed(color: str, share: float) -> str:
    """A colour on white paper, as strong as a share."""
    parts = [int(color[place : place + 2], 16) for place in (1, 3, 5)]
    return "#" + "".join(f"{round(255 + share * (part - 255)):02x}" for part in parts)


def _map(canvas: Canvas, values: Tensor) -> None:
    _head(canvas, 790, 28, "map of “burger”", "its column, as a picture", ORANGE)
    canvas.arrow((710, MIDDLE), (784, MIDDLE), color=ORANGE)
    highest = float(values.max())
    for pixel, value in enumerate(values.tolist()):
        x, y = 792 + 58 * (pixel % 3), MIDDLE - 87 + 58 * (pixel // 3)
        canvas.fill(x, y, 58, 58, mixed(ORANGE, value / highest))
        canvas.words(x + 29, y + 29, f"{value:.2f}", NORMAL, "middle", PAPER if value > STRONG * highest else INK)


def _output(canvas: Canvas) -> None:
    """The way that the network itself goes on."""
    canvas.box(536, BELOW, 168, 84, "values V|what each|word adds", BLUE)
    canvas.arrow((72, BELOW + 90), (72, BELOW + 122), (620, BELOW + 122), (620, BELOW + 90), color=BLUE)
    canvas.words(180, BELOW + 106, "W_V", SMALL, "middle", BLUE)
    canvas.arrow((620, TOP + 9 * ROW + 6), (620, BELOW - 6))
    canvas.arrow((710, WORD_MIDDLE), (784, WORD_MIDDLE))
    canvas.box(790, BELOW, 176, 84, "output A V|the values, mixed|for each pixel", GREY)



LEVELS = ((16, 6, 96), (8, 8, 238), (4, 12, 364))  # cells of a side, pixels of a cell, top
CENTRE = 250  # of the U
HALF = (206, 128, 24)  # from there to the outer side of each level


def attention_in_unet() -> Canvas:
    """The three groups of a U-Net with the sizes of their maps, and the attention inside one of its layers."""
    title = "A U-Net with maps of three sizes; each layer has self-attention, attn1, and cross-attention, attn2"
    canvas = Canvas(1000, 520, title)
    canvas.words(24, 28, "a U-Net", LARGE, bold=True)
    canvas.words(24, 51, "each blue dot is a layer that has a map of each word", SMALL)
    for level in range(2):
        _level(canvas, level, CENTRE - HALF[level], 2)
        _level(canvas, level, CENTRE + HALF[level] - _side(level), 3)
        left, right = CENTRE - HALF[level] + _side(level) + 8, CENTRE + HALF[level] - _side(level) - 8
        canvas.arrow((left, _middle(level)), (right, _middle(level)), color=GREY, dashed=True)
    canvas.words(CENTRE, _middle(0) - 14, "skip connection", SMALL, "middle", GREY)
    _level(canvas, 2, CENTRE - HALF[2], 1)
    for level in range(2):
        down, below = CENTRE - HALF[level] + _side(level) / 2, LEVELS[level][2] + _side(level) + 30
        inner, across = CENTRE - HALF[level + 1] - 6, _middle(level + 1)
        canvas.arrow((down, below), (down, across), (inner, across))
        canvas.arrow((2 * CENTRE - inner, across), (2 * CENTRE - down, across), (2 * CENTRE - down, below))
    for x, name in ((92, "down"), (CENTRE, "mid"), (408, "up")):
        canvas.words(x, 470, name, LARGE, "middle", bold=True)
    canvas.fill(524, 20, 1, 480, GREY)
    _layer(canvas)
    return canvas


def _side(level: int) -> int:
    cells, cell, _ = LEVELS[level]
    return cells * cell


def _middle(level: int) -> float:
    return LEVELS[level][2] + _side(level) / 2


def _level(canvas: Canvas, level: int, x: float, layers: int) -> None:
    """A grid of one size, with a dot for each of its layers with cross-attention."""
    cells, cell, top = LEVELS[level]
    canvas.grid(x, top, cells, cells, cell)
    middle = x + cells * cell / 2
    for number in range(layers):
        canvas.dot(middle + 16 * (number - (layers - 1) / 2), top - 12)
    canvas.words(middle, top + cells * cell + 16, f"{cells} × {cells}", SMALL, "middle")


def _layer(canvas: Canvas) -> None:
    canvas.words(550, 28, "inside each dot", LARGE, bold=True)
    canvas.words(550, 51, "a transformer, for the pixels of one frame", SMALL)
    _transformer(canvas, 92, BLUE)
    canvas.words(622, 76, "pixels ask pixels", SMALL, "middle", ORANGE)
    canvas.words(766, 76, "pixels ask words", SMALL, "middle", BLUE)
    for number, word in enumerate(("a", "burger", "floats", "…")):
        canvas.box(644 + 64 * number, 220, 60, 28, word, BLUE)
    canvas.arrow((766, 216), (766, 176), color=BLUE)
    canvas.words(550, 302, "in a video network, after each of these", LARGE, bold=True)
    canvas.words(550, 325, "a transformer along time; it knows no words", SMALL)
    _transformer(canvas, 366, ORANGE)
    canvas.words(694, 350, "frames ask frames, at one place", SMALL, "middle", ORANGE)
    canvas.words(550, 470, "the second one is called attn2 as well,|and it is no cross-attention", SMALL, color=ORANGE)


def _transformer(canvas: Canvas, top: float, color: str) -> None:
    """Two layers of attention, the second in a colour, and what follows them."""
    names = (("self-attention|attn1", ORANGE), ("cross-attention|attn2", BLUE), ("feed-|forward", GREY))
    if color == ORANGE:
        names = (names[0], ("self-attention|attn2", ORANGE), names[2])
    for number, (name, shade) in enumerate(names):
        canvas.box(556 + 144 * number, top, 132, 78, name, shade)
        if number:
            canvas.arrow((556 + 144 * number - 11, top + 39), (556 + 144 * number - 2, top + 39))


DRAWINGS = {"query_key_value": query_key_value, "attention_in_unet": attention_in_unet}
