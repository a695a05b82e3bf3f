"""Writes the address of the repository into everything that needs it: `make badges REPO=owner/name BRANCH=main`.

That is the links to Colab and Binder in README.md and in the notebooks, and the cell with which each notebook sets
itself up on Colab. The address itself is kept in pyproject.toml. Whoever forks, or shows a branch, runs it again.
"""

import re
import sys
import tomllib
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

import nbformat

from tools import notebooks

TAG = "colab-setup"
# What is replaced: the lines between two marks in README.md, the line that ends in a mark in a notebook (at its start
# the mark would turn the line into raw HTML), the set-up cell in a .py, and the setting in pyproject.toml.
README_LINKS = re.compile(r"<!-- badges -->.*?<!-- /badges -->", re.DOTALL)
LINKS = re.compile(r"^(# )?.*<!-- badges -->$", re.MULTILINE)
CELL = re.compile(rf'(# %% tags=\["{TAG}"\]\n).*?(?=\n+# %%|\n*\Z)', re.DOTALL)
SETTINGS = {name: re.compile(rf'^({name} = )"[^"]*"', re.MULTILINE) for name in ("repository", "branch")}

# --no-deps leaves alone what Colab has (torch, numpy, diffusers, ...); the packages named here are those that it may
# lack. jaxtyping needs wadler-lindig, and pip does not look for it because of --no-deps.
# An address that is not known is an empty one, at which pip fails. Nothing is taken from a package index in its place.
SET_UP = """\
# On Google Colab, this installs what is missing there of the project and its packages.
import subprocess
import sys
from importlib import import_module, util
from pathlib import Path

packages = ["mediapy", "resvg-py", "einops", "jaxtyping", "wadler-lindig"]
missing = [name for name in ["xattn-helpers", *packages] if not util.find_spec(name.replace("-", "_"))]
if "google.colab" in sys.modules and missing:
    places = [str(file.parents[1]) for file in Path.cwd().glob("*/xattn_helpers/__init__.py")] or ["ORIGIN"]
    wanted = [places[0] if name == "xattn-helpers" else name for name in missing]
    print("Installing", *wanted, "(about a minute) ...")
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", *wanted]
    if (pip := subprocess.run(command, capture_output=True, text=True)).returncode:
        raise RuntimeError(f"{pip.stderr[-1000:]}\\nADVICE")
threads = import_module("xattn_helpers.threads")  # before torch, whose threads then wait without taking processors"""
ADVICE = "Private, or without `make badges`? Upload a zip of the project, run `!unzip -q NAME.zip`, and then this cell."
UNKNOWN_LINKS = "*Links to Colab and Binder appear here after `make badges REPO=owner/name`.*"
# What GitHub allows; the address ends up in links, in Python and in a shell.
ADDRESS = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,38}/[A-Za-z0-9._-]{1,100}")
BRANCH = re.compile(r"(?!.*(\.\.|//))[A-Za-z0-9][A-Za-z0-9._/-]{0,98}[A-Za-z0-9_-]|[A-Za-z0-9]")
COPIED = re.compile(
    r"(?:https?://(?:www\.)?github\.com/|git@github\.com:)([^/\s]+/[^/\s]+?)(?:\.git)?(?:/tree/(\S+?))?/?"
)
COLAB = "https://colab.research.google.com/github/{repository}/blob/{branch}/notebooks/{name}.ipynb"
BINDER = "https://mybinder.org/v2/gh/{repository}/{branch}?urlpath=lab/tree/notebooks"


class Address(NamedTuple):
    """Where the project is on GitHub; the repository is empty until it is known."""

    repository: str  # owner/name
    branch: str = "main"

    def colab(self, name: str) -> str:
        """The link that opens a notebook in Colab."""
        return COLAB.format(repository=self.repository, branch=self.branch, name=name)

    def binder(self) -> str:
        """The link that opens the folder of notebooks in Binder."""
        return BINDER.format(repository=self.repository, branch=quote(self.branch, safe=""))


def colab_cell(address: Address) -> str:
    """The code of a notebook's set-up cell."""
    origin = f"git+https://github.com/{address.repository}@{address.branch}" if address.repository else ""
    return SET_UP.replace("ORIGIN", origin).replace("ADVICE", ADVICE)


def notebook_links(address: Address, name: str) -> str:
    """The line with the links of one notebook, and its mark. No pictures: they would come from a network."""
    colab, binder = address.colab(name), address.binder()
    links = f"[Open in Colab]({colab}) · [Open in Binder]({binder}/{name}.ipynb)"
    return f"{links if address.repository else UNKNOWN_LINKS} <!-- badges -->"


def readme_links(address: Address, names: list[str]) -> str:
    """The badges of README.md: Binder once, Colab for each notebook."""
    binder = f"[![Binder](https://mybinder.org/badge_logo.svg)]({address.binder()})"
    picture = "![Colab](https://colab.research.google.com/assets/colab-badge.svg)"
    colab = [f"[{picture}]({address.colab(name)}) {name}" for name in names]
    links = "<br>\n".join([binder, *colab]) if address.repository else UNKNOWN_LINKS
    return f"<!-- badges -->\n{links}\n<!-- /badges -->"


def address_of(text: str, branch: str = "") -> Address:
    """The address in owner/name, or in a copied URL of a repository on GitHub or of one of its branches.

    The empty text is the address that is not known. Raises ValueError for anything else.
    """
    copied = COPIED.fullmatch(text.strip())
    repository = copied[1] if copied else text.strip()
    branch = branch.strip() or (copied and copied[2]) or "main"
    name = repository.partition("/")[2]
    if repository and (not ADDRESS.fullmatch(repository) or name in (".", "..") or name.endswith(".git")):
        raise ValueError(
            f"REPO is {_quoted(text)}; it must be owner/name without .git, or https://github.com/owner/name, with "
            "letters, digits, hyphens and dots"
        )
    if not BRANCH.fullmatch(branch):
        raise ValueError(f"BRANCH is {_quoted(branch)}; it must be a name like main or draft/colours")
    return Address(repository, branch)


def _quoted(text: str) -> str:
    return repr(text) if len(text) <= 80 else f"{text[:80]!r}… ({len(text)} characters)"


def stamp(text: str, root: Path = notebooks.ROOT, branch: str = "") -> None:
    """Writes an address that `address_of` understands, or the empty one, over whatever was there.

    Raises ValueError for anything else, before it writes.
    """
    address = address_of(text, branch)
    sources = notebooks.sources(root / "notebooks")
    for name, value in address._asdict().items():
        _edit(root / "pyproject.toml", SETTINGS[name], f'"{value}"')
    _edit(root / "README.md", README_LINKS, readme_links(address, [source.stem for source in sources]))
    for source in sources:
        _edit(source, LINKS, notebook_links(address, source.stem))
        _edit(source, CELL, colab_cell(address))
        if notebooks.pair(source).exists():
            _stamp_pair(notebooks.pair(source), address, source.stem)
    for path in sorted((root / "notebooks" / "lab").glob("*.ipynb")):
        _stamp_pair(path, address, f"lab/{path.stem}")


def current(root: Path = notebooks.ROOT) -> Address:
    """The address in pyproject.toml; its repository is empty until it is stamped."""
    return Address(**tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["xattn"])


def _edit(path: Path, pattern: re.Pattern, new: str) -> None:
    path.write_text(_replace(pattern, new, path.read_text(encoding="utf-8")), encoding="utf-8")


def _replace(pattern: re.Pattern, new: str, text: str) -> str:
    """Replaces every match except its first group, if it has one."""
    return pattern.sub(lambda match: ((match[1] or "") if pattern.groups else "") + new, text)


def _stamp_pair(path: Path, address: Address, name: str) -> None:
    """Edits the sources of the cells only: the outputs stay."""
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        if TAG in notebooks.tags(cell):
            cell.source = colab_cell(address)
        elif cell.cell_type == "markdown":
            cell.source = _replace(LINKS, notebook_links(address, name), cell.source)
    notebooks.write(notebook, path)


def main() -> None:
    """REPO and BRANCH, of which either may be empty; without both, the known address is written into new notebooks."""
    text, branch, *_ = [*sys.argv[1:], "", ""]
    known = current()
    try:
        stamp(text or known.repository, branch=branch or ("" if text else known.branch))
    except ValueError as error:
        sys.exit(str(error))
    repository, branch = current()
    print(f"stamped: {repository}, branch {branch}" if repository else "stamped: no address yet")


if __name__ == "__main__":
    main()
