"""The grid: which models are trained to answer why the maps of a video model are noisy, and where they are.

Not the whole product of the factors, but the variants that answer, in the order of what each answers. Every variant is
held against one from which it differs in one thing.
"""

from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Literal

import torch

from ...backbones.catalogue import CHECKPOINTS, Checkpoint
from ...backbones.checkpoints import load_parts
from ...backbones.model import Model
from ...pocket import WEIGHTS
from ...pocket.networks import BLOCKS
from ...pocket.text import Mixing

FOLDER = Path("runs/noise_grid")  # not in the repository: the weights are not shipped
FEW_BLOCKS = 4
LITTLE = 0.1  # of the stories
Family = Literal["transformer", "video", "image"]
LIKE = {"transformer": "pocket-dit", "video": "pocket", "image": "pocket-t2i"}  # the series' model of each family


@dataclass(frozen=True)
class Variant:
    """One model of the grid."""

    family: Family = "transformer"
    text: Mixing = "apart"
    data: float = 1.0  # share of the stories
    blocks: int = BLOCKS  # of a transformer
    scratch: bool = False  # a video model that did not begin as the image model
    seed: int = 0
    shipped: bool = False  # the series' own weights, which took longer to train

    @property
    def name(self) -> str:
        """What differs from the first variant of the family, in words."""
        parts: list[str] = [self.family, self.text]
        parts += [f"{self.data:g} of the data"] * (self.data < 1)
        parts += [f"{self.blocks} blocks"] * (self.family == "transformer" and self.blocks != BLOCKS)
        parts += ["from scratch"] * (self.scratch and self.family == "video")
        parts += ["shipped"] if self.shipped else [f"seed {self.seed}"]
        return ", ".join(parts)

    def checkpoint(self, smoke: bool = False) -> Checkpoint:
        """What the series' model of its family makes by default, from weights of its own."""
        return replace(CHECKPOINTS[LIKE[self.family]], source=str(self.folder(smoke)))

    def folder(self, smoke: bool = False) -> Path:
        """Where its parts are; smoke runs have a place of their own."""
        if self.shipped:
            return WEIGHTS
        return (FOLDER / "smoke" if smoke else FOLDER) / self.name.replace(", ", "-").replace(" ", "_")

    def trained(self, smoke: bool = False) -> bool:
        """Whether there is something to measure: a finished training, not a checkpoint of one."""
        folder, network = self.folder(smoke), CHECKPOINTS[LIKE[self.family]].network
        return (folder / network).is_dir() and (self.shipped or (folder / DONE).exists())


DONE = "done"  # a file that a finished training leaves
APART, MIXED = Variant(), Variant(text="contextual")
IMAGE_MIXED, VIDEO, VIDEO_MIXED = Variant("image", "contextual"), Variant("video"), Variant("video", "contextual")
SHIPPED = (Variant("video", shipped=True), Variant("image", shipped=True), Variant("transformer", shipped=True))
TRAINED = (  # twelve trainings
    APART, MIXED,  # the text encoder
    replace(APART, seed=1), replace(MIXED, seed=1), replace(APART, seed=2), replace(MIXED, seed=2),  # three trainings
    replace(APART, data=LITTLE),  # less data
    replace(APART, blocks=FEW_BLOCKS),  # fewer layers
    IMAGE_MIXED, VIDEO, replace(VIDEO, scratch=True), VIDEO_MIXED,  # how a video model came to be
)  # fmt: skip
VARIANTS = {variant.name: variant for variant in (*TRAINED, *SHIPPED)}
SEEDS = (0, 1, 2)
ONE_CHANGE = {  # question: the variant, and the one from which it differs in one thing; of three trainings, all three
    "words mixed by the text encoder": [(replace(MIXED, seed=seed), replace(APART, seed=seed)) for seed in SEEDS],
    "a tenth of the data": [(replace(APART, data=LITTLE), APART)],
    "fewer blocks": [(replace(APART, blocks=FEW_BLOCKS), APART)],
    "words mixed, in the inflated model": [(VIDEO_MIXED, VIDEO)],
    "video, not image": [(VIDEO, SHIPPED[1])],
    "video, not image, words mixed": [(VIDEO_MIXED, IMAGE_MIXED)],
    "from scratch, not inflated": [(replace(VIDEO, scratch=True), VIDEO)],
}


@cache
def variant_model(name: str, device: str, smoke: bool = False) -> Model:
    """The model of a trained variant, in single precision, loaded once."""
    checkpoint = VARIANTS[name].checkpoint(smoke)
    parts = load_parts(checkpoint, torch.float32)
    for part in ("text_encoder", "network", "vae"):
        parts[part].to(device).eval().requires_grad_(False)
    return Model.of(**parts, defaults=checkpoint)
