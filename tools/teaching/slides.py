"""The slides of the lab: notebooks/lab/slides.md as one HTML file that needs no network; printing it gives a PDF.

A line `---` ends a slide, and a comment in it is what the teacher may say. A picture `teacher.ipynb#TAG` is what the
cell with this tag has left in the teacher's version of the lab.
"""

import html
import re
from pathlib import Path

from nbformat import NotebookNode

from tools import notebooks
from tools.markup import markdown
from tools.pages import PICTURE, SITE, TEMPLATES
from tools.teaching import versions

SOURCE = versions.FOLDER / "slides.md"
RULE = re.compile(r"^---$", re.MULTILINE)
NOTES = re.compile(r"<!--(.*?)-->", re.DOTALL)
OUTPUT = re.compile(r"!\[([^\]]*)\]\(teacher\.ipynb#([\w-]+)\)")


def page(source: Path = SOURCE, lab: NotebookNode | None = None) -> str:
    """All slides as HTML. Raises ValueError for a picture that the lab does not have."""
    lab = lab or versions.stored(versions.TEACHER)
    slides = []
    for text in RULE.split(source.read_text(encoding="utf-8")):
        notes = " ".join(note.strip() for note in NOTES.findall(text))
        body = markdown(with_pictures(NOTES.sub("", text), lab), source.parent)
        slides.append({"body": body, "notes": html.escape(notes, quote=False)})
    title = html.escape(source.read_text(encoding="utf-8").partition("\n")[0].lstrip("# "))
    look = {"style": (SITE / "slides.css").read_text("utf-8"), "script": (SITE / "slides.js").read_text("utf-8")}
    return TEMPLATES.get_template("slides.html.jinja2").render(title=title, slides=slides, **look)


def with_pictures(text: str, lab: NotebookNode) -> str:
    """Markdown with pictures of the lab as part of it."""

    def embedded(match: re.Match[str]) -> str:
        alternative = html.escape(match[1])
        shown = [f'<img alt="{alternative}" src="{data}">' for data in pictures(match[2], lab)]
        return f"<p>{''.join(shown)}</p>"

    return OUTPUT.sub(embedded, text)


def pictures(tag: str, lab: NotebookNode) -> list[str]:
    """The pictures, or videos, that the cell with a tag has left, as data URIs. Raises ValueError where it has none."""
    images = []
    for cell in lab.cells:
        if tag in notebooks.tags(cell):
            for output in cell.outputs:
                images += _of_output(output.get("data", {}))
    if not images:
        raise ValueError(f"the lab has no picture {tag!r}: run python -m tools.teaching --run")
    return images


def _of_output(data: dict[str, str]) -> list[str]:
    for mime in ("image/jpeg", "image/png"):
        if mime in data:
            return [f"data:{mime};base64,{''.join(data[mime].split())}"]
    return PICTURE.findall(data.get("text/html", ""))
