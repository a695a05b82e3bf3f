"""Writes all diagrams: python -m tools.diagrams."""

from tools.diagrams import noise, swaps, transformers
from tools.notebooks import FOLDER

DRAWINGS = noise.DRAWINGS | swaps.DRAWINGS | transformers.DRAWINGS
OUT = FOLDER / "diagrams"


def main() -> None:
    """Draw each into its file."""
    OUT.mkdir(exist_ok=True)
    for name, draw in DRAWINGS.items():
        (OUT / f"{name}.svg").write_text(draw().svg(), encoding="utf-8")


if __name__ == "__main__":
    main()
