"""The paper's Figure 1 as a sketch, for lesson 05: a burger that floats, where it is asked to go, and where it goes."""

from tools.diagrams.canvas import BLUE, GREEN, GREY, LARGE, ORANGE, PALE, SMALL, Canvas
from tools.diagrams.motion import FRAMES, LEFT, SIDE, centre, draw_box, draw_time

ALONE = ((0.62, 0.56), (0.6, 0.58), (0.61, 0.56), (0.63, 0.57))  # centres of the unguided burger
WATER = 0.45  # of the height, where the water begins
ROWS = ((84, "unguided", "the burger is where|the noise puts it"), (264, "asked", "a box in|every frame"),
        (444, "guided", "the same noise: the|burger goes along"))  # fmt: skip


def figure_one() -> Canvas:
    """Four frames of a clip without guidance, the boxes, and the same frames with it, time running to the right."""
    canvas = Canvas(1000, 620, "Without guidance the burger stays; with it, it follows the boxes down the picture")
    draw_time(canvas)
    for top, name, words in ROWS:
        canvas.words(24, top + 56, name, LARGE, bold=True)
        canvas.words(24, top + 100, words, SMALL)
    for left, frame, alone in zip(LEFT, FRAMES, ALONE, strict=True):
        _burger(canvas, left, ROWS[0][0], alone)
        draw_box(canvas, left, ROWS[1][0], frame)
        _burger(canvas, left, ROWS[2][0], centre(frame))
    return canvas


def _burger(canvas: Canvas, left: float, top: float, place: tuple[float, float]) -> None:
    """A picture of sky and water with a burger: two halves of a bun, lettuce and meat."""
    canvas.grid(left, top, 1, 1, SIDE, GREY)
    canvas.fill(left, round(top + WATER * SIDE, 1), SIDE, round((1 - WATER) * SIDE, 1), PALE[BLUE])
    x, y = round(left + place[0] * SIDE, 1), round(top + place[1] * SIDE, 1)
    canvas.box(x - 25, y - 20, 50, 16, "", ORANGE)
    canvas.fill(x - 28, y - 3, 56, 5, GREEN)
    canvas.fill(x - 26, y + 3, 52, 8, GREY)
    canvas.box(x - 25, y + 12, 50, 11, "", ORANGE)


DRAWINGS = {"figure_one": figure_one}
