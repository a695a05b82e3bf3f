"""What the executed notebooks beside the sources have already: whole pages of them, and the players of explorers."""

from pathlib import Path

import nbformat
from nbformat import NotebookNode

from tools import notebooks

PLAYERS = ("<xattn-attention", "<xattn-swap", "<xattn-track")


def read(source: Path) -> NotebookNode:
    """The executed notebook of a source; raises FileNotFoundError where there is none."""
    return nbformat.read(notebooks.pair(source), as_version=4)


def adopt_players(notebook: NotebookNode, source: Path) -> None:
    """Give explorers the players that stand in the stored notebook below the same code.

    They are made when a lesson is written, as the paths of one take minutes; a page shows what was stored then.
    """
    if not notebooks.pair(source).exists():
        return
    known = {cell.source: _player(cell) for cell in read(source).cells if cell.cell_type == "code"}
    for cell in notebook.cells:
        player = known.get(cell.source)
        if player and cell.cell_type == "code" and cell.outputs and not _player(cell):
            cell.outputs[-1].setdefault("data", {})["text/html"] = player


def _player(cell: NotebookNode) -> str:
    """The HTML of the player in a cell's outputs; empty where there is none."""
    for output in cell.outputs:
        text = output.get("data", {}).get("text/html", "")
        if text.startswith(PLAYERS):
            return text
    return ""
