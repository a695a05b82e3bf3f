"""Boxes, arrows, grids and words of all diagrams: one font, one set of colours, as SVG that needs nothing else."""

import html
from collections.abc import Sequence
from dataclasses import dataclass, field

FONT = "font-family='Helvetica, Arial, sans-serif'"
INK, GREY, PAPER = "#27313b", "#6b7783", "#ffffff"
BLUE, GREEN, ORANGE = "#2f6db3", "#2a7f62", "#c8692b"  # words; latents and pictures; attention of pixels to pixels
PALE = {BLUE: "#e3edf7", GREEN: "#e0f0ea", ORANGE: "#faeadf", GREY: "#eef1f4"}  # the same as a background
SMALL, NORMAL, LARGE = 13, 15, 18  # pixels of letters
LINE = 1.25  # heights of a letter between two lines
ROUND = 6  # pixels, of corners


@dataclass
class Canvas:
    """A drawing of some size in pixels, as a list of elements."""

    width: int
    height: int
    title: str  # what is told to whom cannot see it
    elements: list[str] = field(default_factory=list)

    def box(self, x: float, y: float, width: float, height: float, words: str = "", color: str = GREY) -> None:
        """A rounded box with words in its middle; `|` begins a new line."""
        shape = f"x='{x:g}' y='{y:g}' width='{width:g}' height='{height:g}' rx='{ROUND}'"
        self.elements.append(f"<rect {shape} fill='{PALE[color]}' stroke='{color}' stroke-width='1.5'/>")
        self.words(x + width / 2, y + height / 2, words, anchor="middle")

    def words(
        self, x: float, y: float, words: str, size: int = NORMAL, anchor: str = "start", color: str = INK,
        bold: bool = False,
    ) -> None:  # fmt: skip
        """Words about a height; `|` begins a new line."""
        lines = words.split("|")
        weight = " font-weight='bold'" if bold else ""
        side = "" if anchor == "start" else f" text-anchor='{anchor}'"
        top = y - (len(lines) - 1) / 2 * size * LINE + 0.35 * size
        for number, line in enumerate(lines):
            place = f"x='{x:g}' y='{top + number * size * LINE:.1f}'"
            letters = "" if size == NORMAL else f" font-size='{size}'"
            ink = "" if color == INK else f" fill='{color}'"  # what is left out, the whole drawing says
            self.elements.append(f"<text {place}{letters}{ink}{side}{weight}>{html.escape(line)}</text>")

    def grid(self, x: float, y: float, columns: int, rows: int, cell: float, color: str = GREEN) -> None:
        """A picture of cells."""
        shape = f"x='{x:g}' y='{y:g}' width='{columns * cell:g}' height='{rows * cell:g}'"
        self.elements.append(f"<rect {shape} fill='{PALE[color]}' stroke='{color}' stroke-width='1.2'/>")
        lines = [f"M{x + number * cell:g},{y:g}v{rows * cell:g}" for number in range(1, columns)]
        lines += [f"M{x:g},{y + number * cell:g}h{columns * cell:g}" for number in range(1, rows)]
        self.elements.append(f"<path d='{''.join(lines)}' stroke='{color}' stroke-width='.6' opacity='.6'/>")

    def fill(self, x: float, y: float, width: float, height: float, color: str) -> None:
        """A part of a picture in a full colour."""
        self.cell(x, y, width, height, f"fill='{color}' stroke='{INK}'")

    def shade(self, x: float, y: float, side: float, color: str, share: float) -> None:
        """A cell of a picture, the fuller in its colour the larger its share."""
        self.cell(x, y, side, side, f"fill='{color}' fill-opacity='{share:.3g}'")

    def cell(self, x: float, y: float, width: float, height: float, look: str) -> None:
        """A part of a picture; a path takes two thirds of the room of a rectangle, and pictures have hundreds."""
        self.elements.append(f"<path d='M{x:g},{y:g}h{width:g}v{height:g}h-{width:g}z' {look}/>")

    def ring(self, x: float, y: float, radius: float, color: str = ORANGE) -> None:
        """A circle around what is meant."""
        place = f"cx='{x:g}' cy='{y:g}' r='{radius:g}'"
        self.elements.append(f"<circle {place} fill='none' stroke='{color}' stroke-width='3'/>")

    def arrow(self, *points: tuple[float, float], color: str = INK, dashed: bool = False) -> None:
        """A line through points, with a head at its end."""
        path = "M" + "L".join(f"{x:g},{y:g}" for x, y in points)
        dashes = " stroke-dasharray='5 4'" if dashed else ""
        look = f"fill='none' stroke='{color}' stroke-width='1.6'{dashes} marker-end='url(#{head(color)})'"
        self.elements.append(f"<path d='{path}' {look}/>")

    def dot(self, x: float, y: float, color: str = BLUE) -> None:
        """A mark."""
        place = f"cx='{x:g}' cy='{y:g}' r='6'"
        self.elements.append(f"<circle {place} fill='{color}' stroke='{PAPER}' stroke-width='1.5'/>")

    def svg(self) -> str:
        """The drawing as a file."""
        drawn = "\n".join(self.elements)
        colors: Sequence[str] = [color for color in (INK, GREY, BLUE, GREEN, ORANGE) if head(color) in drawn]
        heads = "".join(
            f"<marker id='{head(color)}' viewBox='0 0 8 8' refX='7' refY='4' markerWidth='7' markerHeight='7' "
            f"orient='auto'><path d='M0,0L8,4L0,8z' fill='{color}'/></marker>"
            for color in colors
        )
        size = f"width='{self.width}' height='{self.height}' viewBox='0 0 {self.width} {self.height}'"
        told = f"{FONT} font-size='{NORMAL}' fill='{INK}' role='img' aria-label='{html.escape(self.title)}'"
        begin = f"<svg xmlns='http://www.w3.org/2000/svg' {size} {told}>"
        paper = f"<rect width='100%' height='100%' fill='{PAPER}'/>"
        lines = [begin, f"<title>{html.escape(self.title)}</title>", f"<defs>{heads}</defs>", paper, drawn, "</svg>"]
        return "\n".join(lines) + "\n"


def head(color: str) -> str:
    """The name of an arrow's head in a colour."""
    return f"head-{color.removeprefix('#')}"
