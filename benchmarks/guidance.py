"""Backward guidance, measured: `python -m benchmarks guidance`, every setting on every case of `guidance_cases`.

A row is a case under a setting: how well the object keeps to its track (Peekaboo's measures, `adherence.py`), and what
else became of the video, beside its unguided twin of the same seed. A setting that Guidance refuses to run, such as
eq. 4 to the letter, is a row with the text of the error. On a CPU a guided video takes half a minute: `--most 4`.
"""

from dataclasses import MISSING, fields

import numpy as np
import torch

from xattn_helpers import Guidance, generate
from xattn_helpers.adherence import centre_distances, compare, covered, outside_change, single, size
from xattn_helpers.maps import auroc, shrink_mask
from xattn_helpers.metrics import boxes_of, look
from xattn_helpers.sampling import Clip
from xattn_helpers.targets import Track
from xattn_helpers.zero_shot import Unguided, all_unguided

from . import runner, weights
from .guidance_cases import SETTINGS, TRACKS, box, path, table_cases, tuning_cases
from .guidance_table import show, summary

NAME, MODEL = "guidance", "pocket"
SIDE = 16  # height of the maps whose AUROC is told: those that guidance and the paper use


def cases(settings: dict = SETTINGS, most: int | None = None, chosen: list[dict] | None = None) -> list[dict]:
    """Every setting on the first `most` of the chosen cases, by default the table's, with all that a row depends on."""
    return [
        {"setting": name, **case, "knobs": knobs, "points": TRACKS[case["track"]], "box": box(case["word"])}
        for name, knobs in settings.items() for case in (chosen or table_cases())[:most]
    ]  # fmt: skip


def key() -> str:
    """What else rows depend on: the weights, and the defaults of Guidance."""
    defaults = {one.name: one.default for one in fields(Guidance) if one.default is not MISSING}
    return f"{weights.key(MODEL)} {defaults}"


def measure(chunk: list[dict]) -> list[dict]:
    """Make the videos of one or more settings, those of a setting together, and describe them."""
    return along(chunk, twins(chunk), [path(case) for case in chunk])


def twins(chunk: list[dict]) -> list[Unguided]:
    """The unguided run of each case."""
    return all_unguided(weights.model(MODEL), [case["prompt"] for case in chunk], [case["seed"] for case in chunk])


def along(chunk: list[dict], free: list[Unguided], paths: list[Track]) -> list[dict]:
    """A row for each case, guided along its track: what `describe` finds, or "failed" with the text of the error."""
    clips = by_setting(weights.model(MODEL), chunk, free, paths)
    return [
        {"failed": clip} if isinstance(clip, str) else describe(clip, case["word"], asked.boxes(len(clip.video)), one)
        for clip, case, asked, one in zip(clips, chunk, paths, free, strict=True)
    ]


def by_setting(model, chunk: list[dict], free: list[Unguided], paths: list[Track]) -> list[Clip | str]:
    """The clips of cases of any settings, with their unguided twins and tracks; errors as from `guided`."""
    found = {}
    for setting in dict.fromkeys(case["setting"] for case in chunk):
        group = [index for index, case in enumerate(chunk) if case["setting"] == setting]
        made = guided(model, *([some[index] for index in group] for some in (chunk, free, paths)))
        found |= dict(zip(group, made, strict=True))
    return [found[index] for index in range(len(chunk))]


def guided(model, group: list[dict], free: list[Unguided], paths: list[Track]) -> list[Clip | str]:
    """The clips of cases with the same setting; instead of a clip the text of the error that Guidance raises."""
    if group[0]["knobs"] is None:
        return [one.clip for one in free]
    try:
        return together(model, group, free, paths)
    except (ValueError, FloatingPointError) as error:
        if len(group) == 1:
            return [str(error)]
        return [guided(model, [one], [other], [asked])[0] for one, other, asked in zip(group, free, paths, strict=True)]


def together(model, group: list[dict], free: list[Unguided], paths: list[Track]) -> list[Clip]:
    """One run, in which every prompt has a word and a target of its own."""
    knobs = {name: tuple(one) if isinstance(one, list) else one for name, one in group[0]["knobs"].items()}
    targets = paths
    if knobs.pop("target", "") == "zero-shot":
        targets = [one.along(case["word"], asked) for case, one, asked in zip(group, free, paths, strict=True)]
    guidance = Guidance([[case["word"]] for case in group], [[target] for target in targets], **knobs)
    prompts, seeds = [case["prompt"] for case in group], [case["seed"] for case in group]
    return generate(model, prompts, seeds, guidance=guidance, progress=False)


def describe(clip: Clip, word: str, asked: np.ndarray, free: Unguided) -> dict:
    """A video against the boxes (frames, 4) that were asked for, and against its unguided twin."""
    device = weights.model(MODEL).device.type
    seen, before = (look(one.video, device) for one in (clip, free.clip))
    masks, old = seen.masks(word), before.masks(word)
    boxes, before_boxes = boxes_of(masks), boxes_of(old)
    far = centre_distances(boxes, asked)
    sides = size(boxes[:1]), size(boxes[-1:])
    cells = shrink_mask(torch.from_numpy(old), (SIDE, SIDE))
    return compare(boxes, asked) | {
        "size": size(boxes), "free size": size(before_boxes), "free covered": covered(before_boxes),
        "growth": sides[1] / sides[0], "start": float(far[0]), "end": float(far[-1]),
        "scene kept": seen.scene() == before.scene(), "single": single(seen.counts(word)),
        "outside": outside_change(clip.video, free.clip.video, masks, old),
        "auroc": float(auroc(free.maps(word)[SIDE].cpu(), cells).nanmean()),
    }  # fmt: skip


def tune(settings: dict[str, dict | None], most: int | None = None) -> dict:
    """The table of any settings on the tuning cases, printed and not stored: to choose the defaults of Guidance by."""
    table = summary(runner.run("guidance_tuning", cases(settings, most, tuning_cases()), measure, batch(24), key()))
    show(table)
    return table


def batch(of_setting: int) -> int:
    """How many videos are made together: on a GPU all of a setting, which takes half a GiB a video."""
    return of_setting if torch.cuda.is_available() else 1


def main(most: int | None = None) -> None:
    """Measure, print and store; `most` limits the cases of each setting."""
    table = summary(runner.run(NAME, cases(most=most), measure, batch(49), key()))
    show(table)
    runner.store(NAME, table, most, weights={MODEL: weights.key(MODEL)})
