"""Runs the notebooks in order on the CPU and writes build/tutorial/index.html with one page per notebook.

The API reference lies beside them, in build/tutorial/api/.

python -m tools.tutorial [--write] [01 03 ...]
    --write   instead of pages, writes the executed .ipynb beside each .py
    01 03     only these notebooks
"""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

from nbformat import NotebookNode
from tqdm import tqdm

from tools import execution, notebooks, pages, reference

OUT = notebooks.ROOT / "build" / "tutorial"


def build(sources: list[Path], out: Path = OUT) -> Path:
    """Runs the notebooks and writes their pages and the index, which grows with each; returns the index."""
    out.mkdir(parents=True, exist_ok=True)
    index, cards = out / "index.html", []
    for source, notebook, seconds in run(sources):
        (out / f"{source.stem}.html").write_text(pages.page(notebook), encoding="utf-8")
        cards.append(pages.card(notebook, source.stem, seconds))
        index.write_text(pages.index(cards), encoding="utf-8")
    return index


def write_back(sources: list[Path]) -> None:
    """Runs the notebooks and writes each .ipynb, and its .py again in the form that jupytext gives it.

    Raises ValueError where somebody edited a .py in the meantime: nothing is written over that edit.
    """
    texts = {source: source.read_text(encoding="utf-8") for source in sources}
    for source, notebook, _ in run(sources):
        if source.read_text(encoding="utf-8") != texts[source]:
            raise ValueError(f"{source.name} was edited while it ran; run make notebooks ONLY={source.name[:2]} again")
        notebooks.write(notebook, notebooks.pair(source))
        source.write_text(notebooks.as_source(notebooks.pair(source)), encoding="utf-8")


def run(sources: list[Path]) -> Iterator[tuple[Path, NotebookNode, float]]:
    """Yields (source, executed notebook, seconds) one after the other, under one progress bar over all cells."""
    loaded = [(source, notebooks.read(source)) for source in sources]
    with tqdm(total=sum(execution.count(notebook) for _, notebook in loaded), unit="cell", dynamic_ncols=True) as bar:
        for source, notebook in loaded:
            seconds = execution.execute(notebook, source, bar)
            yield source, notebook, seconds


def chosen(numbers: list[str]) -> list[Path]:
    """The sources with these two-digit numbers; all of them where none is given. "01 03" is two numbers.

    Raises ValueError for a number that no notebook has.
    """
    known = {source.name[:2]: source for source in notebooks.sources()}
    asked = " ".join(numbers).split()
    unknown = [number for number in asked if number not in known]
    if unknown:
        raise ValueError(f"no notebook {' '.join(unknown)!r}; there are {', '.join(known) or 'none yet'}")
    return [known[number] for number in asked] if asked else list(known.values())


def main() -> None:
    """The command line of this module."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("numbers", nargs="*")
    arguments = parser.parse_args()
    try:
        sources = chosen(arguments.numbers)
        if not sources:
            print("There is no notebook in notebooks/ yet.")
        elif arguments.write:
            write_back(sources)
        else:
            reference.build(OUT / "api")
            print(f"Open {build(sources)}")
    except (ValueError, execution.NotebookFailed) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
