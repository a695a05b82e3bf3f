"""A longer school of motion for the video U-Net: `python -m xattn_helpers.pocket.training.school longer --minutes 7`.

`positions` in place of `longer` also adds positions to its input. Both go on from the weights that are there, with more
captions that name a motion. The shipped weights are those that `longer` made of the ones of commit 11c5fb1, so that
`git checkout 11c5fb1 -- xattn_helpers/pocket/weights/unet` comes first for whoever repeats it.
"""

import argparse
import time

from diffusers import UNet3DConditionModel

from .. import WEIGHTS
from .config import TrainConfig
from .fit import Plan
from .positions import FOLDER, KINDS, Positioned, folder_of, widened
from .stages import Stage, video_loss
from .stored import link
from .trainer import Trainer

RATE, HOLD, FLOOR = 4e-4, 0.3, 0.02
MOTION_SHARE = 0.7  # of a batch, from captions that name a motion
NOISY = 0.7, 0.75  # share of the timesteps that is drawn from the noisiest, and where these begin
BATCH = 96
STORIES = 32768


def train(trainer: Trainer) -> None:
    """The video U-Net, trained on; with positions where the folder is of that name."""
    has_positions = trainer.config.out.name == "positions"
    inner = video_loss(trainer, MOTION_SHARE, NOISY)
    network = UNet3DConditionModel.from_pretrained(WEIGHTS / "unet", torch_dtype=None).float()
    network = widened(network) if has_positions else network
    loss = (lambda network, count: inner(Positioned(network), count)) if has_positions else inner
    plan = Plan(trainer.config.t2v_steps, trainer.config.t2v_batch, learning_rate=RATE, hold=HOLD, floor=FLOOR)
    trainer.save(trainer.fit("t2v", network, loss, plan, folder="unet"), "unet")


def main(arguments: list[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m xattn_helpers.pocket.training.school", description=__doc__)
    parser.add_argument("kind", choices=KINDS)
    parser.add_argument("--minutes", type=float, required=True, help="how long")
    parser.add_argument("--compile", action="store_true", help="compile the blocks first (CUDA)")
    parser.add_argument("--smoke", action="store_true", help="two steps, to see that it runs")
    options = parser.parse_args(arguments)
    out = folder_of(options.kind, options.smoke)
    out.mkdir(parents=True, exist_ok=True)
    for name in ("vae", "tokenizer", "text_encoder"):
        link(WEIGHTS / name, out / name)
    config = TrainConfig(
        stages=["t2v"], out=out, work=out / "work", latents=FOLDER / "latents", clips=STORIES, t2v_batch=BATCH,
        minutes=options.minutes, compile=options.compile,
    )  # fmt: skip
    config.t2v_steps = 0  # as many as there is time for
    if options.smoke:
        config.clips, config.t2v_batch, config.t2v_steps = 4, 1, 2
    start = time.monotonic()
    Trainer(config, [Stage("t2v", train, makes=("unet",))]).run()
    print(f"{options.kind}: {(time.monotonic() - start) / 60:.1f} minutes")


if __name__ == "__main__":
    main()
