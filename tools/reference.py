"""The API reference: a page for each module of the package, from its docstrings and types. It loads nothing.

python -m tools.reference writes it alone; `make tutorial` writes it beside the lessons.
"""

import re
import shutil
import warnings
from pathlib import Path

import pdoc
from pdoc import render

from tools.source import PACKAGE, ROOT, modules

OUT = ROOT / "build" / "tutorial" / "api"
TEMPLATES = Path(__file__).parent / "templates"
# Where a type comes from says nothing that its name does not: jaxtyping.Float[Tensor, "frames h w"], torch.Tensor.
ORIGIN = re.compile(r'<span class="n">(?:jaxtyping|torch|typing|numpy)</span><span class="o">\.</span>')
ORIGIN_IN_TEXT = re.compile(r"\b(?:jaxtyping|torch|typing|numpy|collections\.abc)\.(?=[A-Za-z])")
ANNOTATION = re.compile(r'(<span class="(?:annotation|default_value|return-annotation)">)(.*?)(?=</span>)', re.DOTALL)

CLASS = re.compile("&lt;class &#39;(.*?\\[.*?\\])&#39;&gt;")  # how a shape that has a name is shown


def build(out: Path = OUT, names: list[str] | None = None) -> Path:
    """Writes the reference of these modules, or of all, over what was there; returns the page of the first.

    It imports them. Raises RuntimeError for one that cannot be imported.
    """
    names = names or [module.name for module in modules(PACKAGE) if not module.name.endswith("__main__")]
    shutil.rmtree(out, ignore_errors=True)
    # No source: the repository has it, and the pages are ten times as large with it. No formulas and no diagrams: pdoc
    # would load the scripts for them.
    render.configure(
        docformat="markdown", show_source=False, math=False, mermaid=False, template_directory=TEMPLATES
    )
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*has already been added.*")  # as its package's and by itself
        pdoc.pdoc(*names, output_directory=out)
    pages = [out / f"{name.replace('.', '/')}.html" for name in names]
    for name, page in zip(names, pages, strict=True):
        if not page.exists():
            raise RuntimeError(f"{name} cannot be imported, and has no page in {out}")
    for page in out.rglob("*.html"):
        page.write_text(_readable(page.read_text(encoding="utf-8")), encoding="utf-8")
    return pages[0]


def _readable(page: str) -> str:
    """Types without their origin, shapes as they are written, and no path of the machine that wrote the page."""
    page = ORIGIN.sub("", page.replace(f"{ROOT}/", ""))
    page = ANNOTATION.sub(lambda match: match[1] + ORIGIN_IN_TEXT.sub("", match[2]), page)
    return CLASS.sub(r"\1", page)


def main() -> None:
    """The command line of this module."""
    print(f"Open {build()}")


if __name__ == "__main__":
    main()
