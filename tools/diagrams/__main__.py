"""Writes all diagrams: python -m tools.diagrams."""

from tools.diagrams import (
    attention,
    figure_one,
    given,
    guidance,
    knobs,
    lab,
    motion,
    noise,
    pipeline,
    swaps,
    transformers,
)
from tools.notebooks import FOLDER

OUT = FOLDER / "diagrams"
# A module for each lesson that has diagrams.
ROOMS = (pipeline, attention, noise, swaps, guidance, figure_one, motion, knobs, transformers, given, lab)
DRAWINGS = {name: draw for room in ROOMS for name, draw in room.DRAWINGS.items()}


def main() -> None:
    """Draw each into its file."""
    OUT.mkdir(exist_ok=True)
    for name, draw in DRAWINGS.items():
        (OUT / f"{name}.svg").write_text(draw().svg(), encoding="utf-8")


if __name__ == "__main__":
    main()
