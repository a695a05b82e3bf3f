"""How good the pocket models are, on captions and seeds that they were not trained with.

`python -m benchmarks pocket_quality` measures the detector on new frames of the world, then both diffusion models with
the detector, and how well a noun's attention map finds the object. The result goes into the model card.
"""

import random

import numpy as np
import torch

from xattn_helpers import generate
from xattn_helpers.maps import auroc, shrink_mask
from xattn_helpers.metrics import LEAST_AREA, boxes_of, centres, look
from xattn_helpers.models import load_detector
from xattn_helpers.pocket import clips
from xattn_helpers.pocket.captions import held_out
from xattn_helpers.pocket.losses import class_map, through
from xattn_helpers.pocket.vocabulary import OBJECTS
from xattn_helpers.pocket.world import World, sample_batch
from xattn_helpers.recording import capture

from . import runner, weights

NEW_SEED = 9_000_000  # far from the seeds of the training clips
CASES = {"one": 200, "motion": 200, "two": 200}  # prompts of each kind, each with a seed of its own
DETECTOR_CLIPS = 600
SEEN = 0.5  # share of the frames in which an object must be seen to count as present
MOVED = 0.10  # of the frame: least movement of a centre that counts as a direction
GREW = 1.15  # least ratio of the last and first size that counts as coming closer
STOOD = 0.06  # of the frame: most movement of something that stays still


def cases(model: str, most: int | None = None) -> list[dict]:
    """Held-out captions of three kinds: one object, one object with a motion, two objects; the first `most` of each."""
    rng, found = random.Random(NEW_SEED), {kind: [] for kind in CASES}
    while any(len(found[kind]) < count for kind, count in CASES.items()):
        clip = clips.sample(rng)
        text = clip.caption
        kind = "two" if len(clip.actors) == 2 else "motion" if clip.says_motion else "one"
        if held_out(text) and len(found[kind]) < CASES[kind]:
            seed = NEW_SEED + len(found[kind])
            objects = [actor.name for actor in clip.actors]
            motion = clip.motion if kind == "motion" else ""
            found[kind].append({"model": model, "kind": kind, "prompt": text, "seed": seed, "objects": objects,
                                "scene": clip.scene, "motion": motion})  # fmt: skip
    if model == "pocket-t2i":
        del found["motion"]  # a picture has none
    return [case for kind in found for case in found[kind][:most]]


def measure(chunk: list[dict]) -> list[dict]:
    """Generate and look: presence, number, scene, motion and the quality of the attention maps."""
    model = weights.model(chunk[0]["model"])
    with capture(model) as attention:
        made = generate(model, [case["prompt"] for case in chunk], [case["seed"] for case in chunk], progress=False)
    rows = []
    for index, (case, clip) in enumerate(zip(chunk, made, strict=True)):
        seen = look(clip.video, device=model.device.type)
        masks = {name: seen.masks(name) for name in case["objects"]}
        single = seen.counts(case["objects"][0]) == 1
        rows.append({
            "present": [float(masks[name].any((1, 2)).mean()) for name in case["objects"]],
            "single": float(single.mean()),
            "scene_seen": seen.scene(),
            "obeyed": obeyed(boxes_of(masks[case["objects"][0]]), case["motion"]),
            "auroc": {str(side): finds(attention, case["objects"][0], masks, side, index) for side in (16, 8, 4)},
        })  # fmt: skip
    return rows


def obeyed(boxes: np.ndarray, motion: str) -> bool | None:
    """Whether boxes (frames, 4) move as the phrase says; None where nothing was asked, False where nothing is seen."""
    if not motion:
        return None
    seen = boxes[~np.isnan(boxes[:, 0])]
    if len(seen) < 2:
        return False
    x, y = centres(seen)[-1] - centres(seen)[0]
    sides = np.maximum(seen[:, 2] - seen[:, 0], seen[:, 3] - seen[:, 1])
    growth = sides[-1] / sides[0]
    return bool({
        "to the left": x < -MOVED and abs(x) > abs(y), "to the right": x > MOVED and abs(x) > abs(y),
        "up": y < -MOVED and abs(y) > abs(x), "down": y > MOVED and abs(y) > abs(x),
        "closer": growth > GREW, "away": growth < 1 / GREW,
        "stays still": np.hypot(x, y) < STOOD and 1 / GREW < growth < GREW,
    }[motion])  # fmt: skip


def finds(attention, word: str, masks: dict, side: int, index: int) -> float:
    """Area under the ROC curve of a noun's map at one resolution against its mask, mean over frames."""
    maps = attention.maps(word, resolution=side, batch=index).cpu()
    scores = auroc(maps, shrink_mask(torch.from_numpy(masks[word]), (side, side)))
    return float(scores.nanmean())


def detector() -> dict:
    """The measuring instrument itself, on new frames, as drawn and after the autoencoder."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    world, network, vae = World(device), load_detector(device), weights.model("pocket-t2i").vae
    rows = {"drawn": [], "decoded": []}
    for start in range(0, DETECTOR_CLIPS, 40):
        batch, _ = sample_batch(40, NEW_SEED + start)
        frames = batch.frames(torch.randint(16, (40, 1), generator=torch.Generator().manual_seed(start)))
        video, masks = world.draw(frames)
        truth, pixels = class_map(masks[:, :, 0], frames.objects.to(device)), video[:, 0]
        for kind, picture in (("drawn", pixels), ("decoded", through(vae, pixels))):
            by_pixel, by_frame = network(picture)
            rows[kind] += compare(by_pixel.argmax(1), truth, by_frame.argmax(1), frames.scene.to(device))
    keys = {"iou": runner.mean, "class_right": runner.rate, "scene_right": runner.rate}
    return {
        kind: {key: figure([value for row in found for value in row[key]]) for key, figure in keys.items()}
        for kind, found in rows.items()
    }


def compare(labels: torch.Tensor, truth: torch.Tensor, scenes: torch.Tensor, true_scenes: torch.Tensor) -> list[dict]:
    """Per frame: IoU and class of each visible object, and whether the scene is right."""
    rows = []
    for found, true, scene, true_scene in zip(labels, truth, scenes, true_scenes, strict=True):
        row = {"iou": [], "class_right": [], "scene_right": [bool(scene == true_scene)]}
        for value in true.unique():
            mask = true == value
            if value == 0 or mask.float().mean() < LEAST_AREA:
                continue
            row["iou"].append(float((mask & (found == value)).sum() / (mask | (found == value)).sum()))
            inside = found[mask]
            row["class_right"].append(bool(inside[inside > 0].mode().values == value) if (inside > 0).any() else False)
        rows.append(row)
    return rows


def summary(rows: list[dict]) -> dict:
    """The table of one model."""
    one = [row for row in rows if row["kind"] != "two"]
    two = [row for row in rows if row["kind"] == "two"]
    table = {
        "object present, one object": runner.rate([row["present"][0] > SEEN for row in one]),
        "both objects present": runner.rate([min(row["present"]) > SEEN for row in two]),
        "exactly one instance": runner.rate([row["single"] > SEEN for row in one]),
        "exactly one instance in 15 of 16 frames": runner.rate([row["single"] > 0.93 for row in one]),
        "right scene": runner.rate([row["scene_seen"] == row["scene"] for row in rows]),
    }
    moving = [row for row in rows if row["motion"]]
    if moving:
        table["motion obeyed"] = runner.rate([row["obeyed"] for row in moving])
        for motion in sorted({row["motion"] for row in moving}):
            told = [row["obeyed"] for row in moving if row["motion"] == motion]
            table[f"motion obeyed: {motion}"] = runner.rate(told)
    for side in ("16", "8", "4"):
        table[f"AUROC of the noun's map, {side} x {side}"] = runner.mean([row["auroc"][side] for row in rows])
    for name in OBJECTS:
        seen = [min(row["present"]) > SEEN for row in rows if name in row["objects"]]
        table[f"prompts with '{name}' complete"] = runner.rate(seen) if seen else None
    return table


def main(most: int | None = None) -> None:
    """Measure, print and store; `most` limits the videos of each kind, which are slow without a GPU."""
    batch, keys = 64 if torch.cuda.is_available() else 2, {name: weights.key(name) for name in ("pocket", "pocket-t2i")}
    table = {"detector": detector()}
    for model, limit in (("pocket", most), ("pocket-t2i", None)):
        table[model] = summary(runner.run("pocket_quality", cases(model, limit), measure, batch, keys[model]))
    for part, figures in table.items():
        for name, figure in figures.items():
            print(part, name, figure if part == "detector" else figure and runner.show(figure), sep=" | ")
    runner.store("pocket_quality", table, most, weights=keys, seeds=f"from {NEW_SEED}")
