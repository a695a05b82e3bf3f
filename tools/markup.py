"""Markdown to HTML, with formulas as MathML: browsers draw it by themselves, so a page needs no network for it."""

import latex2mathml.converter
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

from tools.notebooks import FOLDER


def markdown(source: str) -> str:
    """HTML of a markdown cell; pictures of the repository become part of it."""
    return MarkdownWithMath(Renderer(escape=False, embed_images=True, path=str(FOLDER))).render(source)


class Renderer(IPythonRenderer):
    """nbconvert's renderer leaves formulas to a script from the network; this one writes them out."""

    def block_math(self, body: str) -> str:
        """The formula between two pairs of dollars."""
        return _mathml(body, "block") or super().block_math(body)

    def latex_environment(self, name: str, body: str) -> str:
        """The formula from begin{align} to end{align}, and the like."""
        return self.block_math(rf"\begin{{{name}}}{body}\end{{{name}}}")

    def inline_math(self, body: str) -> str:
        """The formula between two dollars."""
        return _mathml(body, "inline") or super().inline_math(body)


def _mathml(latex: str, display: str) -> str:
    try:
        return latex2mathml.converter.convert(latex, display=display)
    except Exception:  # it has no common base class for what it cannot read; the LaTeX itself is readable too
        return ""
