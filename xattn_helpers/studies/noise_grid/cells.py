"""The grid: which models are trained to answer why the maps of a video model are noisy, and where they are.

Not the whole product of the factors, but the cells that answer, in the order of what each answers. Every cell is held
against a cell that differs from it in one thing.
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
class Cell:
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
        """What differs from the first cell of the family, in words."""
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
TRAINED = (  # fourteen trainings
    Cell(), Cell(text="contextual"),  # the text encoder
    Cell(seed=1), Cell(text="contextual", seed=1), Cell(seed=2), Cell(text="contextual", seed=2),  # of three trainings
    Cell(data=LITTLE), Cell(text="contextual", data=LITTLE),  # less data
    Cell(blocks=FEW_BLOCKS),  # fewer layers
    Cell("image", text="contextual"), Cell("video"), Cell("video", scratch=True),  # how a video model came to be
    Cell("video", text="contextual"), Cell("video", text="contextual", scratch=True),
)  # fmt: skip
SHIPPED = (Cell("video", shipped=True), Cell("image", shipped=True), Cell("transformer", shipped=True))
CELLS = {cell.name: cell for cell in (*TRAINED, *SHIPPED)}
ONE_CHANGE = {  # question: the cell, and the cell that differs in one thing; of three trainings, all three
    "words mixed by the text encoder": [(Cell(text="contextual", seed=seed), Cell(seed=seed)) for seed in range(3)],
    "a tenth of the data": [(Cell(data=LITTLE), Cell())],
    "a tenth of the data, words mixed": [(Cell(text="contextual", data=LITTLE), Cell(text="contextual"))],
    "fewer blocks": [(Cell(blocks=FEW_BLOCKS), Cell())],
    "words mixed, in the inflated model": [(Cell("video", text="contextual"), Cell("video"))],
    "video, not image": [(Cell("video"), Cell("image", shipped=True))],
    "video, not image, words mixed": [(Cell("video", text="contextual"), Cell("image", text="contextual"))],
    "from scratch, not inflated": [(Cell("video", scratch=True), Cell("video"))],
    "from scratch, words mixed": [(Cell("video", text="contextual", scratch=True), Cell("video", text="contextual"))],
}  # fmt: skip


@cache
def cell_model(name: str, device: str, smoke: bool = False) -> Model:
    """The model of a trained cell, in single precision, loaded once."""
    checkpoint = CELLS[name].checkpoint(smoke)
    parts = load_parts(checkpoint, torch.float32)
    for part in ("text_encoder", "network", "vae"):
        parts[part].to(device).eval().requires_grad_(False)
    return Model.of(**parts, defaults=checkpoint)
