"""The paper's Figure 4 as one picture: `python -m benchmarks resize_sheet`, four objects in five sizes, as videos.

Every cell is the middle frame of a guided video, with the asked box; the first column is the unguided video. It goes
beside the table of `resize`, whose way of asking for sizes it shares.
"""

import numpy as np

from xattn_helpers.display import draw_boxes, image_grid

from . import runner, weights
from .guidance import MODEL, together, twins
from .resize import SEEDS, WORDS, cases, wanted

SHOWN = ("burger", "ball", "shark", "duck")
FILE = runner.RESULTS / "resize.webp"
NAMES = ("unguided", *WORDS)


def rows(words: tuple[str, ...] = SHOWN) -> list[list[np.ndarray]]:
    """For each word the middle frames, (height, width, 3), in the order of `NAMES`; the videos of a word together."""
    return [row([case for case in cases() if _is_shown(case, word)]) for word in words]


def row(asked: list[dict]) -> list[np.ndarray]:
    """The middle frames of one word in all sizes."""
    free = twins(asked)
    paths = [wanted(case, one)[1] for case, one in zip(asked, free, strict=True)]
    clips = together(weights.model(MODEL), asked, free, paths)
    guided = [draw_boxes(clip.video, path.boxes(len(clip.video))) for clip, path in zip(clips, paths, strict=True)]
    return [video[len(video) // 2] for video in (free[0].clip.video, *guided)]


def _is_shown(case: dict, word: str) -> bool:
    of_word = (case["word"], case["seed"], case["setting"]) == (word, SEEDS[0], "equal steps")
    return of_word and case["asked"] in WORDS


def draw(found: list[list[np.ndarray]]) -> None:
    """Write the picture."""
    figure = image_grid(found, row_titles=list(SHOWN), column_titles=list(NAMES), cell=1.3)
    figure.savefig(FILE, dpi=110, pil_kwargs={"quality": 85})


def main() -> None:
    """Make the videos, draw and store."""
    draw(rows())
    print(f"wrote {FILE}")
