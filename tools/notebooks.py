"""The one list of notebooks, and how a .py becomes a notebook and back.

The source of notebook NN is notebooks/NN_name.py (py:percent). Beside it lies the executed NN_name.ipynb.
"""

from base64 import b64decode, b64encode
from hashlib import sha1
from io import BytesIO
from pathlib import Path
from typing import cast

import jupytext
import nbformat
from nbformat import NotebookNode
from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "notebooks"
# These metadata travel with the .ipynb, so that jupytext writes the same .py whoever calls it, from wherever.
FILTERS = {"cell_metadata_filter": "tags,jupyter,-all", "notebook_metadata_filter": "-all"}
METADATA = {
    "jupytext": FILTERS,
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},  # without the version, which would differ from machine to machine
}
KEPT_CELL_METADATA = ("tags", "jupyter")


def sources(folder: Path = FOLDER) -> list[Path]:
    """The .py sources in the order of the series: NN_name.py."""
    return sorted(folder.glob("[0-9][0-9]_*.py"))


def pair(source: Path) -> Path:
    """The .ipynb beside a source."""
    return source.with_suffix(".ipynb")


def read(source: Path) -> NotebookNode:
    """A notebook, not yet executed, from its .py source."""
    return tidy(jupytext.read(source))


def write(notebook: NotebookNode, path: Path) -> None:
    """Writes an .ipynb in which nothing changes from one run to the next unless the content does."""
    nbformat.write(tidy(notebook), path)


def as_source(path: Path) -> str:
    """The .py source of an .ipynb: what `jupytext --to py:percent -o - path` prints."""
    return jupytext.writes(nbformat.read(path, as_version=4), fmt="py:percent")


def tidy(notebook: NotebookNode) -> NotebookNode:
    """Sets metadata and cell ids that depend on the content only, and drops references to live widgets."""
    content = {**notebook, "metadata": METADATA, "nbformat": 4, "nbformat_minor": 5}
    notebook = cast(NotebookNode, nbformat.from_dict(content))
    seen: dict[str, int] = {}
    for cell in notebook.cells:
        seen[cell.source] = seen.get(cell.source, 0) + 1
        cell.id = sha1(f"{seen[cell.source]} {cell.source}".encode()).hexdigest()[:8]
        cell.metadata = {key: cell.metadata[key] for key in KEPT_CELL_METADATA if key in cell.metadata}
        for output in cell.get("outputs", []):
            _drop_widget(output)
            _reduce_colours(output)
    return notebook


def _drop_widget(output: NotebookNode) -> None:
    # A widget lives in its kernel: in a stored notebook its random id only leads to "model not found".
    output.get("data", {}).pop("application/vnd.jupyter.widget-view+json", None)


def _reduce_colours(output: NotebookNode) -> None:
    """Give a figure a palette of 256 colours, dithered: a third of the bytes, and nobody sees the difference."""
    encoded = output.get("data", {}).get("image/png")
    if encoded is None:
        return
    picture = Image.open(BytesIO(b64decode(encoded)))
    if picture.mode == "P":
        return
    paper = Image.new("RGBA", picture.size, "white")
    picture, reduced = Image.alpha_composite(paper, picture.convert("RGBA")), BytesIO()
    picture.convert("RGB").quantize(256, dither=Image.Dither.FLOYDSTEINBERG).save(reduced, "PNG", optimize=True)
    output["data"]["image/png"] = b64encode(reduced.getvalue()).decode()


def tags(cell: NotebookNode) -> list[str]:
    """The tags of a cell."""
    return cell.metadata.get("tags", [])


def main() -> None:
    """Prints the .ipynb of every notebook, relative to the root, for pytest's command line.

    Those that are not there are left out, since pytest would run nothing at all; a test says that they are missing.
    """
    print(" ".join(str(pair(source).relative_to(ROOT)) for source in sources() if pair(source).exists()))


if __name__ == "__main__":
    main()
