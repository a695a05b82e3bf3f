"""Writes the address of the repository into everything that needs it: `make badges REPO=owner/name`.

That is the links to Colab and Binder in README.md and in the notebooks, and the cell with which each notebook sets
itself up on Colab. The address itself is kept in pyproject.toml. Whoever forks runs it again with their own.
"""

import re
import sys
import tomllib
from pathlib import Path

import nbformat

from tools import notebooks

TAG = "colab-setup"
# What is replaced: the lines between two marks in README.md, the line that ends in a mark in a notebook (at its start
# the mark would turn the line into raw HTML), the set-up cell in a .py, and the setting in pyproject.toml.
README_LINKS = re.compile(r"<!-- badges -->.*?<!-- /badges -->", re.DOTALL)
LINKS = re.compile(r"^(# )?.*<!-- badges -->$", re.MULTILINE)
CELL = re.compile(rf'(# %% tags=\["{TAG}"\]\n).*?(?=\n+# %%|\n*\Z)', re.DOTALL)
SETTING = re.compile(r'^(repository = )"[^"]*"', re.MULTILINE)

# The cell has two forms. --no-deps leaves alone what Colab has (torch, numpy, diffusers, ...); the packages named here
# are those that it may lack. jaxtyping needs wadler-lindig, and pip does not look for it because of --no-deps.
KNOWN_CELL = """\
# Only on Google Colab: installs this project and the packages that Colab lacks. Elsewhere nothing happens.
import subprocess
import sys

if "google.colab" in sys.modules:
    project = "git+https://github.com/{repository}"
    packages = ["mediapy", "resvg-py", "einops", "jaxtyping", "wadler-lindig"]
    subprocess.check_call([sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", project, *packages])"""
UNKNOWN_CELL = """\
# Only on Google Colab: would install this project. Elsewhere nothing happens.
import sys

if "google.colab" in sys.modules:
    what_to_do = "run `make badges REPO=owner/name` in it, commit, and open this notebook from there"
    raise RuntimeError(f"This copy of the project does not know its address on GitHub: {what_to_do}.")"""
UNKNOWN_LINKS = "*Links to Colab and Binder appear here after `make badges REPO=owner/name`.*"
# What GitHub allows; the address ends up in links, in Python and in a shell.
ADDRESS = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,38}/[A-Za-z0-9._-]{1,100}")
COPIED = re.compile(r"(?:https?://(?:www\.)?github\.com/|git@github\.com:)([^/\s]+/[^/\s]+?)(?:\.git)?/?")
COLAB = "https://colab.research.google.com/github/{repository}/blob/main/notebooks/{name}.ipynb"
BINDER = "https://mybinder.org/v2/gh/{repository}/HEAD?urlpath=lab/tree/notebooks"


def colab_cell(repository: str) -> str:
    """The code of a notebook's set-up cell."""
    return KNOWN_CELL.format(repository=repository) if repository else UNKNOWN_CELL


def notebook_links(repository: str, name: str) -> str:
    """The line with the links of one notebook, and its mark. No pictures: they would come from a network."""
    colab, binder = COLAB.format(repository=repository, name=name), BINDER.format(repository=repository)
    links = f"[Open in Colab]({colab}) · [Open in Binder]({binder}/{name}.ipynb)"
    return f"{links if repository else UNKNOWN_LINKS} <!-- badges -->"


def readme_links(repository: str, names: list[str]) -> str:
    """The badges of README.md: Binder once, Colab for each notebook."""
    binder = f"[![Binder](https://mybinder.org/badge_logo.svg)]({BINDER.format(repository=repository)})"
    picture = "![Colab](https://colab.research.google.com/assets/colab-badge.svg)"
    colab = [f"[{picture}]({COLAB.format(repository=repository, name=name)}) {name}" for name in names]
    links = "<br>\n".join([binder, *colab]) if repository else UNKNOWN_LINKS
    return f"<!-- badges -->\n{links}\n<!-- /badges -->"


def address(text: str) -> str:
    """owner/name, from itself or from the copied URL of a repository on GitHub; the empty address is empty.

    Raises ValueError for anything else.
    """
    copied = COPIED.fullmatch(text.strip())
    repository = copied[1] if copied else text.strip()
    name = repository.partition("/")[2]
    if repository and (not ADDRESS.fullmatch(repository) or name in (".", "..") or name.endswith(".git")):
        quoted = text if len(text) <= 80 else f"{text[:80]}… ({len(text)} characters)"
        raise ValueError(
            f"REPO is {quoted!r}; it must be owner/name without .git, or https://github.com/owner/name, with letters, "
            "digits, hyphens and dots"
        )
    return repository


def stamp(repository: str, root: Path = notebooks.ROOT) -> None:
    """Writes an address that `address` understands, or the empty one, over whatever was there.

    Raises ValueError for anything else, before it writes.
    """
    repository = address(repository)
    sources = notebooks.sources(root / "notebooks")
    _edit(root / "pyproject.toml", SETTING, f'"{repository}"')
    _edit(root / "README.md", README_LINKS, readme_links(repository, [source.stem for source in sources]))
    for source in sources:
        _edit(source, LINKS, notebook_links(repository, source.stem))
        _edit(source, CELL, colab_cell(repository))
        if notebooks.pair(source).exists():
            _stamp_pair(notebooks.pair(source), repository)


def current(root: Path = notebooks.ROOT) -> str:
    """The address in pyproject.toml; empty until it is stamped."""
    return tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["xattn"]["repository"]


def _edit(path: Path, pattern: re.Pattern, new: str) -> None:
    path.write_text(_replace(pattern, new, path.read_text(encoding="utf-8")), encoding="utf-8")


def _replace(pattern: re.Pattern, new: str, text: str) -> str:
    """Replaces every match except its first group, if it has one."""
    return pattern.sub(lambda match: ((match[1] or "") if pattern.groups else "") + new, text)


def _stamp_pair(path: Path, repository: str) -> None:
    """Edits the sources of the cells only: the outputs stay."""
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        if TAG in cell.metadata.get("tags", []):
            cell.source = colab_cell(repository)
        elif cell.cell_type == "markdown":
            cell.source = _replace(LINKS, notebook_links(repository, path.stem), cell.source)
    notebooks.write(notebook, path)


def main() -> None:
    """Without an address it writes the known one again, for example into a new notebook."""
    repository = "".join(sys.argv[1:]) or current()
    try:
        stamp(repository)
    except ValueError as error:
        sys.exit(str(error))
    print(f"stamped: {current() or 'no address yet'}")


if __name__ == "__main__":
    main()
