"""The paper's Figure 1 as a sketch, for lesson 05: a burger that floats, where it is asked to go, and where it goes."""

from tools.diagrams.canvas import BLUE, GREEN, GREY, LARGE, ORANGE, PALE, SMALL, Canvas
from tools.diagrams.motion import FRAMES, LEFT, SIDE, SIZE, centre

ALONE = ((0.62, 0.56), (0.6, 0.58), (0.61, 0.56), (0.63, 0.57))  # centres of the unguided burger
WATER = 0.45  # of the height, where the water begins
ROWS = ((84, "unguided", "the burger is where|the noise puts it"), (264, "asked", "a box in|every frame"),
        (444, "guided", "the same noise: the|burger goes along"))  # fmt: skip


def figure_one() -> Canvas:
    """Four frames of a clip without guidance, the boxes, and the same frames with it, time running to the right."""
    canvas = Canvas(1000, 620, "Without guidance the burger stays; with it, it follows the boxes down the picture")
    canvas.arrow((196, 50), (956, 50), color=GREY)
    canvas.words(576, 26, "time", SMALL, "middle", color=GREY)
    for top, name, words in ROWS:
        canvas.words(24, top + 56, name, LARGE, bold=True)
        canvas.words(24, top + 100, words, SMALL)
    for number, (left, frame) in enumerate(zip(LEFT, FRAMES, strict=True)):
        canvas.words(left + SIDE / 2, 70, f"frame {frame}", SMALL, "middle")
        _burger(canvas, left, ROWS[0][0], ALONE[number])
        canvas.grid(left, ROWS[1][0], 1, 1, SIDE, GREY)
        _box(canvas, left, ROWS[1][0], frame)
        _burger(canvas, left, ROWS[2][0], centre(frame))
    return canvas


def _box(canvas: Canvas, left: float, top: float, frame: int) -> None:
    (x, y), width, height = centre(frame), SIZE[0] * SIDE, SIZE[1] * SIDE
    canvas.box(round(left + x * SIDE - width / 2, 1), round(top + y * SIDE - height / 2, 1), width, height, "", ORANGE)


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
