"""Write the pocket models' card and README's pictures and table: `python -m benchmarks model_card`.

Tables come from `benchmarks/results/`, training curves from `pocket/weights/training.json`, and the contact sheets are
generated here, ten prompts with the first seed, not the best.
"""

import json
import re
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from xattn_helpers import generate, load
from xattn_helpers.display import contact_sheet, save
from xattn_helpers.models import POCKET

from . import full_size, guidance_cost, resize, runner
from .guidance_table import landmarks

CARD = POCKET.parent / "MODEL_CARD.md"
TEMPLATE = Path(__file__).with_name("model_card.template.md")
README = Path(__file__).parents[1] / "README.md"
PICTURES = README.parent / "docs"
PROMPTS = (
    "a burger floats on the water", "a shark swims in the ocean", "a car drives on the road",
    "a truck drives on the road", "a ball rolls on the grass", "a wolf howls to the moon",
    "a bird flies to the left in the sky", "a rocket flies up at night", "a dog and a balloon on the beach",
    "a penguin walks near a fish in the snow",
)  # fmt: skip
ASKED = {  # least value that the models were trained for
    "object present, one object": 0.95,
    "both objects present": 0.80,
    "exactly one instance": 0.90,
    "right scene": 0.95,
    "motion obeyed": 0.80,
}
NETWORKS = {"vae": "autoencoder", "detector": "detector", "t2i": "text to image", "t2v": "text to video"}


def main() -> None:
    """Draw the pictures, fill in the template, write the card."""
    PICTURES.mkdir(exist_ok=True)
    for model in ("pocket-t2i", "pocket"):
        draw_sheet(model)
    notes = json.loads((POCKET / "training.json").read_text())
    draw_curves(notes)
    text = TEMPLATE.read_text()
    for name, table in {
        "detector": detector_table(), "quality": quality_table(), "motions": motions_table(), "auroc": auroc_table(),
        "training": training_table(notes), "speed": speed_table(), "objects": objects_table(), "source": source(),
    }.items():  # fmt: skip
        text = text.replace(f"<!-- {name} -->", table)
    CARD.write_text(text)
    draw_hero()
    fill_readme({
        "quality": f"{quality_table()}\n\n{source()}",
        "guidance": f"{landmarks()}\n\n{source('guidance')} What it costs: {guidance_cost.stored()}",
        "resize": f"{resize.stored()}\n\n{source('resize')} What equal steps cost: {guidance_cost.stored('always')}",
        "full size": f"{full_size.stored()}\n\n{source('full_size')}",
    })  # fmt: skip
    print(f"wrote {CARD}, {PICTURES} and the tables in {README}")


def fill_readme(tables: dict[str, str]) -> None:
    """Put each table between its two comments."""
    text = README.read_text()
    for name, table in tables.items():
        begin, end = f"<!-- {name} -->", f"<!-- /{name} -->"
        text = re.sub(f"{begin}.*{end}", lambda _, new=f"{begin}\n{table}\n{end}": new, text, flags=re.DOTALL)
    README.write_text(text)


def draw_hero() -> None:
    """The paper's six prompts, seed 0, side by side as one moving picture."""
    model, side, caption = load("pocket"), 128, 16
    clips = [generate(model, prompt, seed=0).video for prompt in PROMPTS[:6]]
    canvas = np.full((len(clips[0]), 2 * (side + caption), 3 * (side + 4), 3), 255, np.uint8)
    for index, clip in enumerate(clips):
        top, left = index // 3 * (side + caption) + caption, index % 3 * (side + 4)
        canvas[:, top : top + side, left : left + side] = clip
        words = Image.new("RGB", (side, caption), "white")
        ImageDraw.Draw(words).text((2, 2), PROMPTS[index], fill="black", font=ImageFont.load_default(9))
        canvas[:, top - caption : top, left : left + side] = np.array(words)
    save(canvas, PICTURES / "hero.webp")


def draw_sheet(name: str) -> None:
    """Ten prompts, seed 0: four frames each of the video model, seeds 0 to 3 of the image model."""
    model = load(name)
    if model.is_video:
        videos = [generate(model, prompt, seed=0).video for prompt in PROMPTS]
    else:
        many = [generate(model, [prompt] * 4, seed=[0, 1, 2, 3], progress=False) for prompt in PROMPTS]
        videos = [np.concatenate([clip.video for clip in clips]) for clips in many]
    figure = contact_sheet(videos, list(PROMPTS), frames=4)
    figure.savefig(PICTURES / f"{name}.webp", dpi=110, pil_kwargs={"quality": 85})


def runs(note: dict) -> list[dict]:
    """The runs that a network was trained in, the first one first."""
    return [*(run for before in note.get("before", []) for run in runs(before)), note]


def draw_curves(notes: dict) -> None:
    """Training loss of the four networks over steps."""
    figure, axes = plt.subplots(1, len(NETWORKS), figsize=(11, 2.4))
    for axis, (key, title) in zip(axes, NETWORKS.items(), strict=True):
        begin = 0
        for note in runs(notes[key]):  # one colour each: their losses weigh timesteps differently
            steps, losses = zip(*note["curve"], strict=True)
            axis.plot([begin + step for step in steps], losses, lw=0.8)
            begin += note["plan"]["steps"]
        axis.set(title=title, xlabel="step", yscale="log")
    axes[0].set_ylabel("training loss")
    figure.tight_layout()
    figure.savefig(PICTURES / "pocket-training.png", dpi=90)


def detector_table() -> str:
    """IoU, class and scene of the measuring instrument."""
    table = runner.load_table("pocket_quality")["detector"]
    names = {"iou": "mean IoU of a mask", "class_right": "object named rightly", "scene_right": "scene named rightly"}
    rows = [[text, *(runner.show(table[kind][key]) for kind in ("drawn", "decoded"))] for key, text in names.items()]
    return runner.markdown(["new frames of the world", "as drawn", "after the autoencoder"], rows)


def quality_table() -> str:
    """What was asked of the models and what they reach."""
    table = runner.load_table("pocket_quality")
    keys = [key for key in table["pocket"] if key in ASKED or key.startswith("exactly one instance in")]
    rows = [[key, f"≥ {ASKED[key]:.0%}" if key in ASKED else "", *_cells(table, key)] for key in keys]
    return runner.markdown(["held-out prompts", "asked", "video", "image"], rows)


def motions_table() -> str:
    """Each motion phrase by itself."""
    table, start = runner.load_table("pocket_quality")["pocket"], "motion obeyed: "
    rows = [[key.removeprefix(start), _cell(table, key)] for key in table if key.startswith(start)]
    return runner.markdown(["motion phrase", "obeyed"], rows)


def auroc_table() -> str:
    """How well a noun's map finds the object."""
    table = runner.load_table("pocket_quality")
    keys = [key for key in table["pocket"] if key.startswith("AUROC")]
    rows = [[key, *(runner.show(table[m][key], percent=False) for m in ("pocket", "pocket-t2i"))] for key in keys]
    return runner.markdown(["", "video", "image"], rows)


def objects_table() -> str:
    """Which objects the models are good and bad at."""
    table, start = runner.load_table("pocket_quality"), "prompts with '"
    keys = [key for key in table["pocket"] if key.startswith(start)]
    rows = [[key.split("'")[1], *_cells(table, key)] for key in keys]
    return runner.markdown(["object", "video", "image"], rows)


def training_table(notes: dict) -> str:
    """Data and compute."""
    rows = []
    for key, title in NETWORKS.items():
        for count, note in enumerate(runs(notes[key])):
            plan, device = note["plan"], f"{note['processes']} × {note['device']}"
            rows.append([
                f"{title}, continued" if count else title, f"{note['parameters'] / 1e6:.2f} M", f"{plan['steps']:,}",
                f"{plan['batch'] * note['processes']}", f"{plan['learning_rate']:g}", f"{note['seconds'] / 60:.1f}",
                device, note["date"],
            ])  # fmt: skip
    header = ["network", "parameters", "steps", "batch", "learning rate", "minutes", "device", "date"]
    return runner.markdown(header, rows)


def speed_table() -> str:
    """Time and memory of one clip on two CPU threads."""
    names = {"pocket": "a video of 16 frames", "pocket-t2i": "an image"}
    table = runner.load_table("pocket_speed")
    rows = [
        [text, "{steps} | {median:.1f} ({min:.1f} to {max:.1f}) | {gib:.2f}".format(**table[model])]
        for model, text in names.items()
    ]
    seconds = f"seconds, median (range of {table['pocket']['n']})"
    return runner.markdown(["two CPU threads", "steps", seconds, "peak memory, GiB"], rows)


def source(name: str = "pocket_quality") -> str:
    """Where the figures of a stored table come from."""
    about = json.loads((runner.RESULTS / f"{name}.json").read_text())["provenance"]
    versions = ", ".join(f"{package} {version}" for package, version in about["versions"].items())
    weights = about.get("weights", {})  # the network of `full_size` is random
    keys = "weights: " + ", ".join(f"{model} `{key}`" for model, key in weights.items()) if weights else about["device"]
    return f"Measured on {about['date']} with `{about['command']}` ({versions}; {keys})."


def _cells(table: dict, key: str) -> list[str]:
    return [_cell(table[model], key) for model in ("pocket", "pocket-t2i")]


def _cell(table: dict, key: str) -> str:
    return runner.show(table[key]) if table.get(key) else "–"


