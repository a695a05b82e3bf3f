"""Markdown to HTML: formulas as MathML, which browsers draw by themselves, pictures inside, no script, no network."""

import base64
import html
import mimetypes
import os
import re
from pathlib import Path
from typing import Any

import latex2mathml.converter
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name
from pygments.util import ClassNotFound

from tools.notebooks import FOLDER, ROOT

SOURCE = re.compile(r'(<img\b[^>]*?\bsrc=")([^"]*)"')
FORMATTER = HtmlFormatter(nowrap=True)


def markdown(source: str, folder: Path = FOLDER) -> str:
    """HTML of a markdown cell, or of a text in a folder; pictures of the repository become part of it."""
    return MarkdownWithMath(Renderer(escape=False, embed_images=True, path=str(folder))).render(source)


def code(source: str, language: str = "python") -> str:
    """HTML of code, in colours; it scrolls where it is wider than the page, also by keys."""
    try:
        text = highlight(source.strip("\n"), get_lexer_by_name(language), FORMATTER)
    except ClassNotFound:
        text = html.escape(source)
    return f'<pre class="code" tabindex="0"><code>{text.rstrip()}</code></pre>\n'


class Renderer(IPythonRenderer):
    """nbconvert's renderer, without what it leaves to scripts from the network."""

    def block_code(self, code: str, info: str | None = None) -> str:
        """Code between fences, in the language that stands behind them."""
        return _coded(code, (info or "text").split()[0])

    def table(self, text: str) -> str:
        """A table scrolls where it is wider than the page."""
        return f'<div class="scroll" tabindex="0"><table>\n{text}</table></div>\n'

    def block_math(self, body: str) -> str:
        """The formula between two pairs of dollars, which scrolls as a table does."""
        formula = _mathml(body, "block") or super().block_math(body)
        return f'<div class="scroll" tabindex="0">{formula}</div>'

    def latex_environment(self, name: str, body: str) -> str:
        """The formula from begin{align} to end{align}, and the like."""
        return self.block_math(rf"\begin{{{name}}}{body}\end{{{name}}}")

    def inline_math(self, body: str) -> str:
        """The formula between two dollars."""
        return _mathml(body, "inline") or super().inline_math(body)

    def _src_to_base64(self, src: str) -> str | None:
        """A picture of the repository as a data URI; None for anything else, as one that is such a URI already."""
        if src.startswith("data:"):
            return None
        path = Path(os.path.normpath(Path(self.path) / src))
        if not path.is_relative_to(ROOT) or not path.is_file():
            return None
        kind, _ = mimetypes.guess_type(path)
        return f"data:{kind};base64,{base64.b64encode(path.read_bytes()).decode()}"

    def _html_embed_images(self, html: str) -> str:
        # nbconvert reads each piece of HTML as if it were a whole, and closes what a later piece would close: then a
        # folded solution stands open. Here only the pictures' sources change.
        return SOURCE.sub(self._embedded, html)

    def _embedded(self, match: re.Match[str]) -> str:
        return f'{match[1]}{self._src_to_base64(match[2]) or match[2]}"'


_coded: Any = code  # a method has the name, too


def _mathml(latex: str, display: str) -> str:
    try:
        return latex2mathml.converter.convert(latex, display=display)
    except Exception:  # it has no common base class for what it cannot read; the LaTeX itself is readable too
        return ""
