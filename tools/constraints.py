"""Writes constraints.txt: what pip resolves from pyproject.toml in an empty environment.

The torch that is pinned now stays: a new one is a decision, made by editing constraints.txt.
"""

import re
import subprocess
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FILE = ROOT / "constraints.txt"
HEADER = """\
# The versions that this repository is tested with: what pip resolved from pyproject.toml on Python 3.11.
# `make constraints` writes this file anew. A name that a platform does not need is not installed there.
"""


def resolve(pinned: list[str]) -> str:
    """`pip freeze --all` of a new environment with everything in pyproject.toml and the versions in `pinned`."""
    with tempfile.TemporaryDirectory() as folder:
        venv.create(folder, with_pip=True)
        pip = [str(Path(folder, "bin", "python")), "-m", "pip", "--disable-pip-version-check"]
        pins = Path(folder, "pins.txt")
        pins.write_text("\n".join(pinned))
        subprocess.run([*pip, "install", "--quiet", "-c", str(pins), "-e", f"{ROOT}[lab,dev]"], check=True)
        return subprocess.run([*pip, "freeze", "--all"], check=True, capture_output=True, text=True).stdout


def portable(frozen: str) -> str:
    """Drops what holds on one machine only: build suffixes like +cpu, packages of CUDA, pip, this project itself."""
    lines = [re.sub(r"\+.*", "", line) for line in frozen.splitlines()]
    keep = [line for line in lines if " @ " not in line and not re.match(r"nvidia|cuda|triton|pip==|-e|#", line)]
    return HEADER + "\n".join(keep) + "\n"


def main() -> None:
    """Keeps the pinned torch, resolves all the rest."""
    pinned = [line for line in FILE.read_text().splitlines() if line.startswith("torch==")]
    FILE.write_text(portable(resolve(pinned)))


if __name__ == "__main__":
    main()
