"""Train the variants of the grid: `python -m xattn_helpers.studies.noise_grid.train [VARIANT ...]`, without names all.

A variant that is done is skipped, and one that was stopped goes on. Two GPUs take one half each:
`CUDA_VISIBLE_DEVICES=0 … train --part 0/2 & CUDA_VISIBLE_DEVICES=1 … train --part 1/2`.
"""

import argparse
import math
import time
from collections.abc import Sequence
from pathlib import Path

from ...pocket import WEIGHTS
from ...pocket.training.config import TrainConfig
from ...pocket.training.stored import link
from ...pocket.training.trainer import Trainer
from .variants import DONE, FOLDER, TRAINED, VARIANTS, Variant

DIT_STEPS, T2V_STEPS, T2I_STEPS = 2000, 600, 1500
DIT_BATCH, T2V_BATCH, T2I_BATCH = 64, 48, 256  # half of what the shipped models are trained with
STORIES = 16384  # stories of the training set; a tenth of them is less than a video for each caption
SMOKE_STORIES = 16
STAGES = {"transformer": "dit", "video": "t2v", "image": "t2i"}
LATENTS = FOLDER / "latents"  # of the stories, which all variants share: the autoencoder is the same


def main(arguments: list[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m xattn_helpers.studies.noise_grid.train", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="VARIANT", help="see --list")
    parser.add_argument("--list", action="store_true", help="list the variants, and which are done")
    parser.add_argument("--part", default="0/1", help="which part of how many: 0/2 trains every second variant")
    parser.add_argument("--minutes", type=float, default=math.inf, help="stop after this time; the next call goes on")
    parser.add_argument("--compile", action="store_true", help="compile the blocks first (CUDA)")
    parser.add_argument("--smoke", action="store_true", help="two steps of each variant, to see that it runs")
    options = parser.parse_args(arguments)
    if unknown := sorted(set(options.names) - {variant.name for variant in TRAINED}):
        parser.error(f"no variants {unknown}; there are {', '.join(variant.name for variant in TRAINED)}")
    number, parts = map(int, options.part.split("/"))
    chosen = [VARIANTS[name] for name in options.names] if options.names else list(TRAINED)
    if options.list:
        print(*(f"{'done' if variant.trained(options.smoke) else '-':5}{variant.name}" for variant in chosen), sep="\n")
        return
    if number:
        wait_for_latents()
    train_all(chosen[number::parts], options.minutes, options.smoke, options.compile)


def wait_for_latents() -> None:
    """Let the first part draw the stories: two that write one file would break it."""
    while not list(LATENTS.glob("latents-*.pt")):
        time.sleep(2)


def train_all(variants: Sequence[Variant], minutes: float = math.inf, smoke: bool = False, fast: bool = False) -> None:
    """Train what is not done, one after the other, as long as there is time."""
    deadline = time.monotonic() + 60 * minutes
    for variant in sorted(variants, key=lambda variant: variant.family == "video"):  # that may need an image model
        left = (deadline - time.monotonic()) / 60
        if variant.trained(smoke) or left <= 0:
            continue
        try:
            train(variant, left, smoke, fast)
        except FileNotFoundError as error:  # the image model that it begins from
            print(f"{variant.name}: {error}; the same command trains it later")


def train(variant: Variant, minutes: float = math.inf, smoke: bool = False, fast: bool = False) -> None:
    """Train one variant; it is done when all of its steps are. `fast` compiles the network's blocks first."""
    borrow(variant, smoke)
    config = config_of(variant, minutes, smoke)
    config.compile = fast
    trainer = Trainer(config)
    before = time.monotonic()
    trainer.run()
    if Path(config.out, variant.checkpoint().network).is_dir() and time.monotonic() < trainer.deadline:
        (config.out / DONE).write_text(f"{time.monotonic() - before:.0f} seconds in the last call\n")


def config_of(variant: Variant, minutes: float = math.inf, smoke: bool = False) -> TrainConfig:
    """How a variant is trained."""
    folder = variant.folder(smoke)
    config = TrainConfig(
        stages=["text", STAGES[variant.family]], out=folder, work=folder / "work", latents=LATENTS, seed=variant.seed,
        text=variant.text, data_share=variant.data, clips=STORIES, t2v_scratch=variant.scratch, minutes=minutes,
        dit_blocks=variant.blocks, dit_steps=DIT_STEPS, t2v_steps=T2V_STEPS, t2i_steps=T2I_STEPS,
        dit_batch=DIT_BATCH, t2v_batch=T2V_BATCH, t2i_batch=T2I_BATCH,
    )  # fmt: skip
    if smoke:
        config.clips, config.dit_steps, config.t2v_steps, config.t2i_steps = SMOKE_STORIES, 2, 2, 2
        config.dit_batch, config.t2v_batch, config.t2i_batch = 1, 1, 2
    return config


def borrow(variant: Variant, smoke: bool = False) -> None:
    """Put links to what a variant does not train into its folder: the autoencoder, and a video model's image model."""
    folder = variant.folder(smoke)
    folder.mkdir(parents=True, exist_ok=True)
    link(WEIGHTS / "vae", folder / "vae")
    if variant.family == "video":
        image = Variant("image", text=variant.text, shipped=variant.text == "apart")
        link(image.folder(smoke) / image.checkpoint().network, folder / image.checkpoint().network)


if __name__ == "__main__":
    main()
