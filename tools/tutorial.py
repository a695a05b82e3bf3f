"""Runs the notebooks in order on the CPU and writes build/tutorial/index.html with one page per notebook.

The API reference lies beside them, in build/tutorial/api/. A notebook whose page was made from the same sources before
is not run again, so that a build that was interrupted goes on. One that fails ends only itself.

python -m tools.tutorial [--write [--keep-players] | --stored] [01 03 ...]
    --write   instead of pages, writes the executed .ipynb beside each .py, with the players of its explorers
    --keep-players  takes those that stand there below the same code; the paths of one take minutes
    --stored  runs nothing: the pages show the executed .ipynb that lie beside the sources
    01 03     only these notebooks; the index keeps the others
"""

import argparse
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from nbformat import NotebookNode
from tqdm import tqdm

from tools import cards, execution, links, notebooks, pages, reference, stored
from tools.teaching import site
from xattn_helpers.display.players.fallback import STORE

OUT = notebooks.ROOT / "build" / "tutorial"


@dataclass
class Execution:
    """A notebook that was executed; where it failed, as far as it came."""

    source: Path
    text: str  # of the source, as it was before
    digest: str  # of what a page is made from, as it was before
    notebook: NotebookNode
    seconds: float = 0.0
    failure: str = ""  # the message, which begins with notebook and cell


def build(sources: list[Path], out: Path, series: list[Path] | None = None) -> list[str]:
    """Runs the notebooks that need it, and writes their pages and the index; returns the message of each that failed.

    The index grows with each page. It has all pages of the series, those of earlier calls too.
    """
    out.mkdir(parents=True, exist_ok=True)
    series, failures = series or sources, []
    waiting = [source for source in sources if not cards.is_current(source, out)]
    if len(waiting) < len(sources):
        print(f"{len(sources) - len(waiting)} of {len(sources)} pages are made from the same sources and stay.")
    cards.write_index(series, out)
    for done in run(waiting):
        failures += [done.failure] * bool(done.failure)
        stored.adopt_players(done.notebook, done.source)
        _write_page(done, series, out)
    return failures


def build_stored(sources: list[Path], out: Path, series: list[Path] | None = None) -> None:
    """Writes the pages of the notebooks that were executed before, and the index; nothing runs."""
    out.mkdir(parents=True, exist_ok=True)
    for source in sources:
        if notebooks.pair(source).exists():
            _write_page(Execution(source, "", "", stored.read(source)), series or sources, out)


def _write_page(done: Execution, series: list[Path], out: Path) -> None:
    """The page of a notebook, those of the texts that it links to, its card, and the index."""
    place = series.index(done.source)
    before = _place(series[place - 1]) if place else None
    after = _place(series[place + 1]) if place + 1 < len(series) else None
    (out / f"{done.source.stem}.html").write_text(pages.page(done.notebook, before, after), encoding="utf-8")
    for path in links.documents([(links.text_of(done.notebook), notebooks.FOLDER)]):
        (out / links.document_page(path)).write_text(pages.document(path), encoding="utf-8")
    headline = done.failure.partition("\n")[0].rstrip(":")
    cards.write(pages.card(done.notebook, done.source.stem, done.seconds, headline, done.digest), out)
    cards.write_index(series, out)


def _place(source: Path) -> pages.Place:
    return pages.Place(f"{source.stem}.html", pages.title(notebooks.read(source)) or source.stem)


def write_back(sources: list[Path]) -> list[str]:
    """Runs the notebooks and writes each .ipynb, and its .py again in the form that jupytext gives it.

    Nothing is written of a notebook that failed, nor of one that somebody edited in the meantime. Returns a message for
    each of these.
    """
    failures = []
    for done in run(sources):
        source = done.source
        if done.failure:
            failures.append(done.failure)
        elif source.read_text(encoding="utf-8") != done.text:
            failures.append(f"{source.name} was edited while it ran; run make notebooks ONLY={source.name[:2]} again")
        else:
            stored.adopt_players(done.notebook, source)
            notebooks.write(done.notebook, notebooks.pair(source))
            source.write_text(notebooks.as_source(notebooks.pair(source)), encoding="utf-8")
    return failures


def run(sources: list[Path]) -> Iterator[Execution]:
    """Executes one notebook after the other, under one progress bar over all cells."""
    loaded = []
    for source in sources:
        text = source.read_text(encoding="utf-8")
        loaded.append(Execution(source, text, cards.digest(source), notebooks.read(source)))
    with tqdm(total=sum(execution.count(item.notebook) for item in loaded), unit="cell", dynamic_ncols=True) as bar:
        for item in loaded:
            end = bar.n + execution.count(item.notebook)
            try:
                item.seconds = execution.execute(item.notebook, item.source, bar)
            except execution.NotebookFailed as error:
                item.failure = str(error)
                bar.update(end - bar.n)
            yield item


def chosen(numbers: list[str]) -> list[Path]:
    """The sources with these two-digit numbers; all of them where none is given. "01 03" is two numbers.

    Raises ValueError for a number that no notebook has.
    """
    known = {source.name[:2]: source for source in notebooks.sources()}
    asked = " ".join(numbers).split()
    unknown = [number for number in asked if number not in known]
    if unknown:
        names = " ".join(unknown)
        short = names if len(names) <= 80 else f"{names[:80]}… ({len(names)} characters)"
        raise ValueError(f"no notebook {short!r}; there are {', '.join(known) or 'none yet'}")
    return [known[number] for number in dict.fromkeys(asked)] if asked else list(known.values())


def main() -> None:
    """The command line of this module."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--write", action="store_true")
    how.add_argument("--stored", action="store_true")
    parser.add_argument("--keep-players", action="store_true")
    parser.add_argument("numbers", nargs="*")
    arguments = parser.parse_args()
    try:
        sources = chosen(arguments.numbers)
    except ValueError as error:
        sys.exit(str(error))
    if not sources:
        print("There is no notebook in notebooks/ yet.")
        return
    if arguments.write:
        if not arguments.keep_players:
            os.environ[STORE] = "1"  # to the kernels: explorers leave a player behind
        failures = write_back(sources)
    else:
        failures = write_pages(sources, arguments.stored)
    if failures:
        sys.exit("\n\n".join([*failures, f"{len(failures)} of {len(sources)} notebooks failed."]))


def write_pages(sources: list[Path], without_running: bool = False) -> list[str]:
    """Everything that `make tutorial` writes; returns the message of each notebook that failed."""
    reference.build(OUT / "api")
    site.build(OUT)
    failures = []
    if without_running:
        build_stored(sources, OUT, notebooks.sources())
    else:
        failures = build(sources, OUT, notebooks.sources())
    print(f"Open {OUT / 'index.html'}")
    return failures


if __name__ == "__main__":
    main()
