"""How good the pocket models are, on captions and seeds that they were not trained with: study `pocket_quality`.

Clips are looked at by the detector (see `detector_quality`): is what was asked for there, does it move as asked, and
does a noun's attention map find it? The result goes into README and the model card.
"""

import random
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
import torch

from xattn_helpers import capture, generate

from ..measures.boxes import Boxes, Masks, boxes_of, centres, detected
from ..measures.detection import look
from ..measures.map_quality import auroc, shrink_mask
from ..pocket.world.captions import held_out
from ..pocket.world.stories import Story, sample_story
from .detector_quality import NEW_SEED
from .quality_table import asked_table, figures
from .rows import Case, Row, column, select
from .study import Study

COUNTS = {"one": 200, "motion": 200, "two": 200}  # prompts of each kind, each with a seed of its own
MODELS = {  # and the kinds of prompts that each is asked; a picture has no motion
    "pocket": tuple(COUNTS),
    "pocket-t2i": ("one", "two"),
    "pocket-dit": tuple(COUNTS),
}
MOVED = 0.10  # of the frame: least movement of a centre that counts as a direction
GREW = 1.15  # least ratio of the last and first size that counts as coming closer
STOOD = 0.06  # of the frame: most movement of something that stays still


class PocketQuality(Study):
    """Do the pocket models make what held-out captions ask for, and do their maps find it?"""

    batch, batch_on_gpu = 2, 64
    compared = tuple(MODELS)

    def cases(self) -> list[Case]:
        """Held-out captions of three kinds: one object, one object with a motion, two objects."""
        stories = held_out_stories()
        cases = []
        for model in self.present:
            for kind in MODELS[model]:
                for number, story in enumerate(stories[kind]):
                    cases.append({"model": model, "kind": kind, "seed": NEW_SEED + number} | asked_of(story, kind))
        return cases

    def measure(self, cases: Sequence[Case]) -> list[Row]:
        """Generate and look: presence, number, scene, motion and the quality of the attention maps."""
        model = self.model(cases[0]["model"])
        with capture(model) as attention:
            clips = generate(model, column(cases, "prompt"), column(cases, "seed"), self.steps, progress=False)
        rows = []
        for index, (case, clip) in enumerate(zip(cases, clips, strict=True)):
            view = look(clip.video, self.device)
            masks = view.masks(case["word"])
            row = {
                "present": share(masks.any((1, 2))),
                "second present": share(view.masks(case["second"]).any((1, 2))) if case["second"] else None,
                "single": share(view.counts(case["word"]) == 1),
                "scene seen": view.scene(),
                "obeyed": obeys(boxes_of(masks), case["motion"]) if case["motion"] else None,
            }
            for cells in model.cells():  # of latents: 1 are maps of 16 x 16, 2 of 8 x 8, 4 of 4 x 4
                maps = attention.maps(case["word"], cells=cells, batch=index).cpu()
                row[f"auroc, {cells} cells"] = mean_auroc(maps, masks)
            rows.append(row)
        return rows

    def summary(self, rows: Sequence[Row]) -> dict:
        """Figures of each model."""
        return {model: figures(select(rows, "model", model)) for model in MODELS}

    def markdown(self, table: dict) -> str:
        """What was asked of the models and what they reach."""
        return asked_table(table)


# Cases


@cache
def held_out_stories() -> dict[str, list[Story]]:
    """Stories of each kind whose captions were held out of training."""
    rng = random.Random(NEW_SEED)
    stories: dict[str, list[Story]] = {kind: [] for kind in COUNTS}
    while any(len(stories[kind]) < count for kind, count in COUNTS.items()):
        story = sample_story(rng)
        kind = "two" if len(story.actors) == 2 else "motion" if story.says_motion else "one"
        if held_out(story.caption) and len(stories[kind]) < COUNTS[kind]:
            stories[kind].append(story)
    return stories


def asked_of(story: Story, kind: str) -> Case:
    """What a caption asks for."""
    names = [actor.name for actor in story.actors]
    return {
        "prompt": story.caption,
        "word": names[0],
        "second": names[1] if kind == "two" else "",
        "scene": story.scene,
        "motion": story.motion if kind == "motion" else "",
    }


# Measuring


def obeys(boxes: Boxes, motion: str) -> bool:
    """Whether boxes (frames, 4) move as a phrase says; False where less than two show the object."""
    visible = boxes[detected(boxes)]
    if len(visible) < 2:
        return False
    x, y = centres(visible)[-1] - centres(visible)[0]
    sides = np.maximum(visible[:, 2] - visible[:, 0], visible[:, 3] - visible[:, 1])
    growth = sides[-1] / sides[0]
    across, along_y = abs(x) > abs(y), abs(y) > abs(x)
    answers = {
        "to the left": x < -MOVED and across,
        "to the right": x > MOVED and across,
        "up": y < -MOVED and along_y,
        "down": y > MOVED and along_y,
        "closer": growth > GREW,
        "away": growth < 1 / GREW,
        "stays still": np.hypot(x, y) < STOOD and 1 / GREW < growth < GREW,
    }
    return bool(answers[motion])


def mean_auroc(maps: torch.Tensor, masks: Masks) -> float:
    """Area under the ROC curve of maps (frames, h, w) against masks, mean over the frames that have the object."""
    height, width = maps.shape[-2:]
    cells = shrink_mask(torch.from_numpy(masks), (height, width))
    return float(auroc(maps, cells).nanmean())


def share(frames: Any) -> float:
    """The share of frames for which something holds."""
    return float(np.mean(frames))
