"""What the maps of one prompt know of its object, with an encoder that keeps words apart and one that mixes them.

Of two models of `noise_grid` that differ in nothing else: report `noise_grid_picture`, which needs them trained.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ..attention.recording import capture
from ..display.figures import image_grid
from ..sampling import generate
from .noise_grid.maps import maps_by_height
from .noise_grid.variants import APART, MIXED, Variant, variant_model
from .running import WORK
from .store import RESULTS
from .study import Report

PROMPT, SEED = "a burger floats on the water", 0
WORDS = PROMPT.split()  # each is one token; the start of the prompt is before them
TITLES = {APART: "words kept apart", MIXED: "words mixed"}
QUALITY = 70  # of the picture's compression


class NoiseGridPicture(Report):
    """The map of every word of one prompt, in two models that differ in their text encoder."""

    def write(self, folder: Path | None = None) -> list[Path]:
        """Draw, if both models are trained here; a smoke run has its own."""
        if not all(variant.trained(self.smoke) for variant in TITLES):
            print("train both models first: python -m xattn_helpers.studies.noise_grid.train")
            return []
        file = (folder or (WORK / "smoke" if self.smoke else RESULTS)) / "noise_grid.webp"
        rows = [maps_of(variant, self.smoke, self.steps) for variant in TITLES]
        columns = ["the middle frame", *(f"“{word}”" for word in WORDS)]
        figure = image_grid(rows, list(TITLES.values()), columns, cell=1.3)
        file.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(file, dpi=110, pil_kwargs={"quality": QUALITY})
        return [file]


def maps_of(variant: Variant, smoke: bool = False, steps: int | None = None) -> Sequence[np.ndarray]:
    """The middle frame of a clip, and the map of each word there: the mean over steps, heads and blocks."""
    model = variant_model(variant.name, "cpu", smoke)
    with capture(model) as attention:
        clip = generate(model, PROMPT, SEED, steps, progress=False)
    maps = next(iter(maps_by_height(attention).values()))  # (tokens, frames, height, width), of a transformer alike
    middle = len(clip.video) // 2
    return [clip.video[middle], *maps[1 : 1 + len(WORDS), middle].numpy()]
