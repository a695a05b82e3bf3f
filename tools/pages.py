"""HTML of executed notebooks: one page each, and an index with a card for each. Nothing is loaded from a network."""

import html
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2
from nbformat import NotebookNode

from tools import cells, links
from tools.badges import LINKS, current
from tools.markup import markdown
from tools.notebooks import FOLDER

SITE = Path(__file__).parent / "site"
SERIES = "Cross-attention, notebook by notebook"
TEMPLATES = jinja2.Environment(
    loader=jinja2.FileSystemLoader(SITE), trim_blocks=True, keep_trailing_newline=True, autoescape=False
)
HEADING = re.compile(r'<h([23]) id="([^"]*)">(.*?)<a class="anchor-link"', re.DOTALL)
PICTURE = re.compile(r"data:image/(?:webp|png|jpeg|gif);base64,[A-Za-z0-9+/=]+")
LIST_ITEM = re.compile(r"([-*]|\d+\.) ")


@dataclass
class Card:
    """What the index says about one notebook."""

    page: str  # file name of its HTML page
    title: str
    summary: str  # markdown
    seconds: float  # 0 where they are not known
    thumbnail: str  # data URI, or empty
    failure: str = ""  # a sentence on where it failed
    digest: str = ""  # of what the page was made from


@dataclass(frozen=True)
class Place:
    """A lesson as its neighbours name it."""

    page: str  # file name
    title: str

    @property
    def number(self) -> str:
        """Its number in the series."""
        return self.page[:2]


def page(
    notebook: NotebookNode, before: Place | None = None, after: Place | None = None, folder: Path = FOLDER
) -> str:
    """The HTML page of an executed notebook of a folder, between its neighbours. Links lead to other pages."""
    address = current()
    body = links.to_pages(cells.body(notebook, bool(address.repository), folder), folder, address)
    return _framed(title(notebook), body, before=before, after=after)


def document(path: Path) -> str:
    """The HTML page of a text of the repository."""
    source = path.read_text(encoding="utf-8")
    body = links.named_as_on_github(markdown(source, path.parent))
    return _framed(path.stem, f'<div class="text">{links.to_pages(body, path.parent)}</div>')


def card(notebook: NotebookNode, name: str, seconds: float, failure: str = "", digest: str = "") -> Card:
    """The card of a notebook that was executed, or of one that failed on the way."""
    head = title(notebook) or name
    return Card(f"{name}.html", head, summary(notebook), seconds, thumbnail(notebook), failure, digest)


def index(cards: Sequence[Card]) -> str:
    """The page with all cards."""
    shown = []
    for known in cards:
        shown.append(vars(known) | {"html": markdown(known.summary), "duration": duration(known.seconds)})
    body = TEMPLATES.get_template("index.html.jinja2").render(series=SERIES, cards=shown)
    return _framed(SERIES, links.to_pages(body), is_index=True)


def title(notebook: NotebookNode) -> str:
    """The first heading."""
    return next((line.lstrip("# ") for line in _introduction(notebook).splitlines() if line.startswith("# ")), "")


def summary(notebook: NotebookNode) -> str:
    """The first paragraph of the first cell, and the first list in it: the goals."""
    blocks = [block for block in _introduction(notebook).split("\n\n") if block.strip() and block[0] not in "#<"]
    paragraphs = [block for block in blocks if not LIST_ITEM.match(block)]
    lists = [block for block in blocks if LIST_ITEM.match(block)]
    return "\n\n".join(paragraphs[:1] + lists[:1])


def thumbnail(notebook: NotebookNode) -> str:
    """The first picture, or video, among the outputs, as a data URI; empty where there is none."""
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    return next(filter(None, (_picture(output.get("data", {})) for output in outputs)), "")


def duration(seconds: float) -> str:
    """For example 1 min 05 s."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"


def _framed(head: str, body: str, **around: Any) -> str:
    """A page with its line on top, its table of contents and its end."""
    headings = []
    for level, name, words in HEADING.findall(body):
        text = re.sub(r"<(?!/?(?:em|code|m[a-z]+)\b)[^>]*>", "", words).strip()  # no link in a link
        headings.append({"level": level, "id": name, "text": text})
    look = {"script": (SITE / "site.js").read_text("utf-8"), "style": (SITE / "site.css").read_text("utf-8")}
    frame = TEMPLATES.get_template("frame.html.jinja2")
    return frame.render(title=html.escape(head), body=body, headings=headings, series=SERIES, **look, **around)


def _introduction(notebook: NotebookNode) -> str:
    texts = [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]
    return LINKS.sub("", texts[0]).strip() if texts else ""


def _picture(data: dict[str, str]) -> str:
    if "image/png" in data:
        return "data:image/png;base64," + data["image/png"].replace("\n", "")
    match = PICTURE.search(data.get("text/html", ""))
    return match[0] if match else ""
