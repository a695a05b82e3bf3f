"""Writes all diagrams: python -m tools.diagrams."""

from tools.diagrams import guidance, knobs, transformers
from tools.notebooks import FOLDER

OUT = FOLDER / "diagrams"
DRAWINGS = transformers.DRAWINGS | guidance.DRAWINGS | knobs.DRAWINGS


def main() -> None:
    """Draw each into its file."""
    OUT.mkdir(exist_ok=True)
    for name, draw in DRAWINGS.items():
        (OUT / f"{name}.svg").write_text(draw().svg(), encoding="utf-8")


if __name__ == "__main__":
    main()
