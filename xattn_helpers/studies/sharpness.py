"""How sharp the objects of the pocket models are, beside drawn ones: study `sharpness`.

Blur shows twice: the detector is less sure of the object's pixels, and when the frame goes through the autoencoder once
more, the mask that it finds changes. Drawn frames are measured as they are, and after the autoencoder, which is as
sharp as a model of its latents can be.
"""

from collections.abc import Sequence

import numpy as np
import torch
from diffusers import AutoencoderKL
from jaxtyping import UInt8

from xattn_helpers import generate

from ..display.tables import figure_text, table_text
from ..measures.detection import Detections, look
from ..measures.statistics import Estimate
from ..pocket.training.losses import Pixels, reconstruct
from ..pocket.world.batches import collate
from ..pocket.world.drawing import World
from .detector_quality import NEW_SEED
from .pocket_quality import asked_of, held_out_stories
from .quality_table import MODELS
from .rows import Case, Row, column, select
from .study import Study

DRAWN, CODED = "drawn", "drawn, after the autoencoder"
CODEC = "pocket-t2i"  # a model with the autoencoder of all of them
COUNT = 100  # prompts, and stories that are drawn
FRAMES = 4  # of a video, evenly spaced
DIFFERENCE = "video transformer minus video"
NAMES = {"own iou": "IoU of its mask before and after the autoencoder", "confidence": "mean confidence"}
Frames = UInt8[np.ndarray, "frames height width 3"]


class Sharpness(Study):
    """Are the objects that the pocket models make as sharp as drawn ones?"""

    batch, batch_on_gpu = 2, 50
    compared = tuple(MODELS)

    def cases(self) -> list[Case]:
        """The same held-out stories of one object, drawn and told to each model."""
        pictures = {DRAWN: CODEC, CODED: CODEC} | {model: model for model in self.present}
        cases: list[Case] = []
        for picture, model in pictures.items():
            for number, story in enumerate(held_out_stories()["one"][:COUNT]):
                asked = asked_of(story, "one")
                about = {"model": model, "picture": picture, "story": number, "seed": NEW_SEED + number}
                cases.append(about | {"prompt": asked["prompt"], "word": asked["word"]})
        return cases

    def group(self, case: Case) -> str:
        """Pictures of one kind."""
        return case["picture"]

    def measure(self, cases: Sequence[Case]) -> list[Row]:
        """Look at some frames of each case, before and after the autoencoder."""
        model = self.model(cases[0]["model"])
        vae = model.codec.vae
        if cases[0]["picture"] in (DRAWN, CODED):
            videos = [self.draw(case["story"], vae if case["picture"] == CODED else None) for case in cases]
        else:
            clips = generate(model, column(cases, "prompt"), column(cases, "seed"), self.steps, progress=False)
            videos = [some_frames(clip.video) for clip in clips]
        rows = []
        for case, video in zip(cases, videos, strict=True):
            pixels = torch.tensor(video, device=self.device).permute(0, 3, 1, 2) / 255
            again = as_video(reconstruct(vae, pixels))
            rows.append(compare(look(video, self.device), look(again, self.device), case["word"]))
        return rows

    def draw(self, number: int, vae: AutoencoderKL | None) -> Frames:
        """Some frames of a story, through the autoencoder if one is given."""
        video, _ = World(self.device).draw(collate([held_out_stories()["one"][number]]))
        return some_frames(as_video(video[0] if vae is None else reconstruct(vae, video[0])))

    def summary(self, rows: Sequence[Row]) -> dict:
        """Means of each kind of picture, and the difference of the two video models, story by story."""
        table: dict = {}
        for picture in dict.fromkeys(column(rows, "picture")):
            chosen = select(rows, "picture", picture)
            table[picture] = {name: Estimate.mean(column(chosen, name)) for name in (*NAMES, "seen")}
        if "pocket" in table and "pocket-dit" in table:
            table[DIFFERENCE] = {}
            for name in NAMES:
                values, reference = by_story(rows, "pocket-dit", name), by_story(rows, "pocket", name)
                table[DIFFERENCE][name] = Estimate.difference(values, reference)
        return table

    def markdown(self, table: dict) -> str:
        """A row for each kind of picture."""
        rows = []
        for picture, figures in table.items():
            spec = "+.3f" if picture == DIFFERENCE else ".3f"
            texts = [figure_text(figures[name], spec, count=True) for name in NAMES]
            rows.append([MODELS.get(picture, picture), *texts])
        return table_text(["one object", *NAMES.values()], rows)


def by_story(rows: Sequence[Row], picture: str, name: str) -> dict[int, float]:
    """A value of each story."""
    return {row["story"]: row[name] for row in select(rows, "picture", picture)}


def some_frames(video: Frames) -> Frames:
    """FRAMES of a video, evenly spaced, or all if there are no more."""
    count = min(FRAMES, len(video))
    return video[np.linspace(0, len(video) - 1, count).round().astype(int)]


def as_video(pixels: Pixels) -> Frames:
    """Pixels in [0, 1] as a video."""
    return (255 * pixels).round().byte().permute(0, 2, 3, 1).cpu().numpy()


def compare(before: Detections, after: Detections, word: str) -> Row:
    """Over the frames that show the object before: how much of its mask stays, and how sure the detector was of it."""
    masks, later = before.masks(word), after.masks(word)
    seen = masks.any((1, 2))
    row: Row = {"seen": float(seen.mean()), "own iou": None, "confidence": None}
    if seen.any() and before.confidence is not None:
        overlap, union = (masks & later).sum((1, 2)), (masks | later).sum((1, 2))
        row["own iou"] = float((overlap[seen] / union[seen]).mean())
        row["confidence"] = float(before.confidence[masks].mean())
    return row
