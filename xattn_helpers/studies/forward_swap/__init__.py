"""What swapping attention maps does to an object, and to a scene: study `forward_swap`.

*Swap*: a source and a target prompt that differ in the object alone; the target's noun is given the maps of the
source's. Of each pair three clips from the same noise are compared: the source, the target's own (nothing edited) and
the swapped one. *Replace*: the same, but all words are given the maps of the source. *Words*: so too, for prompts that
differ in one, two or three words. A case of the video model is one clip, of the image model 4 pictures. Frames of a
clip and seeds of a pair resemble each other: therefore every interval resamples pairs.
"""

from collections.abc import Sequence
from itertools import groupby

import numpy as np
from jaxtyping import Float
from torch import Tensor

from ...attention.recording import capture
from ...backbones.model import Model
from ...edits.edit import Edit
from ...edits.swap import Replace, Swap
from ...sampling import generate
from ..attention_noise.maps import PlaceMaps, place_maps
from ..attention_noise.prompts import PICTURES, batch_of, roles
from ..rows import Case, Row
from ..study import Study
from .cases import SEEDS, swap_cases, word_cases
from .table import IMAGE, PLACES, VIDEO, printed, summary
from .views import View, differences, spending

Pictures = list[np.ndarray]  # of each case, (pictures, height, width, 3)


class ForwardSwap(Study):
    """What does an object keep of another whose attention maps it is given, and what becomes of the scene?"""

    batch, batch_on_gpu = 1, len(SEEDS)  # the seeds of a pair

    def __init__(self, smoke: bool = False):
        super().__init__(smoke)
        self.own: dict[tuple, View] = {}  # clips that nothing edits, by model, prompt, seed: sources are targets, too

    def cases(self) -> list[Case]:
        """Swaps and words of both models; replacing alone, which is there for comparison, has one seed of images."""
        cases: list[Case] = []
        for model in (IMAGE, VIDEO):
            cases += swap_cases(model) + word_cases(model)
        return cases + swap_cases(IMAGE, SEEDS[:1], "replace")

    def measure(self, cases: Sequence[Case]) -> list[Row]:
        """Generate and look; cases that share both prompts are one batch."""
        rows: list[Row] = []
        for _, members in groupby(cases, key=lambda case: (case["source_prompt"], case["prompt"])):
            pair = list(members)
            rows += self.measure_words(pair) if pair[0]["kind"] == "words" else self.measure_swap(pair)
        return rows

    def measure_swap(self, cases: Sequence[Case]) -> list[Row]:
        """One pair, some seeds: source, own and swapped clip beside each other; where the source's attention goes."""
        model, first = self.model(str(cases[0]["model"])), cases[0]
        source, source_word = str(first["source_prompt"]), str(first["source_word"])
        edit = (
            Swap(source_word, str(first["word"]), source=source) if first["kind"] == "swap" else Replace(source=source)
        )
        with capture(model) as attention:
            swapped, sources = self.pictures_beside(cases, edit)
        maps = {place: of_sources(of_batch) for place, of_batch in place_maps(attention).items()}
        tokens = roles(model.text, source, source_word)
        source_views = self.views(sources, cases, "source_word")
        for case, view in zip(cases, source_views, strict=True):
            self.own[case["model"], source, case["seed"]] = view
        own_views, swapped_views = self.own_views(cases), self.views(swapped, cases, "word")
        rows = []
        for index, (before, own, after) in enumerate(zip(source_views, own_views, swapped_views, strict=True)):
            count = len(before.pictures)
            part = slice(index * count, (index + 1) * count)
            of_case = {place: maps[place][:, part] for place in PLACES if place in maps}
            rows.append(swap_row(before, own, after) | attention_row(of_case, before, tokens))
        return rows

    def measure_words(self, cases: Sequence[Case]) -> list[Row]:
        """One source and one target, all maps the source's: what of the target's prompt is still obeyed."""
        edited, sources = self.pictures_beside(cases, Replace(source=str(cases[0]["source_prompt"])))
        source_views, own_views = self.views(sources, cases, "source_word"), self.own_views(cases)
        edited_views = self.views(edited, cases, "word")
        rows = []
        for case, before, own, after in zip(cases, source_views, own_views, edited_views, strict=True):
            rows.append(word_row(case, before, own, after))
        return rows

    def views(self, pictures: Pictures, cases: Sequence[Case], column: str) -> list[View]:
        """What the detector sees of a word of each case, of that column."""
        return [View.of(own, str(case[column]), self.device) for own, case in zip(pictures, cases, strict=True)]

    def own_views(self, cases: Sequence[Case]) -> list[View]:
        """The targets' own clips; those that were a source before are not made again."""
        keys = [(case["model"], case["prompt"], case["seed"]) for case in cases]
        missing = [case for case, key in zip(cases, keys, strict=True) if key not in self.own]
        if missing:
            model = self.model(str(cases[0]["model"]))
            clips = generate(model, *batch_of(model, missing), self.steps, progress=False)
            pictures = grouped(model, [clip.video for clip in clips])
            for case, view in zip(missing, self.views(pictures, missing, "word"), strict=True):
                self.own[case["model"], case["prompt"], case["seed"]] = view
        return [self.own[key] for key in keys]

    def pictures_beside(self, cases: Sequence[Case], edit: Edit) -> tuple[Pictures, Pictures]:
        """The edited pictures of each case, and those of the source that ran beside."""
        model = self.model(str(cases[0]["model"]))
        clips = generate(model, *batch_of(model, cases), self.steps, edits=edit, progress=False)
        sources = [clip.source.video for clip in clips if clip.source]
        return grouped(model, [clip.video for clip in clips]), grouped(model, sources)

    def summary(self, rows: Sequence[Row]) -> dict:
        """What swaps do, by the pair's ratio of sizes; what they take over; where attention goes; words."""
        return summary(rows)

    def show(self, table: dict) -> None:
        """Print the figures, a line each."""
        for text in printed(table):
            print(text)


def swap_row(before: View, own: View, after: View) -> Row:
    """The figures of the source's, the target's own and the swapped clip, and how they differ."""
    views = {"source": before, "own": own, "swapped": after}
    row: Row = {}
    for name, view in views.items():
        row |= named(name, view.figures())
    for first, second in (("swapped", "source"), ("swapped", "own"), ("own", "source")):
        for name, value in differences(views[first], views[second]).items():
            row[f"{name} {first} {second}"] = value
    return row | {"left": after.left(before.word)}


def attention_row(maps: PlaceMaps, source: View, tokens: Sequence[str]) -> Row:
    """How the pixels of the source's object divide their attention, at every place."""
    row: Row = {}
    for place, of_place in maps.items():
        row |= named(f"attention {place}", spending(of_place, source.masks, tokens))
    return row


def word_row(case: Case, before: View, own: View, after: View) -> Row:
    """The figures of the source's, the target's own and the edited clip, and which scenes they show."""
    row: Row = {}
    for name, view in {"source": before, "edited": after, "own": own}.items():
        row |= named(name, view.figures()) | {f"{name} scene": view.scene(str(case["scene"]))}
    for name, value in differences(after, before).items():
        row[f"{name} edited source"] = value
    return row | {"old scene": after.scene(str(case["source_scene"])), "left": after.left(before.word)}


def named(label: str, values: dict[str, float]) -> Row:
    """Values with a label before their names."""
    return {f"{label} {name}": value for name, value in values.items()}


def of_sources(
    maps: Float[Tensor, "tokens pictures height width"],
) -> Float[Tensor, "tokens sources height width"]:
    """The maps of the sources, whose pictures come after those of the targets."""
    return maps.chunk(2, 1)[1].cpu()


def grouped(model: Model, videos: Sequence[np.ndarray]) -> Pictures:
    """Videos or images by case."""
    count = 1 if model.is_video else PICTURES
    return [np.concatenate(videos[start : start + count]) for start in range(0, len(videos), count)]
