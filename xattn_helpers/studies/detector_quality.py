"""How good the measuring instrument is: study `detector_quality`, the pocket detector on new frames of the world.

Frames are looked at as they are drawn, and after the autoencoder, which is what generated pictures look like at best.
"""

from collections.abc import Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor

from ..display.tables import table_text
from ..measures.detection import LEAST_AREA
from ..measures.statistics import Estimate
from ..pocket.training.losses import class_map, reconstruct
from ..pocket.world.batches import sample_batch
from ..pocket.world.drawing import World
from ..pocket.world.stories import FRAMES
from . import models
from .rows import Case, Row, column, select
from .study import Study

NEW_SEED = 9_000_000  # far from the seeds of the training stories
PICTURES = ("as drawn", "after the autoencoder")
BATCH, BATCHES = 40, 15  # stories that are drawn together, one frame of each; 600 frames in all
OBJECTS = 2  # at most, in a frame
NAMES = {"iou": "mean IoU of a mask", "named rightly": "object named rightly", "scene": "scene named rightly"}


class DetectorQuality(Study):
    """Does the pocket detector find the objects of new drawn frames, and name them and the scene rightly?"""

    batch = BATCH

    def cases(self) -> list[Case]:
        """Every frame of every batch, as drawn and after the autoencoder."""
        cases: list[Case] = []
        for picture in PICTURES:
            for seed in range(NEW_SEED, NEW_SEED + BATCH * BATCHES, BATCH):
                about = {"model": "pocket-t2i", "picture": picture, "seed": seed}
                cases += [about | {"story": story} for story in range(BATCH)]
        return cases

    def group(self, case: Case) -> tuple:
        """Frames that are drawn together."""
        return case["picture"], case["seed"]

    def smoke_cases(self) -> list[Case]:
        """The first frames of each kind of picture."""
        cases = self.cases()
        return cases[:2] + cases[BATCH * BATCHES :][:2]

    def measure(self, cases: Sequence[Case]) -> list[Row]:
        """Draw the whole batch, and look at the frames that are asked for."""
        stories = [case["story"] for case in cases]
        pixels, labels, scenes = draw(cases[0]["seed"], self.device)
        pixels = pixels[stories]
        if cases[0]["picture"] != PICTURES[0]:
            pixels = reconstruct(self.model("pocket-t2i").codec.vae, pixels)
        with torch.no_grad():
            by_pixel, by_frame = models.detector(self.device)(pixels)
        rows = []
        for index, story in enumerate(stories):
            row = compare_labels(by_pixel[index].argmax(0), labels[story])
            rows.append(row | {"scene": bool(by_frame[index].argmax() == scenes[story])})
        return rows

    def summary(self, rows: Sequence[Row]) -> dict:
        """Figures of each kind of picture: over objects that are large enough to count, and over frames."""
        table = {}
        for picture in PICTURES:
            frames = select(rows, "picture", picture)
            table[picture] = {
                "iou": Estimate.mean(of_objects(frames, "iou")),
                "named rightly": Estimate.rate(of_objects(frames, "named")),
                "scene": Estimate.rate(column(frames, "scene")),
            }
        return table

    def markdown(self, table: dict) -> str:
        """A row for each figure."""
        rows = []
        for name, text in NAMES.items():
            rows.append([text, *(table[picture][name].format(percent=True) for picture in PICTURES)])
        return table_text(["new frames of the world", *PICTURES], rows)


def draw(
    seed: int, device: str
) -> tuple[Float[Tensor, "batch 3 side side"], Int[Tensor, "batch side side"], Int[Tensor, " batch"]]:
    """One frame of each story of a batch: its pixels, the label of every pixel (0 for none), and its scene."""
    batch, _ = sample_batch(BATCH, seed)
    generator = torch.Generator().manual_seed(seed - NEW_SEED)
    frames = batch.select_frames(torch.randint(FRAMES, (BATCH, 1), generator=generator))
    video, masks = World(device).draw(frames)
    labels = class_map(masks[:, :, 0], frames.objects.to(device))
    return video[:, 0], labels, frames.scene.to(device)


def compare_labels(detected: Int[Tensor, "side side"], labels: Int[Tensor, "side side"]) -> Row:
    """For each object of a frame that is large enough: the IoU of its mask, and whether most of it has its name."""
    row: Row = {}
    for value in labels.unique().tolist():
        mask = labels == value
        if value == 0 or mask.float().mean() < LEAST_AREA:
            continue
        number = 1 + len(row) // 2
        overlap, union = mask & (detected == value), mask | (detected == value)
        row[f"iou {number}"] = float(overlap.sum() / union.sum())
        row[f"named {number}"] = usual_label(detected[mask]) == value
    return row


def usual_label(labels: Int[Tensor, " pixels"]) -> int:
    """The label that most pixels with an object have; 0 where none has."""
    objects = labels[labels > 0]
    return int(objects.mode().values) if len(objects) else 0


def of_objects(rows: Sequence[Row], name: str) -> list:
    """A value of every object in some frames."""
    values = []
    for number in range(1, OBJECTS + 1):
        values += column(rows, f"{name} {number}")
    return values
