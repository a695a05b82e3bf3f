"""The paper's Figure 4 as one picture: four objects in five sizes, as videos.

Every cell is the middle frame of a guided video, with the asked box; the first column is the unguided video. It goes
beside the table of `resize`, whose way of asking for sizes it shares.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ..display.figures import image_grid
from ..display.overlays import draw_boxes
from .guidance.steered import generate_steered
from .resize import SEEDS, SETTINGS, ResizeStudy, sizes_of
from .resize.table import BEST, WORDS
from .running import WORK
from .store import RESULTS
from .study import Report

SHOWN = ("burger", "ball", "shark", "duck")
COLUMNS = ("unguided", *WORDS)
QUALITY = 65  # of the picture's compression


class ResizeSheet(Report):
    """The middle frames of objects that were asked to take five sizes, as one picture."""

    def write(self, folder: Path | None = None) -> list[Path]:
        """Make the videos, draw and store; a smoke run draws one object, and beside the rows of smoke runs."""
        words = SHOWN[:1] if self.smoke else SHOWN
        study = ResizeStudy(self.smoke)
        file = (folder or (WORK / "smoke" if self.smoke else RESULTS)) / "resize.webp"
        draw([row_of(study, word) for word in words], words, file)
        return [file]


def row_of(study: ResizeStudy, word: str) -> list[np.ndarray]:
    """The middle frames (height, width, 3) of one object, in the order of `COLUMNS`, made together."""
    cases = [case for case in sizes_of(BEST, word, SEEDS[0]) if case["asked"] in WORDS]
    references = study.unguided(cases)
    tracks = [study.asked(case, reference)[0] for case, reference in zip(cases, references, strict=True)]
    clips = generate_steered(study.model("pocket"), SETTINGS[BEST], "size", cases, references, tracks, study.steps)
    videos = [references[0].run.clip.video]
    for clip, path in zip(clips, tracks, strict=True):
        videos.append(draw_boxes(clip.video, path.boxes(len(clip.video))))
    return [video[len(video) // 2] for video in videos]


def draw(rows: Sequence[Sequence[np.ndarray]], words: Sequence[str], file: Path) -> None:
    """Write the picture."""
    figure = image_grid(rows, row_titles=list(words), column_titles=list(COLUMNS), cell=1.3)
    file.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(file, dpi=110, pil_kwargs={"quality": QUALITY})
