"""Is every NN_name.py what jupytext makes of NN_name.ipynb? An edit of only one of the two is a mistake."""

import difflib
import sys
from pathlib import Path

from tools import notebooks


def drift(source: Path) -> str:
    """What separates a source from its .ipynb, as a diff; empty where they agree."""
    path = notebooks.pair(source)
    if not path.exists():
        return f"{path.name} is not there: run make notebooks ONLY={source.name[:2]}\n"
    written = source.read_text(encoding="utf-8").splitlines()
    stored = notebooks.as_source(path).splitlines()
    lines = difflib.unified_diff(stored, written, path.name, source.name, lineterm="")
    return "".join(f"{line}\n" for line in lines)


def main() -> None:
    """Prints every difference, and fails if there is one."""
    differences = "".join(drift(source) for source in notebooks.sources())
    if differences:
        sys.exit(differences + "The .py is the source: run make notebooks to execute it and to write the .ipynb.")


if __name__ == "__main__":
    main()
