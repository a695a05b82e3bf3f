"""Links between the pages: what a notebook or a text of the repository links to, and where that is on the pages."""

import html
import os
import re
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import unquote

from nbformat import NotebookNode

from tools.badges import Address, current
from tools.notebooks import FOLDER, ROOT

LINK = re.compile(r'<a ([^>]*?)href="([^"#:]+)(#[^"]*)?"([^>]*)>(.*?)</a>', re.DOTALL)
MARKDOWN_LINK = re.compile(r"\]\(([^)#:\s]+\.md)(?:#[^)]*)?\)")
HEADING_NAME = re.compile(r'(<h\d id="|<a class="anchor-link" href="#)([^"]*)"')
LESSON = re.compile(r"\d\d_\w+\.ipynb")
PLACES = {  # of what is no lesson and no text, by its path in the repository
    "notebooks/lab/student.ipynb": "lab/student.ipynb",
    "notebooks/lab/teacher.ipynb": "lab.html",
    "notebooks/lab/slides.md": "slides.html",
}
BLOB = "https://github.com/{repository}/blob/{branch}/{path}"


def to_pages(body: str, folder: Path = FOLDER, address: Address | None = None) -> str:
    """Relative links of a text in a folder of the repository, made to lead where they can.

    To the page of a lesson or of a text. Any other file is on GitHub; without an address, only the link's words stay.
    """
    address = address or current()

    def led(match: re.Match[str]) -> str:
        before, path, fragment, behind, words = match.groups(default="")
        target = _target(path, folder, address)
        return f'<a {before}href="{target}{fragment}"{behind}>{words}</a>' if target else words

    return LINK.sub(led, body)


def named_as_on_github(body: str) -> str:
    """The HTML of a text whose headings have the names by which links on GitHub lead to them."""

    def named(match: re.Match[str]) -> str:
        name = re.sub(r"[^\w-]", "", unquote(html.unescape(match[2])).lower())
        return f'{match[1]}{name}"'

    return HEADING_NAME.sub(named, body)


def documents(texts: Iterable[tuple[str, Path]]) -> list[Path]:
    """The texts of the repository (.md) that others link to, given with the folders that they are in, and so on."""
    waiting = list(texts)
    linked: list[Path] = []
    while waiting:
        text, folder = waiting.pop(0)
        for name in MARKDOWN_LINK.findall(text):
            path = Path(os.path.normpath(folder / name))
            is_new = path not in [*linked, *(ROOT / place for place in PLACES)]
            if path.is_relative_to(ROOT) and path.exists() and is_new:
                linked.append(path)
                waiting.append((path.read_text(encoding="utf-8"), path.parent))
    return linked


def document_page(path: Path) -> str:
    """The file name of the page of a text: its path in the repository, with hyphens."""
    return path.relative_to(ROOT).with_suffix(".html").as_posix().replace("/", "-")


def text_of(notebook: NotebookNode) -> str:
    """All markdown of a notebook, what its cells wrote included."""
    parts = [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            parts.append(output.get("data", {}).get("text/markdown", ""))
    return "\n\n".join(parts)


def _target(path: str, folder: Path, address: Address) -> str:
    if LESSON.fullmatch(path) or path.endswith(".html"):
        return path.replace(".ipynb", ".html")
    full = Path(os.path.normpath(folder / path))
    if not full.is_relative_to(ROOT) or not full.exists():
        return ""
    if (name := full.relative_to(ROOT).as_posix()) in PLACES:
        return PLACES[name]
    if full.suffix == ".md":
        return document_page(full)
    if LESSON.fullmatch(full.name) and full.parent == FOLDER:
        return f"{full.stem}.html"
    return BLOB.format(repository=address.repository, branch=address.branch, path=name) if address.repository else ""
