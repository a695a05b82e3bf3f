"""HTML of the cells of an executed notebook: text, code and outputs."""

import base64
import html
import re
from collections.abc import Callable
from pathlib import Path

from nbconvert.filters import strip_ansi
from nbformat import NotebookNode

from tools.badges import LINKS, TAG
from tools.markup import code, markdown
from tools.notebooks import FOLDER, tags

HEADING = re.compile(r"^#{2,3} +(.*)$", re.MULTILINE)
TABLE = re.compile(r"<table\b.*?</table>", re.DOTALL)
SCRIPT = re.compile(r"<script>.*?</script>", re.DOTALL)
FOLDED = '<details class="folded"><summary>{}</summary>\n{}</details>\n'


def body(notebook: NotebookNode, with_links: bool, folder: Path = FOLDER) -> str:
    """The HTML of all cells, without the one that sets up Colab.

    with_links: whether the line with the links to Colab and Binder stays; without a repository it says nothing to a
    reader. folder: that of the notebook, from which its pictures are found. Scripts that several outputs bring along
    are there once.
    """
    parts, place = [], ""
    for cell in notebook.cells:
        if TAG in tags(cell):
            continue
        if cell.cell_type == "markdown":
            source = cell.source if with_links else LINKS.sub("", cell.source)
            place = (HEADING.findall(source) or [place])[-1]
            parts.append(f'<div class="text">{markdown(source, folder)}</div>\n')
        elif cell.cell_type == "code" and cell.source.strip():
            parts.append(_code_cell(cell, place))
    return _each_script_once("".join(parts))


def _code_cell(cell: NotebookNode, place: str) -> str:
    """Code, folded where the lesson folds it, and what it gave."""
    source = code(cell.source)
    if cell.metadata.get("jupyter", {}).get("source_hidden") or "hide-input" in tags(cell):
        source = FOLDED.format(_label(cell.source), source)
    outputs = "".join(f'<div class="output">{output(item, place)}</div>\n' for item in cell.get("outputs", []))
    return f'<div class="cell">\n{source}{outputs}</div>\n'


def _label(source: str) -> str:
    """What stands on folded code: its first line if that is a comment, as "Solution of exercise 1"."""
    first = source.lstrip().partition("\n")[0]
    return html.escape(first.lstrip("# ")) if first.startswith("#") else "Code"


def output(item: NotebookNode, place: str = "") -> str:
    """HTML of one output. place: the heading that it stands below, for a picture that says nothing of itself."""
    if item.output_type == "stream":
        return _plain(item.text, item.name)
    if item.output_type == "error":
        return _plain("\n".join(item.traceback), "error")
    for mime, as_html in FORMATS.items():
        if mime in item.data:
            return as_html(item, place)
    return ""


def description(item: NotebookNode, mime: str, place: str) -> str:
    """What a picture shows: as it was described when it was made, or else where it stands."""
    said = item.get("metadata", {}).get(mime, {}).get("alt", "")
    return said or (f"Figure of the section “{place}”; the code above draws it." if place else "A figure.")


def _plain(text: str, kind: str = "plain") -> str:
    return f'<pre class="{kind}" tabindex="0">{html.escape(strip_ansi(text).rstrip())}</pre>'


def _as_plain(item: NotebookNode, place: str) -> str:
    return _plain(item.data["text/plain"])


def _as_markdown(item: NotebookNode, place: str) -> str:
    return markdown(item.data["text/markdown"])


def _as_html(item: NotebookNode, place: str) -> str:
    """HTML as it is; a table that is not part of a player may scroll."""
    text = item.data["text/html"]
    if "<xattn-" in text:
        return text
    return TABLE.sub(lambda match: f'<div class="scroll" tabindex="0">{match[0]}</div>', text)


def _as_picture(mime: str) -> Callable[[NotebookNode, str], str]:
    def picture(item: NotebookNode, place: str) -> str:
        data = item.data[mime]
        data = base64.b64encode(data.encode()).decode() if mime.endswith("xml") else data.replace("\n", "")
        alternative = html.escape(description(item, mime, place))
        return f'<img src="data:{mime};base64,{data}" alt="{alternative}">'

    return picture


FORMATS: dict[str, Callable[[NotebookNode, str], str]] = {  # of several, the first
    "text/html": _as_html,
    "text/markdown": _as_markdown,
    "image/svg+xml": _as_picture("image/svg+xml"),
    "image/png": _as_picture("image/png"),
    "image/jpeg": _as_picture("image/jpeg"),
    "text/plain": _as_plain,
}


def _each_script_once(text: str) -> str:
    seen: set[str] = set()

    def first(match: re.Match[str]) -> str:
        known = match[0] in seen
        seen.add(match[0])
        return "" if known else match[0]

    return SCRIPT.sub(first, text)
