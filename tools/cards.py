"""What is known of the pages that are built: a card for each, in a file, so that any run can write the index."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from functools import cache
from pathlib import Path

from tools import pages
from tools.notebooks import ROOT

# What a page is made from, beside its notebook.
PARTS = (
    "xattn_helpers", "constraints.txt", "tools/execution.py", "tools/pages.py", "tools/cells.py", "tools/links.py",
    "tools/markup.py", "tools/site",
)  # fmt: skip


def digest(source: Path) -> str:
    """Of the contents of a notebook's source, the package, the constraints, and the tools that make pages."""
    return hashlib.sha256(source.read_bytes() + _parts().encode()).hexdigest()


def write(card: pages.Card, out: Path) -> None:
    """Keep a card beside its page."""
    file = _file(Path(card.page).stem, out)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(asdict(card)), encoding="utf-8")


def read(name: str, out: Path) -> pages.Card | None:
    """The card of a notebook, or None where there is none, or one that was not written to its end."""
    try:
        return pages.Card(**json.loads(_file(name, out).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def is_current(source: Path, out: Path) -> bool:
    """Whether the page of a notebook is there, without a failure, and made from what is there now."""
    card = read(source.stem, out)
    return card is not None and not card.failure and card.digest == digest(source) and (out / card.page).exists()


def write_index(series: Sequence[Path], out: Path) -> Path:
    """Write the index of the pages that there are, in the order of the series; returns its file."""
    known = [card for source in series if (card := read(source.stem, out))]
    index = out / "index.html"
    index.write_text(pages.index(known), encoding="utf-8")
    return index


def _file(name: str, out: Path) -> Path:
    return out / "cards" / f"{name}.json"


@cache
def _parts() -> str:
    """The digests of PARTS, file by file."""
    total = hashlib.sha256()
    for file in _files():
        total.update(f"{file.relative_to(ROOT)} {hashlib.sha256(file.read_bytes()).hexdigest()}\n".encode())
    return total.hexdigest()


def _files() -> Iterator[Path]:
    for part in PARTS:
        path = ROOT / part
        files = sorted(path.rglob("*")) if path.is_dir() else [path]
        yield from (file for file in files if file.is_file() and "__pycache__" not in file.parts)
