"""Is it the size, the shape, or the noise of maps that harms a swapped object? Study `swap_shapes`.

The paper names all three (section 3.3). Each target is given the maps of three sources that differ from it in one
thing: of another object that is as large and of a like shape, of another one that is as large and of an unlike shape,
and of the same object when it is big. The first two swaps are made again with maps without noise: outside the object of
the source, as the soft threshold of the paper finds it, the word gets no attention. Target, scene, verb and noise are
the same for all five, so that differences are taken target by target. The image model; a case is four pictures.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Bool
from torch import Tensor

from ..attention.maps import soft_threshold
from ..display.tables import figure_text, table_text
from ..edits.map_edit import ClipMaps, Pairs
from ..edits.swap import Swap
from ..measures.statistics import Estimate
from ..pocket.world.captions import one_object
from ..pocket.world.drawing import atlas
from ..pocket.world.vocabulary import OBJECTS
from ..sampling import generate
from .attention_noise.prompts import batch_of
from .forward_swap import grouped
from .forward_swap.table import by_pair, log_ratio
from .forward_swap.views import View, differences
from .rows import Case, Row, select
from .study import Study

MODEL = "pocket-t2i"
SEEDS = (0, 1)
SIDE = 64  # of silhouettes that are compared
TARGETS = {  # verb, scene, a source as large and of a like shape, one as large and of an unlike shape
    "burger": ("flies", "in the sky", "duck", "balloon"),
    "ball": ("flies", "in the sky", "apple", "bird"),
    "balloon": ("flies", "in the sky", "pizza", "duck"),
    "kite": ("flies", "in the sky", "balloon", "burger"),
    "pizza": ("flies", "in the sky", "balloon", "duck"),
    "bird": ("flies", "in the sky", "duck", "pizza"),
    "duck": ("floats", "on the water", "ball", "pizza"),
    "wolf": ("walks", "in the snow", "dog", "turtle"),
    "penguin": ("walks", "on the beach", "duck", "cat"),
    "dog": ("walks", "on the grass", "cat", "turtle"),
    "cat": ("walks", "in the forest", "duck", "penguin"),
}
LIKE, UNLIKE, BIGGER = "like shape", "unlike shape", "same shape, bigger"
CLEAN = "without noise"  # after one of the first two
CONDITIONS = (LIKE, UNLIKE, BIGGER, f"{LIKE}, {CLEAN}", f"{UNLIKE}, {CLEAN}")
CAUSES = {  # what is subtracted from what
    "shape": (UNLIKE, LIKE),
    "size": (BIGGER, LIKE),
    "no noise, like shape": (f"{LIKE}, {CLEAN}", LIKE),
    "no noise, unlike shape": (f"{UNLIKE}, {CLEAN}", UNLIKE),
}
FIGURES = ("seen gained", "pure gained", "distance lost", "size beside own")
SHOWN = ("seen gained", "pure gained", "size beside own")


@dataclass(frozen=True)
class CleanSwap(Swap):
    """A swap whose maps have no noise: outside the source's object, the word gets no attention."""

    def edit(self, target: ClipMaps, source: ClipMaps | None, pairs: Pairs) -> ClipMaps:
        """New maps of one clip: those of the source times their own shape, which is the mean over heads thresholded."""
        assert source is not None
        (_, out_of), *_ = pairs
        inside = soft_threshold(source[..., out_of].sum(-1).mean(1, keepdim=True))  # (frames, 1, height, width)
        return super().edit(target, source * inside[..., None], pairs)


class SwapShapes(Study):
    """What harms a swapped object: that the source is larger, that it has another shape, or that maps are noisy?"""

    compared = (MODEL,)

    def __init__(self, smoke: bool = False):
        super().__init__(smoke)
        self.own: dict[tuple, View] = {}  # clips that nothing edits, by prompt and seed

    def cases(self) -> list[Case]:
        """Every target with every condition, for one seed after the other."""
        cases: list[Case] = []
        for seed in SEEDS:
            for word in TARGETS:
                for condition in CONDITIONS:
                    cases.append(case_of(word, condition, seed))
        return cases

    def group(self, case: Case) -> str:
        """Every case is measured alone."""
        return case["condition"]

    def measure(self, cases: Sequence[Case]) -> list[Row]:
        """Generate source and swapped pictures beside each other, and look at them and at the target's own."""
        return [self.measure_case(case) for case in cases]

    def measure_case(self, case: Case) -> Row:
        """What a swap does to the target, beside its own pictures."""
        model = self.model(case["model"])
        kind = CleanSwap if CLEAN in case["condition"] else Swap
        edit = kind(case["source_word"], case["word"], source=case["source_prompt"])
        clips = generate(model, *batch_of(model, [case]), self.steps, edits=edit, progress=False)
        (swapped,) = grouped(model, [clip.video for clip in clips])
        (source,) = grouped(model, [clip.source.video for clip in clips if clip.source])
        before, after = self.view(source, case["source_word"]), self.view(swapped, case["word"])
        own = self.own_view(case)
        row: Row = {"own source distance": differences(own, before)["distance"]}
        row["swapped source distance"] = differences(after, before)["distance"]
        for name, view in {"source": before, "own": own, "swapped": after}.items():
            row |= {f"{name} {label}": view.figures()[label] for label in ("seen", "pure", "long")}
        return row

    def view(self, pictures: np.ndarray, word: str) -> View:
        """What the detector sees of a word."""
        return View.of(pictures, word, self.device)

    def own_view(self, case: Case) -> View:
        """The target's own pictures, made once for all conditions."""
        name = case["prompt"], case["seed"]
        if name not in self.own:
            model = self.model(case["model"])
            clips = generate(model, *batch_of(model, [case]), self.steps, progress=False)
            (pictures,) = grouped(model, [clip.video for clip in clips])
            self.own[name] = self.view(pictures, case["word"])
        return self.own[name]

    def summary(self, rows: Sequence[Row]) -> dict:
        """Each condition, what each cause adds, target by target, and how alike the drawings are."""
        return summary(rows)

    def markdown(self, table: dict) -> str:
        """A row for each condition and cause."""
        parts = table["conditions"] | table["causes"]
        rows = [[name, *(figure_text(figures[label], "+.2f") for label in SHOWN)] for name, figures in parts.items()]
        return table_text(["swap", *SHOWN], rows)


def case_of(word: str, condition: str, seed: int) -> Case:
    """The case of a target, a condition and a seed."""
    verb, scene, like, unlike = TARGETS[word]
    source_word = {LIKE: like, UNLIKE: unlike, BIGGER: word}[condition.removesuffix(f", {CLEAN}")]
    return {
        "model": MODEL, "condition": condition, "source_word": source_word, "word": word,
        "source_prompt": one_object(source_word, scene, verb, "big" if condition == BIGGER else ""),
        "prompt": one_object(word, scene, verb), "seed": seed,
    }  # fmt: skip


def summary(rows: Sequence[Row]) -> dict:
    """The table {"conditions": ..., "causes": ..., "likeness": ...}; every figure is a mean over targets."""
    values: dict[str, dict[str, dict]] = {}
    for condition in CONDITIONS:
        members = [row | derived(row) for row in select(rows, "condition", condition)]
        values[condition] = {name: of_targets(members, name) for name in FIGURES}
    conditions = {}
    for condition, figures in values.items():
        conditions[condition] = {name: Estimate.mean(own.values()) for name, own in figures.items()}
    causes = {}
    for cause, (more, less) in CAUSES.items():
        causes[cause] = {name: Estimate.difference(values[more][name], values[less][name]) for name in FIGURES}
    return {"conditions": conditions, "causes": causes, "likeness": likenesses()}


def of_targets(rows: Sequence[Row], name: str) -> dict[str, float]:
    """The mean over seeds of each target."""
    return {word: value for (_, word, _), value in by_pair(rows, name).items()}


def derived(row: Mapping) -> dict[str, float]:
    """What a swap changes."""
    return {
        "seen gained": row["swapped seen"] - row["own seen"],
        "pure gained": row["swapped pure"] - row["own pure"],
        "distance lost": row["swapped source distance"] - row["own source distance"],
        "size beside own": log_ratio(row["swapped long"], row["own long"]),
    }


def likenesses() -> dict[str, Estimate]:
    """How alike the drawings of targets and sources are, for both kinds of sources."""
    table = {}
    for name, place in ((LIKE, 2), (UNLIKE, 3)):
        table[name] = Estimate.mean(likeness(word, about[place]) for word, about in TARGETS.items())
    return table


def likeness(first: str, second: str) -> float:
    """Intersection over union of two objects' silhouettes, centred, with long sides that are equal."""
    one, other = silhouette(first), silhouette(second)
    return float((one & other).sum() / (one | other).sum())


def silhouette(word: str) -> Bool[Tensor, "side side"]:
    """Where the world's drawing of an object is opaque, its long side as long as the picture's."""
    inside = atlas()[list(OBJECTS).index(word), 3] > 0.5
    rows, columns = inside.any(1).nonzero().flatten(), inside.any(0).nonzero().flatten()
    cut = inside[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    height, width = (max(1, round(SIDE * side / max(cut.shape))) for side in cut.shape)
    fine = F.interpolate(cut[None, None].float(), (height, width))[0, 0] > 0.5
    square = torch.zeros(SIDE, SIDE, dtype=torch.bool)
    top, left = (SIDE - height) // 2, (SIDE - width) // 2
    square[top : top + height, left : left + width] = fine
    return square
