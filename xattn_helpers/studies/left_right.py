"""Left and right: does a negative prompt bring out words that a model knows but does not obey? Study `left_right`.

A video model may know "to the left" and still read most of an object's path from the noise. Classifier-free guidance
leads away from the negative prompt. With the empty one that is away from videos of anything; with the opposite
direction, away from the same video with the object going the other way. Sixteen objects, three seeds, both directions.
"""

from collections.abc import Sequence

import numpy as np

from ..display.tables import figure_text, table_text
from ..measures.boxes import boxes_of, centres, detected
from ..measures.detection import look
from ..measures.statistics import Estimate
from ..pocket.world.captions import one_object
from ..pocket.world.vocabulary import OBJECTS, STANDING_VERBS, scenes_of, verbs
from ..sampling import generate
from .pocket_quality import obeys
from .rows import Case, Row, column, select
from .study import Study

MODELS = ("pocket", "pocket-dit")
OPPOSITE = {"to the left": "to the right", "to the right": "to the left"}
NEGATIVES = ("empty", "opposite")
STAYING = ("moon", "balloon", "kite", "cat", "bee", "pizza")  # the sixteen others go somewhere
SEEDS = (50, 51, 52)  # of no other study


class LeftRight(Study):
    """How many videos go to the side that their prompt names, with the empty and with the opposite negative prompt?"""

    batch, batch_on_gpu = 1, 48
    compared = MODELS

    def cases(self) -> list[Case]:
        """Every object with every seed, direction and negative prompt, for each model."""
        cases: list[Case] = []
        for model in self.present:
            for negative in NEGATIVES:
                for direction in OPPOSITE:
                    about: Case = {"model": model, "negative": negative, "direction": direction}
                    for seed in SEEDS:
                        cases += [about | {"word": word, "seed": seed} for word in moving_objects()]
        return cases

    def group(self, case: Case) -> tuple:
        """Cases of a model with one kind of negative prompt."""
        return case["model"], case["negative"], case["direction"]

    def depends(self, case: Case) -> object:
        """Both prompts."""
        return prompts_of(case)

    def measure(self, cases: Sequence[Case]) -> list[Row]:
        """Generate, look for the object, and see which way it goes."""
        prompts, negatives = zip(*(prompts_of(case) for case in cases), strict=True)
        model, seeds = self.model(cases[0]["model"]), column(cases, "seed")
        clips = generate(model, prompts, seeds, self.steps, negative_prompt=negatives, progress=False)
        rows = []
        for case, clip in zip(cases, clips, strict=True):
            view = look(clip.video, self.device)
            boxes = boxes_of(view.masks(case["word"]))
            obeyed = obeys(boxes, case["direction"])
            rows.append({"obeyed": obeyed, "seen": float(detected(boxes).mean()), "way": way(boxes)})
        return rows

    def summary(self, rows: Sequence[Row]) -> dict:
        """For each model and negative prompt the share that obeys, of both directions and of each, and the gain."""
        table: dict = {}
        for model in MODELS:
            members = select(rows, "model", model)
            if members:
                table[model] = {negative: figures(select(members, "negative", negative)) for negative in NEGATIVES}
                table[model]["gain"] = gain(members)
        return table

    def markdown(self, table: dict) -> str:
        """A row for each model and negative prompt."""
        rows = []
        for model, parts in table.items():
            for negative in NEGATIVES:
                cells = [figure_text(parts[negative][name], ".0f", percent=True) for name in ("both", *OPPOSITE)]
                rows.append([model, negative, *cells, parts[negative]["both"].n])
        return table_text(["model", "negative prompt", "obeyed", *OPPOSITE, "clips"], rows)


def moving_objects() -> list[str]:
    """The objects that go somewhere."""
    return [word for word in OBJECTS if word not in STAYING]


def prompts_of(case: Case) -> tuple[str, str]:
    """The prompt of a case, and its negative prompt: empty, or the same with the opposite direction."""
    word, direction = str(case["word"]), str(case["direction"])
    scene = scenes_of(word)[0]
    verb = next(verb for verb in verbs(word, scene) if verb not in STANDING_VERBS)
    opposite = one_object(word, scene, verb, motion=OPPOSITE[direction])
    return one_object(word, scene, verb, motion=direction), opposite if case["negative"] == "opposite" else ""


def way(boxes: np.ndarray) -> float:
    """How far the object goes to the right, from the first to the last frame that shows it; NaN without two."""
    visible = boxes[detected(boxes)]
    return float((centres(visible)[-1] - centres(visible)[0])[0]) if len(visible) > 1 else float("nan")


def figures(rows: Sequence[Row]) -> dict[str, Estimate]:
    """Shares that obey: of both directions and of each, and once more as the mean of objects."""
    table = {"both": Estimate.rate(column(rows, "obeyed"))}
    for direction in OPPOSITE:
        table[direction] = Estimate.rate(column(select(rows, "direction", direction), "obeyed"))
    table["both, over objects"] = Estimate.grouped(column(rows, "obeyed"), column(rows, "word"))
    table["seen"] = Estimate.mean(column(rows, "seen"))
    return table


def gain(rows: Sequence[Row]) -> Estimate:
    """The share that obeys with the opposite negative prompt minus that with the empty one, clip by clip."""
    values: dict[str, dict] = {negative: {} for negative in NEGATIVES}
    for row in rows:
        values[row["negative"]][row["word"], row["seed"], row["direction"]] = float(row["obeyed"])
    return Estimate.difference(values["opposite"], values["empty"])
