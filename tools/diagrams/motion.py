"""The diagrams of lesson 05: a track as a target of every frame, and two ways to bring back what was left out."""

import math

from tools.diagrams.canvas import BLUE, GREEN, GREY, LARGE, NORMAL, ORANGE, SMALL, Canvas

FRAMES = (0, 5, 10, 15)
COUNT = 16
START, END = (0.25, 0.25), (0.25, 0.77)  # the paper's burger: centres in shares of the picture, y down
SIZE = (0.36, 0.34)
SIDE = 160  # pixels of a picture
LEFT = (196, 396, 596, 796)  # of the four pictures


def centre(frame: int) -> tuple[float, float]:
    """Where the box is in a frame."""
    share = frame / (COUNT - 1)
    return START[0] + share * (END[0] - START[0]), START[1] + share * (END[1] - START[1])


def track_as_targets() -> Canvas:
    """A path, its boxes, and the cells that are the target in maps of two sizes, with time running to the right."""
    canvas = Canvas(1000, 700, "A track is a box in every frame, and a disc of cells in maps of 16 × 16 and 8 × 8")
    draw_time(canvas)
    rows = ((84, "the picture", "a box of its own|in each frame"), (280, "16 × 16 maps", "fine: moves|in small steps"),
            (476, "8 × 8 maps", "coarse: moves|in jumps"))  # fmt: skip
    for top, name, words in rows:
        canvas.words(24, top + 56, name, LARGE, bold=True)
        canvas.words(24, top + 100, words, SMALL)
    for left, frame in zip(LEFT, FRAMES, strict=True):
        _picture(canvas, left, rows[0][0], frame)
        for (top, _, _), cells in zip(rows[1:], (16, 8), strict=True):
            _target(canvas, left, top, cells, frame)
    rule = "A cell is in the target of a frame when its middle is inside the disc that fits into the box."
    canvas.words(24, 668, rule, SMALL)
    return canvas


def draw_time(canvas: Canvas) -> None:
    """An arrow above four pictures, and the number of the frame above each."""
    canvas.arrow((196, 50), (956, 50), color=GREY)
    canvas.words(576, 26, "time", SMALL, "middle", color=GREY)
    for left, frame in zip(LEFT, FRAMES, strict=True):
        canvas.words(left + SIDE / 2, 70, f"frame {frame}", SMALL, "middle")


def draw_box(canvas: Canvas, left: float, top: float, frame: int) -> None:
    """An empty picture with the box of a frame."""
    (x, y), width, height = centre(frame), SIZE[0] * SIDE, SIZE[1] * SIDE
    canvas.grid(left, top, 1, 1, SIDE, GREY)
    canvas.box(round(left + x * SIDE - width / 2, 1), round(top + y * SIDE - height / 2, 1), width, height, "", ORANGE)


def _picture(canvas: Canvas, left: float, top: float, frame: int) -> None:
    x, y = centre(frame)
    draw_box(canvas, left, top, frame)
    (x0, y0), (x1, y1) = (left + START[0] * SIDE, top + START[1] * SIDE), (left + END[0] * SIDE, top + END[1] * SIDE)
    canvas.arrow((x0, y0), (x1, y1), dashed=True)
    canvas.dot(round(left + x * SIDE, 1), round(top + y * SIDE, 1), ORANGE)


def _target(canvas: Canvas, left: float, top: float, cells: int, frame: int) -> None:
    cell, (x, y) = SIDE / cells, centre(frame)
    canvas.grid(left, top, cells, cells, cell, GREEN)
    for row in range(cells):
        for column in range(cells):
            across, down = ((column + 0.5) / cells - x) / (SIZE[0] / 2), ((row + 0.5) / cells - y) / (SIZE[1] / 2)
            if across**2 + down**2 <= 1:
                canvas.fill(left + column * cell, top + row * cell, cell, cell, GREEN)


def target_or_excite() -> Canvas:
    """The energy of a target beside that of Attend-and-Excite: what each looks at in a map, and the map afterwards."""
    canvas = Canvas(1000, 430, "A target says where attention must be; Attend-and-Excite only that it must be")
    canvas.words(108, 30, "map of a missing word", NORMAL, "middle", bold=True)
    _map(canvas, 28, 130, 160, WEAK)
    canvas.words(108, 320, "weak everywhere", SMALL, "middle")
    for left, words in ((360, "what the energy looks at"), (540, "the map afterwards")):
        canvas.words(left + 65, 30, words, SMALL, "middle", color=GREY)
    for top, after in ((60, IN_TARGET), (250, AT_LARGEST)):
        canvas.arrow((196, 210), (230, 210), (230, top + 65), (352, top + 65), color=GREY)
        _map(canvas, 360, top, 130, WEAK)
        canvas.arrow((496, top + 65), (534, top + 65), color=GREY)
        _map(canvas, 540, top, 130, after)
    canvas.ring(360 + 130 * CHOSEN[0], 60 + 130 * CHOSEN[1], 28, ORANGE)
    canvas.ring(360 + 130 * BRIGHTEST[0], 250 + 130 * BRIGHTEST[1], 9, ORANGE)
    target = "The share outside the ring must fall:|the object comes where you want it."
    excite = "The brightest cell must grow:|the object comes where it likes."
    _energy(canvas, 60, "target", "E = (1 − inside / all)²", target)
    _energy(canvas, 250, "Attend-and-Excite", "E = 1 − largest value", excite)
    return canvas


def _energy(canvas: Canvas, top: float, name: str, formula: str, words: str) -> None:
    canvas.words(700, top + 16, name, LARGE, bold=True)
    canvas.words(700, top + 54, formula, color=BLUE)
    canvas.words(700, top + 100, words, SMALL)


Blobs = tuple[tuple[float, float, float], ...]  # x and y in shares of the map, and the height
BRIGHTEST, CHOSEN = (0.69, 0.31), (0.31, 0.69)
WEAK: Blobs = ((*BRIGHTEST, 0.35), (*CHOSEN, 0.2))
IN_TARGET: Blobs = ((*BRIGHTEST, 0.1), (*CHOSEN, 1.0))
AT_LARGEST: Blobs = ((*BRIGHTEST, 1.0), (*CHOSEN, 0.2))
WIDTH = 0.14  # of a blob, in shares of the map
CELLS = 8


def _map(canvas: Canvas, left: float, top: float, side: float, blobs: Blobs) -> None:
    """A map with bright places."""
    cell = side / CELLS
    canvas.grid(left, top, CELLS, CELLS, cell, BLUE)
    for row in range(CELLS):
        for column in range(CELLS):
            x, y, value = (column + 0.5) / CELLS, (row + 0.5) / CELLS, 0.0
            for across, down, height in blobs:
                value += height * math.exp(-((x - across) ** 2 + (y - down) ** 2) / (2 * WIDTH**2))
            canvas.shade(left + column * cell, top + row * cell, cell, BLUE, round(min(1.0, value), 2))


DRAWINGS = {"track_as_targets": track_as_targets, "target_or_excite": target_or_excite}
