"""The diagrams of lesson 07: patches and blocks of a transformer, and a U-Net beside it."""

from tools.diagrams.canvas import BLUE, GREEN, GREY, LARGE, NORMAL, ORANGE, SMALL, Canvas

WORDS = ("a", "burger", "floats", "on", "the", "water")


def patches() -> Canvas:
    """From latents to tokens, through a block, and back."""
    canvas = Canvas(1000, 430, "Latents are cut into patches, which are the tokens of ten equal blocks")
    _latents(canvas)
    _tokens(canvas)
    _block(canvas)
    canvas.box(838, 150, 140, 62, "tokens back|to patches", GREEN)
    canvas.arrow((782, 181), (834, 181))
    canvas.arrow((908, 216), (908, 262))
    canvas.words(908, 292, "velocity,|as large as|the latents", SMALL, "middle")
    return canvas


def _latents(canvas: Canvas) -> None:
    for frame in range(3, -1, -1):
        canvas.grid(24 + 14 * frame, 128 - 14 * frame, 8, 8, 15)
    canvas.fill(24 + 30, 128 + 30, 30, 30, GREEN)
    canvas.words(24, 32, "latents", LARGE, bold=True)
    canvas.words(24, 56, "16 frames of 16 × 16 cells", SMALL)
    canvas.words(24, 290, "a patch:|2 × 2 cells of 4 channels|= 16 numbers", SMALL, color=GREEN)
    canvas.arrow((69, 264), (69, 192), color=GREEN)
    canvas.arrow((206, 181), (246, 181))


def _tokens(canvas: Canvas) -> None:
    canvas.words(254, 32, "tokens", LARGE, bold=True)
    canvas.words(254, 56, "16 × 8 × 8 = 1,024", SMALL)
    for number in range(8):
        canvas.fill(258, 88 + 24 * number, 108, 16, GREEN if number == 3 else "#cfe5dc")
    canvas.words(312, 290, "…", LARGE, "middle")
    canvas.words(312, 318, "256 numbers each", SMALL, "middle")
    canvas.words(312, 352, "position: frame,|row, column", SMALL, "middle", color=ORANGE)
    canvas.arrow((372, 181), (420, 181))


def _block(canvas: Canvas) -> None:
    canvas.box(424, 76, 356, 214, "", GREY)
    canvas.words(424, 32, "a block", LARGE, bold=True)
    canvas.words(424, 56, "ten of them, one after the other", SMALL)
    names = ("self-|attention|attn1", "cross-|attention|attn2", "feed-|forward")
    for place, (name, color) in enumerate(zip(names, (ORANGE, BLUE, GREY), strict=True)):
        canvas.box(440 + 114 * place, 140, 96, 82, name, color)
        if place:
            canvas.arrow((440 + 114 * place - 17, 181), (440 + 114 * place - 3, 181))
    canvas.words(488, 112, "all 1,024 tokens|look at each other", SMALL, "middle", color=ORANGE)
    canvas.words(604, 112, "each token|looks at words", SMALL, "middle", color=BLUE)
    canvas.words(718, 112, "each token|by itself", SMALL, "middle")
    for number, word in enumerate(WORDS):
        canvas.box(424 + 60 * number, 330, 56, 28, "", BLUE)
        canvas.words(424 + 60 * number + 28, 344, word, SMALL, "middle")
    canvas.words(424, 386, "the prompt, through the text encoder; after it, padding", SMALL, color=BLUE)
    canvas.arrow((602, 326), (602, 226), color=BLUE)
    canvas.arrow((488, 326), (488, 226), color=ORANGE, dashed=True)
    canvas.words(432, 262, "positions", SMALL, color=ORANGE)
    canvas.words(620, 262, "σ scales and shifts", SMALL)


def unet_beside_transformer() -> Canvas:
    """The two networks, with the places of their text attention."""
    canvas = Canvas(1000, 470, "A U-Net, whose maps have three sizes, beside a transformer, whose maps have one")
    _unet(canvas)
    canvas.fill(499, 20, 1, 390, GREY)
    _transformer(canvas)
    canvas.dot(330, 446)
    canvas.words(346, 446, "text attention: here are maps of words", SMALL)
    return canvas


def _unet(canvas: Canvas) -> None:
    canvas.words(24, 32, "U-Net", LARGE, bold=True)
    canvas.words(24, 56, "pictures become smaller, then larger again", SMALL)
    levels = ((90, 24, 84), (180, 84, 70))  # top, left, and a part of the width
    for (top, left, width), size, sites in zip(levels, ("16 × 16", "8 × 8"), ((2, 3), (2, 3)), strict=True):
        for x, count in ((left, sites[0]), (450 - left - 1.4 * width, sites[1])):
            canvas.box(x, top, 1.4 * width, 50, size, GREEN)
            for number in range(count):
                canvas.dot(x + 14 + 16 * number, top)
        canvas.arrow((left + 1.4 * width + 6, top + 25), (450 - left - 1.4 * width - 6, top + 25), dashed=True)
    canvas.words(237, 102, "skip connection", SMALL, "middle", color=GREY)
    canvas.box(187, 270, 100, 50, "4 × 4", GREEN)
    canvas.dot(201, 270)
    canvas.arrow((100, 144), (124, 176))
    canvas.arrow((150, 234), (183, 286))
    canvas.arrow((291, 286), (324, 234))
    canvas.arrow((350, 176), (374, 144))
    for x, name in ((90, "down"), (237, "mid"), (384, "up")):
        canvas.words(x, 346, name, NORMAL, "middle", bold=True)
    canvas.words(24, 392, "attention within a frame, then between frames at one place;|no positions", SMALL)


def _transformer(canvas: Canvas) -> None:
    canvas.words(524, 32, "transformer", LARGE, bold=True)
    canvas.words(524, 56, "ten blocks of one width, at one size", SMALL)
    for number in range(10):
        x = 524 + 45 * number
        canvas.box(x, 130, 36, 110, "", GREEN)
        canvas.words(x + 18, 185, str(number), SMALL, "middle")
        canvas.dot(x + 18, 130)
        if number:
            canvas.arrow((x - 8, 185), (x - 1, 185))
    canvas.words(524, 100, "16 frames of 8 × 8, everywhere", SMALL, color=GREEN)
    for x, width, name in ((524, 171, "early"), (704, 126, "middle"), (839, 126, "late")):
        canvas.fill(x, 262, width, 2, GREY)
        canvas.words(x + width / 2, 284, name, NORMAL, "middle", bold=True)
    canvas.words(524, 392, "attention between all frames and places at once;|positions: frame, row, column", SMALL)


DRAWINGS = {"patches": patches, "unet_beside_transformer": unet_beside_transformer}
