"""The ten worst clips of the defaults, as one picture: report `worst_clips`, beside the table of `guidance`.

A row is a clip, made again: five of its frames with the asked box in red, and what the detector sees in yellow.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ..display.figures import image_grid
from ..display.overlays import draw_boxes, draw_mask
from ..measures.detection import look
from .guidance import GuidanceStudy
from .guidance.cases import path, table_cases
from .guidance.settings import SETTINGS
from .guidance.table import counted_iou
from .rows import Case
from .running import WORK
from .store import RESULTS, load_rows
from .study import Report

SETTING, COUNT, FRAMES = "defaults", 10, 5
QUALITY = 65  # of the picture's compression


class WorstClips(Report):
    """The ten clips that the defaults guide worst, with the asked box and what the detector sees."""

    def write(self, folder: Path | None = None) -> list[Path]:
        """Choose by the stored table, make the clips again and draw; a smoke run draws the first case."""
        cases = table_cases()[:1] if self.smoke else worst()
        study = GuidanceStudy(self.smoke)
        file = (folder or (WORK / "smoke" if self.smoke else RESULTS)) / "worst_clips.webp"
        draw([row_of(study, case) for case in cases], [title(case) for case in cases], file)
        return [file]


def worst(count: int = COUNT) -> list[Case]:
    """The cases of the table with the least overlap, the worst first."""
    rows = [row for row in load_rows("guidance") if row["setting"] == SETTING]
    return sorted(rows, key=counted_iou)[:count]


def title(case: Case) -> str:
    """What a row shows, and its overlap where it was measured."""
    text = f"{case['word']}, {case['track']}, seed {case['seed']}"
    return f"{text}, IoU {counted_iou(case):.2f}" if "covered" in case else text


def row_of(study: GuidanceStudy, case: Case) -> list[np.ndarray]:
    """Frames (height, width, 3) of one clip, evenly spaced."""
    references = study.unguided([case])
    clip = study.steered(SETTINGS[SETTING], [case], references, [path(case)])[0]
    assert not isinstance(clip, str), clip
    video = draw_mask(clip.video, look(clip.video, study.device).masks(str(case["word"])), "yellow", 0.0)
    video = draw_boxes(video, path(case).boxes(len(video)))
    return [video[index] for index in np.linspace(0, len(video) - 1, FRAMES).round().astype(int)]


def draw(rows: Sequence[Sequence[np.ndarray]], titles: Sequence[str], file: Path) -> None:
    """Write the picture."""
    figure = image_grid(rows, row_titles=[text.replace(", ", "\n", 2) for text in titles], cell=1.3)
    file.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(file, dpi=110, pil_kwargs={"quality": QUALITY})
