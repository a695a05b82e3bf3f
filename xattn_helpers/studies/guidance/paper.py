"""The paper's setting, twice: as its released code has it, and as its text has it. They are not the same.

| | the text | the released code |
| --- | --- | --- |
| strength | eta of 15 to 25 | 15 * 4 (a weight) * 10 / 16 (six of sixteen layers are zeros) = 37.5 |
| delta^2 of eq. 4 | (1 - alpha) / alpha, of abar or of one step's alpha: it is not said | 1 - abar |
| target | binary masks of each frame | discs |
| soft threshold | between minimum and maximum of each channel | of all heads of a frame together |
| difference (eq. 3) | without a square | squared |
| schedule | N/4 steps, then every other | steps 0 to 20 of 50, then even ones, none of the last five |
| frame f is held against | its own target | that of frame 8 + f/2 (a bug): frames 0 to 7 have none |

Eq. 3 without a square asks for attention anywhere (setting "paper, signed"), so the text is read with it.
"""

from typing import Any

CELLS = (1, 2)  # 16 x 16 and 8 x 8 at the paper's size
ETAS = (15.0, 20.0, 25.0)
CODE: dict[str, Any] = {
    "energy": "released", "strength": 37.5, "law": "1 - abar", "schedule": "released", "shape": "disc", "cells": CELLS,
}  # fmt: skip
READINGS = {"abar": "(1 - abar) / abar", "alpha": "(1 - alpha) / alpha", "the code's law": "1 - abar"}


def _text(law: str, eta: float) -> dict[str, Any]:
    return {"energy": "shape", "strength": eta, "law": law, "schedule": "paper", "shape": "box", "cells": CELLS}


def _all_texts() -> dict[str, dict[str, Any]]:
    """The text's setting with each eta and each reading of its step size."""
    settings = {}
    for reading, law in READINGS.items():
        for eta in ETAS:
            settings[f"text, {reading}, {eta:g}"] = _text(law, eta)
    return settings


TEXT = _all_texts()
