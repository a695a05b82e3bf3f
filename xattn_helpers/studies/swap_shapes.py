"""Is it the size, the shape, or the noise of maps that harms a swapped object? Study `swap_shapes`.

The paper names all three (section 3.3). Each target is given the maps of three sources that differ from it in one
thing: of another object that is as large and of a like shape, of another one that is as large and of an unlike shape,
and of the same object when it is big. The first two swaps are made again with maps without noise: outside the object of
the source, as the soft threshold of the paper finds it, the word gets no attention. Target, scene, verb and noise are
the same for all five, so that differences are taken target by target. A case is one video, or four pictures.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..attention.maps import soft_threshold
from ..display.tables import figure_text, table_text
from ..edits.map_edit import ClipMaps, Pairs
from ..edits.swap import Swap
from ..measures.statistics import Estimate
from ..pocket.world.captions import one_object
from ..sampling import generate
from .attention_noise.prompts import batch_of
from .forward_swap import grouped
from .forward_swap.likeness import likeness
from .forward_swap.table import IMAGE, VIDEO, by_pair, log_ratio
from .forward_swap.views import View, differences
from .rows import Case, Row, select
from .study import Study

MODELS = (IMAGE, VIDEO)
SEEDS = (0, 1)
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

    compared = MODELS

    def __init__(self, smoke: bool = False):
        super().__init__(smoke)
        self.own: dict[tuple, View] = {}  # clips that nothing edits, by model, prompt, seed

    def cases(self) -> list[Case]:
        """Every target with every condition and seed, of one model after the other."""
        cases: list[Case] = []
        for model in self.present:
            for seed in SEEDS:
                for word in TARGETS:
                    cases += [{"model": model} | case_of(word, condition, seed) for condition in CONDITIONS]
        return cases

    def group(self, case: Case) -> tuple:
        """Every case is measured alone."""
        return case["model"], case["condition"]

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
        name = case["model"], case["prompt"], case["seed"]
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
        rows = []
        for model in MODELS:
            parts = table["conditions"].get(model, {}) | table["causes"].get(model, {})
            for name, figures in parts.items():
                rows.append([model, name, *(figure_text(figures[label], "+.2f") for label in SHOWN)])
        return table_text(["model", "swap", *SHOWN], rows)


def case_of(word: str, condition: str, seed: int) -> Case:
    """The case of a target, a condition and a seed."""
    verb, scene, like, unlike = TARGETS[word]
    source_word = {LIKE: like, UNLIKE: unlike, BIGGER: word}[condition.removesuffix(f", {CLEAN}")]
    return {
        "condition": condition, "source_word": source_word, "word": word,
        "source_prompt": one_object(source_word, scene, verb, "big" if condition == BIGGER else ""),
        "prompt": one_object(word, scene, verb), "seed": seed,
    }  # fmt: skip


def summary(rows: Sequence[Row]) -> dict:
    """The table {"conditions": ..., "causes": ..., "likeness": ...}; figures by model are means over targets."""
    table: dict = {"conditions": {}, "causes": {}, "likeness": likenesses()}
    for model in MODELS:
        values = {}
        for condition in CONDITIONS:
            members = [row | derived(row) for row in select(select(rows, "model", model), "condition", condition)]
            values[condition] = {name: of_targets(members, name) for name in FIGURES}
        table["conditions"][model] = {condition: means(figures) for condition, figures in values.items()}
        changed = {}
        for cause, (condition, plain) in CAUSES.items():
            changed[cause] = changes(values[condition], values[plain])
        table["causes"][model] = changed
    return table


def means(figures: Mapping[str, Mapping]) -> dict[str, Estimate]:
    """The mean over targets of every figure."""
    return {name: Estimate.mean(values.values()) for name, values in figures.items()}


def changes(changed: Mapping[str, Mapping], plain: Mapping[str, Mapping]) -> dict[str, Estimate]:
    """The differences of two conditions, target by target."""
    return {name: Estimate.difference(changed[name], plain[name]) for name in FIGURES}


def causes_of(table: Mapping) -> list[str]:
    """What each cause adds to how often the object is seen: a sentence for each model and cause."""
    lines = []
    for model, causes in table["causes"].items():
        for cause, figures in causes.items():
            figure = figures["seen gained"]
            if figure.n:
                lines.append(f"{model}, {cause}: {figure_text(figure, '+.2f', count=True)}")
    return lines


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
