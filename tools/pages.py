"""HTML of executed notebooks: one page each, and an index with a card for each. Nothing is loaded from a network."""

import html
import logging
import re
from dataclasses import dataclass

from nbconvert import HTMLExporter
from nbformat import NotebookNode

from tools.badges import LINKS
from tools.markup import markdown

# nbconvert's page without the scripts that it would fetch; pictures and videos are in the page already.
TEMPLATE = """
{%- extends 'lab/index.html.j2' -%}
{%- block html_head_js -%}{%- endblock -%}
{%- block html_head_js_mathjax -%}{%- endblock -%}
{%- block html_head_js_mermaidjs -%}{%- endblock -%}
{%- block body_header -%}{{ super() }}<p style="margin: 1em"><a href="index.html">All notebooks</a></p>{%- endblock -%}
"""
INDEX = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Cross-attention, notebook by notebook</title>
<style>
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 60em; margin: 2em auto; padding: 0 1em; color: #222 }}
.card {{ display: flex; gap: 1.5em; border-top: 1px solid #ccc; padding: 1em 0 }}
.card .picture {{ width: 160px; flex: none }}
.card img {{ max-width: 160px; max-height: 160px }}
.card h2 {{ margin: 0 }}
.time {{ color: #666 }}
</style>
</head>
<body>
<h1>Cross-attention, notebook by notebook</h1>
<p><a href="api/xattn_helpers.html">The API reference</a> says what each function that they call does.</p>
{cards}
</body>
</html>
"""
CARD = """<div class="card">
<div class="picture">{picture}</div>
<div><h2><a href="{page}">{title}</a></h2>
{summary}
<p class="time">{end}</p></div>
</div>
"""
PICTURE = re.compile(r"data:image/(?:webp|png|jpeg|gif);base64,[A-Za-z0-9+/=]+")
LIST_ITEM = re.compile(r"([-*]|\d+\.) ")


@dataclass
class Card:
    """What the index says about one notebook."""

    page: str  # file name of its HTML page
    title: str
    summary: str  # markdown
    seconds: float
    thumbnail: str  # data URI, or empty
    failure: str = ""  # a sentence on where it failed
    digest: str = ""  # of what the page was made from


def page(notebook: NotebookNode) -> str:
    """The HTML page of an executed notebook. Links to other notebooks lead to their pages."""
    logging.getLogger("traitlets").setLevel(logging.ERROR)  # else a warning for each output without alternative text
    exporter = HTMLExporter(raw_template=TEMPLATE, filters={"markdown2html": markdown})
    body, _ = exporter.from_notebook_node(notebook, {"metadata": {"name": title(notebook)}})
    return _to_pages(body)


def card(notebook: NotebookNode, name: str, seconds: float, failure: str = "", digest: str = "") -> Card:
    """The card of a notebook that was executed, or of one that failed on the way."""
    head = title(notebook) or name
    return Card(f"{name}.html", head, summary(notebook), seconds, thumbnail(notebook), failure, digest)


def index(cards: list[Card]) -> str:
    """The page with all cards."""
    return INDEX.format(cards=_to_pages("".join(_card_html(card) for card in cards)))


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


def _to_pages(body: str) -> str:
    """Links to notebooks lead to their pages."""
    return re.sub(r'href="(\d\d_\w+)\.ipynb', r'href="\1.html', body)


def _introduction(notebook: NotebookNode) -> str:
    texts = [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]
    return LINKS.sub("", texts[0]).strip() if texts else ""


def _picture(data: dict[str, str]) -> str:
    if "image/png" in data:
        return "data:image/png;base64," + data["image/png"].replace("\n", "")
    match = PICTURE.search(data.get("text/html", ""))
    return match[0] if match else ""


def _card_html(card: Card) -> str:
    picture = f'<a href="{card.page}"><img src="{card.thumbnail}" alt=""></a>' if card.thumbnail else ""
    end = f"<strong>{html.escape(card.failure)}</strong>" if card.failure else f"ran in {duration(card.seconds)}"
    return CARD.format(
        page=card.page, title=html.escape(card.title), summary=markdown(card.summary), end=end, picture=picture
    )
