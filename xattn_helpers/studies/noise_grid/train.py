"""Train the cells of the grid: `python -m xattn_helpers.studies.noise_grid.train [CELL ...]`, without names all.

A cell that is done is skipped, and one that was stopped goes on. Two GPUs take one half each:
`CUDA_VISIBLE_DEVICES=0 … train --part 0/2 & CUDA_VISIBLE_DEVICES=1 … train --part 1/2`.
"""

import argparse
import math
import time
from collections.abc import Sequence
from pathlib import Path

from ...pocket import WEIGHTS
from ...pocket.training.config import TrainConfig
from ...pocket.training.trainer import Trainer
from .cells import CELLS, DONE, FOLDER, TRAINED, Cell

DIT_STEPS, T2V_STEPS, T2I_STEPS = 2000, 600, 1500
STORIES = 16384  # stories of the training set; a tenth of them is less than a video for each caption
SMOKE_STORIES = 16
STAGES = {"transformer": "dit", "video": "t2v", "image": "t2i"}
LATENTS = FOLDER / "latents"  # of the stories, which all cells share: the autoencoder is the same


def main(arguments: list[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m xattn_helpers.studies.noise_grid.train", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="CELL", help="see --list")
    parser.add_argument("--list", action="store_true", help="list the cells, and which are done")
    parser.add_argument("--part", default="0/1", help="which part of how many: 0/2 trains every second cell")
    parser.add_argument("--minutes", type=float, default=math.inf, help="stop after this time; the next call goes on")
    parser.add_argument("--compile", action="store_true", help="compile the blocks first (CUDA)")
    parser.add_argument("--smoke", action="store_true", help="two steps of each cell, to see that it runs")
    options = parser.parse_args(arguments)
    if unknown := sorted(set(options.names) - {cell.name for cell in TRAINED}):
        parser.error(f"no cells {unknown}; there are {', '.join(cell.name for cell in TRAINED)}")
    number, parts = map(int, options.part.split("/"))
    chosen = [CELLS[name] for name in options.names] if options.names else list(TRAINED)
    if options.list:
        print(*(f"{'done' if cell.trained(options.smoke) else '-':5}{cell.name}" for cell in chosen), sep="\n")
        return
    train_all(chosen[number::parts], options.minutes, options.smoke, options.compile)


def train_all(cells: Sequence[Cell], minutes: float = math.inf, smoke: bool = False, fast: bool = False) -> None:
    """Train what is not done, one after the other, as long as there is time."""
    deadline = time.monotonic() + 60 * minutes
    for cell in sorted(cells, key=lambda cell: cell.family == "video"):  # which may need the image model of the grid
        left = (deadline - time.monotonic()) / 60
        if cell.trained(smoke) or left <= 0:
            continue
        train(cell, left, smoke, fast)


def train(cell: Cell, minutes: float = math.inf, smoke: bool = False, fast: bool = False) -> None:
    """Train one cell; it is done when all of its steps are. `fast` compiles the network's blocks first."""
    borrow(cell, smoke)
    config = config_of(cell, minutes, smoke)
    config.compile = fast
    trainer = Trainer(config)
    before = time.monotonic()
    trainer.run()
    if Path(config.out, cell.checkpoint().network).is_dir() and time.monotonic() < trainer.deadline:
        (config.out / DONE).write_text(f"{time.monotonic() - before:.0f} seconds in the last call\n")


def config_of(cell: Cell, minutes: float = math.inf, smoke: bool = False) -> TrainConfig:
    """How a cell is trained."""
    folder = cell.folder(smoke)
    config = TrainConfig(
        stages=["text", STAGES[cell.family]], out=folder, work=folder / "work", latents=LATENTS, seed=cell.seed,
        text=cell.text, data_share=cell.data, clips=STORIES, t2v_scratch=cell.scratch, dit_blocks=cell.blocks,
        dit_steps=DIT_STEPS, t2v_steps=T2V_STEPS, t2i_steps=T2I_STEPS, minutes=minutes,
    )  # fmt: skip
    if smoke:
        config.clips, config.dit_steps, config.t2v_steps, config.t2i_steps = SMOKE_STORIES, 2, 2, 2
        config.dit_batch, config.t2v_batch, config.t2i_batch = 1, 1, 2
    return config


def borrow(cell: Cell, smoke: bool = False) -> None:
    """Put links to what a cell does not train into its folder: the autoencoder, and a video model's image model."""
    folder = cell.folder(smoke)
    folder.mkdir(parents=True, exist_ok=True)
    link(WEIGHTS / "vae", folder / "vae")
    if cell.family == "video":
        image = Cell("image", text=cell.text, shipped=cell.text == "apart")
        link(image.folder(smoke) / image.checkpoint().network, folder / image.checkpoint().network)


def link(source: Path, place: Path) -> None:
    """A link to a folder, which may come later."""
    if not place.is_symlink():
        place.symlink_to(source.resolve(), target_is_directory=True)


if __name__ == "__main__":
    main()
