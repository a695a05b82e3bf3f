"""What studies of steering share: videos under a setting, each held against its target and its unguided twin.

A row is a case under a setting: how well the object keeps to its boxes (Peekaboo's measures, `measures/adherence.py`),
and what else became of the video, beside the unguided video of the same seed. A setting that `Guidance` refuses to run,
such as eq. 4 to the letter, is a row with the text of the error.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch

from ...backbones.model import Model
from ...edits.targets import Track
from ...edits.zero_shot import Unguided, all_unguided
from ...measures.adherence import adherence, centre_distances, covered, outside_change, single, size
from ...measures.boxes import Boxes, boxes_of
from ...measures.detection import Detections, look
from ...measures.map_quality import auroc, shrink_mask
from ...sampling import Clip, generate
from ..rows import Case, Row
from ..study import Study
from .cases import path
from .setting import Purpose, Setting

Asked = Track | list[Track]  # of the object of a case, or of each of its objects


@dataclass(frozen=True, eq=False)
class Reference:
    """The unguided run of a case, and what the detector sees in it."""

    run: Unguided
    view: Detections


class Steered(Study, abstract=True):
    """A study of settings: each case is steered along a track of its own, all cases of a setting together on a GPU."""

    settings: ClassVar[Mapping[str, Setting]]
    purpose: ClassVar[Purpose] = "track"

    def __init__(self, smoke: bool = False):
        super().__init__(smoke)
        self.references: dict[tuple, Reference] = {}  # by model, prompt and seed

    def asked(self, case: Case, reference: Reference) -> tuple[Asked, Row]:
        """Where the object of a case shall be, or each of its objects, and what else a row says about that."""
        raise NotImplementedError

    def network(self, case: Case) -> Model:
        """The model of a case."""
        return self.model(self.models(case)[0])

    def depends(self, case: Case) -> object:
        """All knobs of the setting, defaults included."""
        return self.settings[str(case["setting"])].depends(self.purpose)

    def measure(self, cases: Sequence[Case]) -> list[Row]:
        """Make the videos of one setting, together, and describe them."""
        references = self.unguided(cases)
        setting = self.settings[str(cases[0]["setting"])]
        asked = [self.asked(case, reference) for case, reference in zip(cases, references, strict=True)]
        clips = self.steered(setting, cases, references, [track for track, _ in asked])
        rows = []
        for case, clip, (track, about), reference in zip(cases, clips, asked, references, strict=True):
            if isinstance(clip, str):
                rows.append(about | {"failed": clip})
            else:
                rows.append(about | {"failed": ""} | self.row(case, clip, track, reference))
        return rows

    def row(self, case: Case, clip: Clip, asked: Any, reference: Reference) -> Row:
        """What is said of one clip."""
        return describe(clip, str(case["word"]), asked.boxes(len(clip.video)), reference, self.device)

    def steered(
        self, setting: Setting, cases: Sequence[Case], references: Sequence[Reference], tracks: Sequence[Asked]
    ) -> list[Clip | str]:
        """The clips of a setting, or why there is none."""
        return steer(self.network(cases[0]), setting, self.purpose, cases, references, tracks, self.steps)

    def unguided(self, cases: Sequence[Case]) -> list[Reference]:
        """The unguided runs of some cases; those that were made before are not made again."""
        model, name = self.network(cases[0]), self.models(cases[0])[0]
        keys = [(name, str(case["prompt"]), int(case["seed"] or 0)) for case in cases]
        missing = list(dict.fromkeys(key for key in keys if key not in self.references))
        if missing:
            _, prompts, seeds = zip(*missing, strict=True)
            runs = all_unguided(model, prompts, seeds, self.steps)
            for key, run in zip(missing, runs, strict=True):
                self.references[key] = Reference(run, look(run.clip.video, self.device))
        return [self.references[key] for key in keys]


def steer(
    model: Model, setting: Setting, purpose: Purpose, cases: Sequence[Case], references: Sequence[Reference],
    tracks: Sequence[Asked], steps: int | None = None,
) -> list[Clip | str]:  # fmt: skip
    """The clips of cases under one setting; instead of a clip the text of the error with which an edit refuses it."""
    if not setting.steers:
        return [reference.run.clip for reference in references]
    try:
        return list(generate_steered(model, setting, purpose, cases, references, tracks, steps))
    except (ValueError, FloatingPointError) as error:
        if len(cases) == 1:
            return [str(error)]
    clips: list[Clip | str] = []
    for case, reference, track in zip(cases, references, tracks, strict=True):
        clips += steer(model, setting, purpose, [case], [reference], [track], steps)
    return clips


def generate_steered(
    model: Model, setting: Setting, purpose: Purpose, cases: Sequence[Case], references: Sequence[Reference],
    tracks: Sequence[Asked], steps: int | None = None,
) -> list[Clip]:  # fmt: skip
    """One run, in which every prompt has a word and a target of its own."""
    words: list[Any] = []
    for case in cases:
        words.append([case["word"], case["other"]] if case.get("other") else str(case["word"]))
    targets: list[Any] = list(tracks)
    if setting.target == "zero-shot":
        targets = []
        for word, reference, track in zip(words, references, tracks, strict=True):
            assert isinstance(track, Track)
            targets.append(reference.run.follow(word, track))
    prompts: list[Any] = [case["prompt"] for case in cases]
    seeds: list[Any] = [case["seed"] for case in cases]
    edits = setting.edits(purpose, words, targets)
    return generate(model, prompts, seeds, steps, edits=edits, progress=False)

class OnTracks(Steered, abstract=True):
    """A study of settings whose cases stand in `cases.py`: each has a track and a box."""

    def depends(self, case: Case) -> object:
        """The knobs of the setting, and the track with its box."""
        return super().depends(case), path(case)

    def asked(self, case: Case, reference: Reference) -> tuple[Track, Row]:
        """The track of the case."""
        return path(case), {}


def describe(clip: Clip, word: str, asked: Boxes, reference: Reference, device: str) -> Row:
    """A video against the boxes (frames, 4) that were asked for, and against its unguided twin."""
    view, before = look(clip.video, device), reference.view
    masks, masks_before = view.masks(word), before.masks(word)
    boxes, boxes_before = boxes_of(masks), boxes_of(masks_before)
    distances = centre_distances(boxes, asked)
    from_first, from_last = (centre_distances(boxes, np.tile(asked[end], (len(boxes), 1))) for end in (0, -1))
    return adherence(boxes, asked) | {
        "size": size(boxes),
        "unguided size": size(boxes_before),
        "unguided covered": covered(boxes_before),
        "growth": size(boxes[-1:]) / size(boxes[:1]),
        "start": float(distances[0]),
        "end": float(distances[-1]),
        "from first target": mean_of(from_first),
        "from last target": mean_of(from_last),
        "scene kept": view.scene() == before.scene(),
        "single": single(view.counts(word)),
        "outside": outside_change(clip.video, reference.run.clip.video, masks, masks_before),
        "auroc": unguided_auroc(reference, word, masks_before),
        "guided steps": len({update.step for update in clip.updates}),
    }


def mean_of(values: np.ndarray) -> float:
    """The mean of what is not NaN; NaN of nothing."""
    return float(np.nanmean(values)) if np.isfinite(values).any() else float("nan")


def unguided_auroc(reference: Reference, word: str, masks) -> float:
    """How well the finest map of the word found the object in the unguided run: mean over frames, NaN without it."""
    maps = reference.run.maps(word)
    finest = maps[max(maps)].cpu()
    cells = shrink_mask(torch.from_numpy(masks), (finest.shape[-2], finest.shape[-1]))
    return float(auroc(finest, cells).nanmean())
