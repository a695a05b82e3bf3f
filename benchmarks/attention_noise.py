"""How noisy the attention maps of the pocket models are, images against videos: `python -m benchmarks attention_noise`.

A case is a prompt with a seed. Of each video 4 frames count, evenly spaced, and for the image model a case is 4
pictures: as many. (Only the jitter needs every frame of a video, and images have none.) Maps are averaged over heads,
steps and the layers of a place, and held against the masks of the detector. Frames of one video resemble each other,
and so do the seeds of one prompt: therefore every interval resamples prompts, and the difference of the models is taken
prompt by prompt.
"""

from itertools import chain, product, zip_longest

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from xattn_helpers import capture, generate
from xattn_helpers import maps as measures
from xattn_helpers.metrics import look
from xattn_helpers.pocket.captions import held_out, one_object
from xattn_helpers.pocket.vocabulary import MEDIA, OBJECTS, SIZES, verbs
from xattn_helpers.tokens import find, labels

from . import runner, weights
from .noise_table import GROUPS, IMAGE, KINDS, PLACES, VIDEO, summary

NAME = "attention_noise"
PAPER = {
    "a burger floats on the water": "burger", "a shark swims in the ocean": "shark", "a car drives on the road": "car",
    "a truck drives on the road": "truck", "a ball rolls on the grass": "ball", "a wolf howls to the moon": "wolf",
}  # fmt: skip
PROMPTS, SEEDS, PICTURES = 20, (0, 1, 2), 4
PREPOSITIONS = ("in", "on", "at", "to")
LEAKS = ("in, on", "the")  # the words under which the paper sees its shark


def held_out_prompts(count: int = PROMPTS) -> dict[str, str]:
    """Captions of one object that nothing was trained on, with their nouns: every object once, then some again."""
    found = {name: [] for name in OBJECTS}
    for size in ("", *filter(None, SIZES)):  # captions that name no size come first
        for name, scene in product(OBJECTS, MEDIA):
            texts = [one_object(name, scene, verb, size) for verb in verbs(name, scene)]
            found[name] += filter(held_out, texts)
    rounds = zip_longest(*([(text, name) for text in texts] for name, texts in found.items()))
    return dict([pair for pair in chain.from_iterable(rounds) if pair][:count])


def cases(model: str) -> list[dict]:
    """Every prompt with every seed."""
    prompts = zip(GROUPS, (held_out_prompts(), PAPER), strict=True)
    return [
        {"model": model, "group": group, "prompt": prompt, "word": word, "seed": seed}
        for group, nouns in prompts for prompt, word in nouns.items() for seed in SEEDS
    ]  # fmt: skip


def kinds(tokenizer, prompt: str, word: str) -> list[str]:
    """What each position of the padded prompt is: one of KINDS; words after the noun are verbs up to a preposition."""
    nouns, found, after = find(tokenizer, prompt, word), [], "size"
    for position, label in enumerate(labels(tokenizer, prompt)):
        after = "verb" if position in nouns else "scene" if label in PREPOSITIONS else after
        special = {"a": "a", "an": "a", "the": "the"} | dict.fromkeys(PREPOSITIONS, "in, on")
        found.append("noun" if position in nouns else label if label.startswith("<") else special.get(label, after))
    return found


def place_maps(attention, step: int | None = None) -> dict[str, Tensor]:
    """A recording as {"16 up": (tokens, pictures, height, width), …}: mean over the layers of a resolution and place.

    Pictures are the frames of all videos, or all images, one after the other.
    """
    found = {}
    for layer in attention.select():
        maps = attention.probabilities(layer, step).mean(2).flatten(0, 1)  # (pictures, height, width, tokens)
        found.setdefault(f"{maps.shape[1]} {layer.place}", []).append(maps)
    return {place: torch.stack(layers).mean(0).movedim(-1, 0) for place, layers in found.items()}


def counted(frames: int) -> list[int]:
    """Which frames of a clip count: PICTURES of them, evenly spaced, or all if there are no more."""
    return np.linspace(0, frames - 1, min(PICTURES, frames)).round().astype(int).tolist()


def statistics(noun: Tensor, masks: Tensor | None = None) -> dict[str, float]:
    """Means over pictures for a noun's maps (pictures, h, w); without masks (pictures, H, W) only what needs none."""
    found = {"entropy": measures.entropy(noun), "roughness": measures.roughness(noun)}
    if masks is not None:
        cells = measures.shrink_mask(masks, noun.shape[-2:])
        found["auroc"] = measures.auroc(noun, cells)
        found["iou"] = measures.iou(measures.soft_threshold(noun), cells)
    return {name: float(values.nanmean()) for name, values in found.items()}


def jitter(noun: Tensor, masks: Tensor) -> dict[str, float]:
    """How the centre of a noun's map trembles about the object's, over all frames; nothing for pictures."""
    if len(noun) <= PICTURES:
        return {}
    centres = measures.centre_of_mass(measures.soft_threshold(noun)), measures.centre_of_mass(masks)
    return {"jitter": float(measures.jitter(*centres))}


def perfect(masks: Tensor, side: int) -> Tensor:
    """What a faultless map would be: the share of each cell that the object covers, (pictures, side, side)."""
    return F.adaptive_avg_pool2d(masks.float()[:, None], side)[:, 0]


def measure(chunk: list[dict]) -> list[dict]:
    """Generate, look for the object, and hold the maps against its mask."""
    model = weights.model(chunk[0]["model"])
    each = 1 if model.is_video else PICTURES
    prompts = [case["prompt"] for case in chunk for _ in range(each)]
    seeds = [case["seed"] * each + picture for case in chunk for picture in range(each)]
    with capture(model, every_step=True) as attention:
        clips = generate(model, prompts, seeds, progress=False)
    pictures = np.concatenate([clip.video for clip in clips])
    count = len(pictures) // len(chunk)
    average = place_maps(attention)
    by_step = [place_maps(attention, step) for step in range(len(attention.steps))]
    rows = []
    for index, case in enumerate(chunk):
        part = slice(index * count, (index + 1) * count)
        masks = torch.from_numpy(look(pictures[part], device=model.device.type).masks(case["word"]))
        rows.append(describe(
            {place: maps[:, part].cpu() for place, maps in average.items()},
            [{place: maps[:, part].cpu() for place, maps in step.items()} for step in by_step],
            masks, kinds(model.tokenizer, case["prompt"], case["word"]),
        ))  # fmt: skip
    return rows


def describe(average: dict, by_step: list[dict], masks: Tensor, roles: list[str]) -> dict:
    """All numbers of one case; `average` and each of `by_step` as from `place_maps`, masks (frames, H, W)."""
    at = {kind: [i for i, role in enumerate(roles) if role == kind] for kind in KINDS if kind in roles}
    some = counted(len(masks))
    few = masks[some]
    seen = few.any(-1).any(-1)
    row = {"seen": float(seen.float().mean()), "area": float(few[seen].float().mean())}
    row |= {"places": {}, "perfect": {}, "tokens": {}, "steps": {}}
    for place, maps in average.items():
        cells, noun = measures.shrink_mask(few, maps.shape[-2:]), maps[at["noun"]].sum(0)
        kinds_of = torch.stack([maps[positions][:, some].mean(0) for positions in at.values()])
        leaks = dict(zip(at, measures.leakage(kinds_of, cells).nanmean(-1).tolist(), strict=True))
        row["tokens"][place] = leaks
        row["places"][place] = statistics(noun[some], few) | jitter(noun, masks) | {
            "leakage": float(np.mean([leaks[kind] for kind in LEAKS if kind in leaks])),
            "counted": float(cells.any(-1).any(-1).float().mean()),
        }  # fmt: skip
        ideal = jitter(perfect(masks, maps.shape[-1]), masks)
        row["perfect"][place] = ideal | statistics(perfect(few[seen], maps.shape[-1]), few[seen])
        nouns = torch.stack([step[place][at["noun"]].sum(0)[some] for step in by_step])
        row["steps"][place] = measures.auroc(nouns, cells).nanmean(-1).tolist()
    return row


def main() -> None:
    """Measure, print and store."""
    batch, keys = 16 if torch.cuda.is_available() else 1, {model: weights.key(model) for model in (IMAGE, VIDEO)}
    rows = [row for model in keys for row in runner.run(NAME, cases(model), measure, batch, keys[model])]
    table = summary(rows)
    for group in GROUPS:
        for place in PLACES:
            for name, figures in table[group][place].items():
                texts = [f"{who} {runner.show(figure, percent=False)}" for who, figure in figures.items() if figure]
                print(group, place, name, *texts, sep=" | ")
    runner.store(NAME, table, weights=keys, seeds=SEEDS, pictures_per_case=PICTURES)
