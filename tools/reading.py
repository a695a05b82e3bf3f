"""How long a lesson takes to read, all of its code counted: `python -m tools.reading [--write]`."""

import argparse
import re
from pathlib import Path

from nbformat import NotebookNode

from tools import badges, notebooks

WORDS_A_MINUTE, LINES_A_MINUTE = 200, 12
COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
DRAWS = re.compile(r"\b(show|image_grid|draw_\w+|markdown_table|bullets|table_text|print)\(|\b(plt|\w*figures)\.")
README = notebooks.ROOT / "README.md"
ROW = r"^(\| {number} \|.*\| )\d+( min \|)$"  # of the learning path


def cells(source: Path) -> list[NotebookNode]:
    """The cells of a lesson."""
    return notebooks.read(source).cells


def text(source: Path) -> str:
    """What the text cells of a lesson say, without comments."""
    return "\n\n".join(COMMENT.sub("", cell.source) for cell in cells(source) if cell.cell_type == "markdown")


def length(cell: NotebookNode) -> int:
    """Lines of a cell that are not blank."""
    return len([line for line in cell.source.splitlines() if line.strip()])


def minutes(source: Path) -> float:
    """Minutes for the words of a lesson and for all of its code: folded cells and the set-up cell count, too."""
    lines = sum(length(cell) for cell in cells(source) if cell.cell_type == "code")
    return len(text(source).split()) / WORDS_A_MINUTE + lines / LINES_A_MINUTE


def drawing_share(source: Path) -> float:
    """Of the lines of code that are open to read, the share that plots or makes tables."""
    lines = [line for cell in open_cells(source) for line in cell.source.splitlines() if line.strip()]
    return len([line for line in lines if DRAWS.search(line)]) / len(lines)


def open_cells(source: Path) -> list[NotebookNode]:
    """The cells of code that are neither folded nor the one that sets up Colab."""
    return [cell for cell in cells(source) if cell.cell_type == "code" and not _is_folded(cell) and not _sets_up(cell)]


def _is_folded(cell: NotebookNode) -> bool:
    return bool(cell.metadata.get("jupyter", {}).get("source_hidden"))


def _sets_up(cell: NotebookNode) -> bool:
    return badges.TAG in notebooks.tags(cell)


def with_times(readme: str, times: dict[str, float]) -> str:
    """The README with these minutes, by number of the lesson, in its table, rounded.

    Raises ValueError for a lesson without a row, or with several.
    """
    for number, time in times.items():
        readme, count = re.subn(ROW.replace("{number}", number), rf"\g<1>{time:.0f}\g<2>", readme, flags=re.MULTILINE)
        if count != 1:
            raise ValueError(f"README.md has {count} rows for lesson {number}; it must have one")
    return readme


def main() -> None:
    """Prints the minutes of each lesson, and may write them into README.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="write them, rounded, into the table in README.md")
    options = parser.parse_args()
    times = {}
    for source in notebooks.sources():
        time = times[source.stem[:2]] = minutes(source)
        print(f"{source.stem:<24}{time:5.1f} min, {drawing_share(source):.0%} of the open code plots or tabulates")
    if options.write:
        README.write_text(with_times(README.read_text(encoding="utf-8"), times), encoding="utf-8")


if __name__ == "__main__":
    main()
