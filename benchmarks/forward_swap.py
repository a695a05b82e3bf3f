"""What swapping attention maps does to an object, and to a scene: `python -m benchmarks forward_swap`.

*Swap*: a source and a target prompt that differ in the object alone; the target's noun is given the maps of the
source's. Of each pair three clips from the same noise are compared: the source, the target's own (nothing edited) and
the swapped one. *Replace*: the same, but all words are given the maps of the source. *Words*: so too, for prompts that
differ in one, two or three words. A case of the video model is one clip, of the image model 4 pictures. Frames of a
clip and seeds of a pair resemble each other: therefore every interval resamples pairs.
"""

from itertools import groupby

import numpy as np
import torch

from xattn_helpers import capture, generate
from xattn_helpers.forward import Replace, Swap
from xattn_helpers.pocket.captions import one_object

from . import runner, weights
from .attention_noise import PICTURES, kinds, place_maps
from .swap_table import IMAGE, PLACES, VIDEO, show, summary
from .swap_views import View, compare, spending

NAME = "forward_swap"
# Each object gives its maps to the next of its row, the last to the first: every clip without a swap serves two pairs.
ROWS = {
    ("drives", "on the road"): ("truck", "car", "bus"),  # the paper's pair is the first
    ("walks", "at night"): ("wolf", "cat", "turtle", "penguin"),
    ("flies", "in the sky"): ("rocket", "bee", "kite", "pizza", "balloon"),
    ("swims", "on the water"): ("shark", "fish", "duck", "turtle"),
    ("floats", "on the water"): ("boat", "apple", "burger", "ball"),
}
# Source, target, verb, scene, other scene: first the object differs, then also the scene, then also the size.
WORDS = (
    ("truck", "car", "drives", "on the road", "on the grass"),
    ("wolf", "cat", "walks", "in the snow", "in the forest"),
    ("apple", "burger", "rolls", "on the beach", "on the road"),
    ("kite", "bee", "flies", "on the grass", "on the beach"),
    ("penguin", "wolf", "walks", "in the forest", "in the desert"),
    ("bus", "truck", "drives", "in the desert", "in the snow"),
    ("duck", "turtle", "walks", "in the snow", "in the desert"),
    ("turtle", "dog", "walks", "on the grass", "on the beach"),
    ("cat", "wolf", "runs", "on the beach", "on the grass"),
    ("dog", "cat", "walks", "in the desert", "in the forest"),
    ("car", "bus", "drives", "in the snow", "in the forest"),
    ("burger", "apple", "rolls", "in the snow", "in the desert"),
    ("ball", "burger", "rolls", "on the grass", "on the road"),
    ("duck", "penguin", "walks", "on the beach", "on the road"),
    ("bee", "bird", "flies", "in the forest", "in the snow"),
    ("bird", "kite", "flies", "on the road", "on the beach"),
    ("wolf", "dog", "runs", "on the grass", "on the road"),
    ("truck", "bus", "drives", "on the beach", "on the grass"),
    ("apple", "ball", "rolls", "in the desert", "in the forest"),
    ("penguin", "turtle", "walks", "in the forest", "in the snow"),
)
SEEDS = (0, 1, 2)  # replacing alone, which is there for comparison, has the first only


def swaps(model: str, seeds: tuple[int, ...] = SEEDS, kind: str = "swap") -> list[dict]:
    """Every pair with every seed, for 'swap' or 'replace'.

    The last pair of a row comes first, because its target's own clip is the source of the next.
    """
    found = []
    for (verb, scene), names in ROWS.items():
        prompts = {name: one_object(name, scene, verb) for name in names}
        pairs = list(zip(names, (*names[1:], names[0]), strict=True))
        found += [
            {"kind": kind, "model": model, "source_word": one, "word": other, "source": prompts[one],
             "prompt": prompts[other], "seed": seed}
            for one, other in reversed(pairs) for seed in seeds
        ]  # fmt: skip
    return found


def words(model: str, seeds: tuple[int, ...] = SEEDS, most: int | None = None) -> list[dict]:
    """The first `most` pairs of `WORDS` with one, two and three differing words, with every seed."""
    found = []
    for one, other, verb, scene, elsewhere in WORDS[:most]:
        about = {"kind": "words", "model": model, "source_word": one, "word": other, "source_scene": scene}
        about["source"] = one_object(one, scene, verb, "big")
        targets = (scene, "big"), (elsewhere, "big"), (elsewhere, "small")
        for differ, (where, size) in enumerate(targets, start=1):
            target = {"differ": differ, "scene": where, "prompt": one_object(other, where, verb, size)}
            found += [about | target | {"seed": seed} for seed in seeds]
    return found


_OWN: dict[tuple, View] = {}  # clips that nothing edits, by model, prompt and seed


def own_views(model, cases: list[dict]) -> list[View]:
    """The targets' own clips; those that were a source before are not made again."""
    keys = [(case["model"], case["prompt"], case["seed"]) for case in cases]
    missing = [case for case, key in zip(cases, keys, strict=True) if key not in _OWN]
    if missing:
        made = pictures_of(model, missing)[0]
        for case, each in zip(missing, made, strict=True):
            _OWN[case["model"], case["prompt"], case["seed"]] = View(each, case["word"], model.device.type)
    return [_OWN[key] for key in keys]


def pictures_of(model, cases: list[dict], control=None) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """The pictures of each case, (pictures, height, width, 3), and with a control those of its source."""
    each = 1 if model.is_video else PICTURES
    prompts = [case["prompt"] for case in cases for _ in range(each)]
    seeds = [case["seed"] * each + picture for case in cases for picture in range(each)]
    clips = generate(model, prompts, seeds, control=control, progress=False)

    def grouped(videos):
        return [np.concatenate(videos[start : start + each]) for start in range(0, len(videos), each)]

    sources = [clip.source.video for clip in clips] if control else []
    return grouped([clip.video for clip in clips]), grouped(sources)


def measure(chunk: list[dict]) -> list[dict]:
    """Generate and look; cases that share both prompts are one batch."""
    rows = []
    for (kind, *_), group in groupby(chunk, key=lambda case: (case["kind"], case["source"], case["prompt"])):
        rows += (measure_words if kind == "words" else measure_swap)(list(group))
    return rows


def measure_swap(cases: list[dict]) -> list[dict]:
    """One pair, some seeds: source, own and swapped clip beside each other, and where the source's attention goes."""
    model, first = weights.model(cases[0]["model"]), cases[0]
    noun = first["source_word"], first["word"]
    control = Swap(*noun, source=first["source"]) if first["kind"] == "swap" else Replace(first["source"])
    with capture(model) as attention:
        swapped, sources = pictures_of(model, cases, control)
    maps = {place: each.chunk(2, 1)[1].cpu() for place, each in place_maps(attention).items()}  # the sources' half
    roles = kinds(model.tokenizer, first["source"], first["source_word"])
    rows = []
    for index, (case, after, before) in enumerate(zip(cases, swapped, sources, strict=True)):
        part = slice(index * len(before), (index + 1) * len(before))
        source = View(before, case["source_word"], model.device.type)
        _OWN[case["model"], case["source"], case["seed"]] = source
        views = {"source": source, "own": own_views(model, [case])[0]}
        views["swapped"] = View(after, case["word"], model.device.type)
        row = {f"{who} {name}": value for who, view in views.items() for name, value in view.figures().items()}
        for one, other in (("swapped", "source"), ("swapped", "own"), ("own", "source")):
            row |= {f"{name} {one} {other}": value for name, value in compare(views[one], views[other]).items()}
        for place in PLACES:
            found = spending(maps[place][:, part], source.masks, roles)
            row |= {f"attention {place} {name}": value for name, value in found.items()}
        rows.append(row | {"left": views["swapped"].left(case["source_word"])})
    return rows


def measure_words(cases: list[dict]) -> list[dict]:
    """One source and one target, all maps the source's: what of the target's prompt is still obeyed."""
    model = weights.model(cases[0]["model"])
    edited, sources = pictures_of(model, cases, Replace(cases[0]["source"]))
    rows = []
    for case, after, before, own in zip(cases, edited, sources, own_views(model, cases), strict=True):
        source = View(before, case["source_word"], model.device.type)
        target = View(after, case["word"], model.device.type)
        views = {"source": source, "edited": target, "own": own}
        row = {f"{who} {name}": value for who, view in views.items() for name, value in view.figures().items()}
        row |= {f"{who} scene": view.scene(case["scene"]) for who, view in views.items()}
        row |= {f"{name} edited source": value for name, value in compare(target, source).items()}
        row |= {"old scene": target.scene(case["source_scene"]), "left": target.left(case["source_word"])}
        rows.append(row)
    return rows


def chosen_seeds(most: int | None) -> tuple[int, ...]:
    """All seeds, or one where the cases are limited."""
    return SEEDS if most is None else SEEDS[:1]


def stages(most: int | None, fast: bool) -> list[list[dict]]:
    """Cases in the order in which they are measured; slow machines do seed by seed, so that a set is soon whole."""
    seeds, found = chosen_seeds(most), []
    for some in [seeds] if fast else [(seed,) for seed in seeds]:
        found += [swaps(model, some) for model in (IMAGE, VIDEO)]
        found += [words(model, some, most) for model in (IMAGE, VIDEO)]
    return [*found, swaps(IMAGE, SEEDS[:1], "replace")]


def main(most: int | None = None) -> None:
    """Measure, print and store; `most` limits the pairs of prompts that differ in several words, and all to a seed."""
    keys, fast = {model: weights.key(model) for model in (IMAGE, VIDEO)}, torch.cuda.is_available()
    rows = []
    for cases in filter(None, stages(most, fast)):
        rows += runner.run(NAME, cases, measure, len(SEEDS) if fast else 1, keys[cases[0]["model"]])
    table = summary(rows)
    show(table)
    seeds = {"replace": SEEDS[:1], "others": chosen_seeds(most)}
    runner.store(NAME, table, most, weights=keys, seeds=seeds, pictures_per_case=PICTURES)
