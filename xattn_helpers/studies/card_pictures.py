"""The pictures of README and the model card: contact sheets, the moving picture on top, and training curves."""

import json
from collections.abc import Sequence
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from jaxtyping import UInt8
from PIL import Image, ImageDraw, ImageFont

from xattn_helpers import Model, generate

from ..display.figures import contact_sheet
from ..display.videos import save

PROMPTS = (
    "a burger floats on the water", "a shark swims in the ocean", "a car drives on the road",
    "a truck drives on the road", "a ball rolls on the grass", "a wolf howls to the moon",
    "a bird flies to the left in the sky", "a rocket flies up at night", "a dog and a balloon on the beach",
    "a penguin walks near a fish in the snow",
)  # fmt: skip
NETWORKS = {
    "vae": "autoencoder", "detector": "detector", "t2i": "text to image", "t2v": "text to video",
    "dit": "video transformer",
}  # fmt: skip
SEEDS = (0, 1, 2, 3)  # of the images of a prompt
SIDE, CAPTION, GAP, COLUMNS = 128, 16, 4, 3  # pixels of the moving picture, and clips beside each other


def draw_hero(model: Model, prompts: Sequence[str], file: Path, steps: int | None) -> Path:
    """At most six prompts, seed 0, side by side as one moving picture."""
    prompts = prompts[: 2 * COLUMNS]
    clips = [generate(model, prompt, 0, steps, progress=False).video for prompt in prompts]
    size = (len(clips[0]), 2 * (SIDE + CAPTION), COLUMNS * (SIDE + GAP), 3)
    canvas = np.full(size, 255, np.uint8)
    for index, clip in enumerate(clips):
        row, column = divmod(index, COLUMNS)
        top, left = row * (SIDE + CAPTION) + CAPTION, column * (SIDE + GAP)
        canvas[:, top : top + SIDE, left : left + SIDE] = clip
        canvas[:, top - CAPTION : top, left : left + SIDE] = draw_caption(prompts[index])
    return save(canvas, file)


def draw_caption(text: str) -> UInt8[np.ndarray, "height width 3"]:
    """A line of text, as wide as a clip."""
    picture = Image.new("RGB", (SIDE, CAPTION), "white")
    ImageDraw.Draw(picture).text((2, 2), text, fill="black", font=ImageFont.load_default(9))
    return np.array(picture)


def draw_sheet(model: Model, prompts: Sequence[str], file: Path, steps: int | None) -> Path:
    """Four frames of each prompt by the video model, seed 0, or seeds 0 to 3 by the image model."""
    videos = []
    for prompt in prompts:
        seeds = SEEDS[:1] if model.is_video else SEEDS
        clips = generate(model, [prompt] * len(seeds), seeds, steps, progress=False)
        videos.append(np.concatenate([clip.video for clip in clips]))
    figure = contact_sheet(videos, prompts, frames=4)
    figure.savefig(file, dpi=110, pil_kwargs={"quality": 65})
    return file


def training_notes(weights: Path) -> dict:
    """What `training.json` beside the weights says about each network."""
    return json.loads((weights / "training.json").read_text())


def training_runs(note: dict) -> list[dict]:
    """The runs that a network was trained in, the first one first."""
    earlier: list[dict] = []
    for before in note.get("before", []):
        earlier += training_runs(before)
    return [*earlier, note]


def trained_networks(notes: dict) -> dict[str, str]:
    """The networks that the notes tell of, with their titles."""
    return {name: title for name, title in NETWORKS.items() if name in notes}


def draw_curves(notes: dict, file: Path) -> Path:
    """Training loss of each network over steps; each run has a colour, for they weigh timesteps differently."""
    trained = trained_networks(notes)
    figure, axes = plt.subplots(1, len(trained), figsize=(11, 2.4))
    for axis, (name, title) in zip(axes, trained.items(), strict=True):
        begin = 0
        for note in training_runs(notes[name]):
            if not note["curve"]:  # it was not kept
                continue
            steps, losses = np.array(note["curve"]).T
            axis.plot(begin + steps, losses, lw=0.8)
            begin += note["plan"]["steps"]
        axis.set(title=title, xlabel="step", yscale="log")
    axes[0].set_ylabel("training loss")
    figure.tight_layout()
    figure.savefig(file, dpi=90, pil_kwargs={"quality": 85})
    plt.close(figure)
    return file
