"""Asked size against size: study `resize`, the paper's Figure 4 with numbers.

The asked box has the proportions of the object's drawing and stands where the object stands on average in the unguided
video, moved in where it would leave the picture. Asked are five sizes in parts of the picture, and five in words,
relative to the unguided size. What came out is the size of the detected box: the side of a square as large, mean over
frames.
"""

from collections.abc import Sequence

import numpy as np

from ...edits.bias import FOR_SIZE
from ...edits.sizes import BOTH_ENERGIES
from ...edits.targets import Track, track
from ...measures.adherence import size
from ...measures.boxes import Boxes, boxes_of, centres
from ...pocket.world.captions import one_object
from ...sampling import Clip
from ..guidance.cases import OBJECTS, PROPORTIONS, SIDE, box
from ..guidance.settings import OLD_DEFAULTS, PAPER, Setting
from ..guidance.steered import Reference, Steered, describe
from ..rows import Case, Row
from .table import BEST, SIZES, WORDS, markdown, summary

SHOWN = ("burger", "ball", "shark", "duck", "fish", "balloon", "rocket", "boat")
SEEDS = tuple(range(10, 26))
LEAST, MOST = 0.08, 0.8  # of the picture: what can be asked for
TOLD = ("covered", "iou", "size", "unguided size", "unguided covered", "single", "scene kept")  # of a box that stands
SETTINGS = {
    BEST: Setting({"energy": BOTH_ENERGIES}, FOR_SIZE),  # as `size_edits`
    "defaults": Setting({}),  # as `Guidance.for_size`
    "equal, 0.08": Setting({"law": "equal", "strength": 0.08, "schedule": "always"}),
    "old defaults": Setting(OLD_DEFAULTS),
    "paper": Setting(PAPER),
}


class ResizeStudy(Steered):
    """How large does an object become when guidance asks for a size?"""

    batch, batch_on_gpu = 1, 40
    settings, purpose = SETTINGS, "size"

    def cases(self) -> list[Case]:
        """Every asked size of every pair of an object and a seed, under every setting."""
        cases: list[Case] = []
        for setting in SETTINGS:
            for seed in SEEDS:
                for word in SHOWN:
                    cases += sizes_of(setting, word, seed)
        return cases

    def depends(self, case: Case) -> object:
        """The knobs of the setting, the object's proportions, and the factor of a size in words."""
        word, wish = str(case["word"]), str(case["asked"])
        return super().depends(case), PROPORTIONS[word], WORDS.get(wish, 1.0)

    def asked(self, case: Case, reference: Reference) -> tuple[Track, Row]:
        """The asked box, and its size."""
        word = str(case["word"])
        boxes = boxes_of(reference.view.masks(word))
        side = wanted_side(str(case["asked"]), boxes)
        return standing(boxes, box(word, side)), {"side": side}

    def row(self, case: Case, clip: Clip, asked: Track, reference: Reference) -> Row:
        """What is said of one clip, without what is about paths."""
        # not super().row, whose code would not be a part of the row's key
        told = describe(clip, str(case["word"]), asked.boxes(len(clip.video)), reference, self.device)
        return {name: told[name] for name in TOLD}

    def summary(self, rows: Sequence[Row]) -> dict:
        """For each setting how sizes agree with the wishes, and what the unguided sizes would have given."""
        return summary(rows, {name: knobs_of(setting) for name, setting in SETTINGS.items()})

    def markdown(self, table: dict) -> str:
        """What was asked for, and each setting."""
        return markdown(table)


def knobs_of(setting: Setting) -> dict:
    """Those of the gradient, and under "bias" those of the bias beside it."""
    knobs = dict(setting.guidance or {})
    return knobs | {"bias": dict(setting.bias)} if setting.bias else knobs


def sizes_of(setting: str, word: str, seed: int) -> list[Case]:
    """A case for each asked size."""
    verb, scene = OBJECTS[word]
    about: Case = {"setting": setting, "prompt": one_object(word, scene, verb), "word": word, "seed": seed}
    return [about | {"asked": wish} for wish in (*map(str, SIZES), *WORDS)]


def wanted_side(wish: str, boxes: Boxes) -> float:
    """The asked side; a size in words is relative to the unguided boxes (frames, 4), or to 0.35 where none is seen."""
    if wish not in WORDS:
        side = float(wish)
    else:
        usual = size(boxes)
        side = WORDS[wish] * (SIDE if np.isnan(usual) else usual)
    return float(np.clip(side, LEAST, MOST))


def standing(boxes: Boxes, sides: tuple[float, float]) -> Track:
    """A box (width, height) at the mean place of boxes (frames, 4), or in the middle if these are all NaN."""
    place = np.full(2, 0.5) if np.isnan(boxes).all() else np.nanmean(centres(boxes), 0)
    half = np.array(sides) / 2
    return track([tuple(np.clip(place, half, 1 - half).clip(0, 1))], size=sides)
