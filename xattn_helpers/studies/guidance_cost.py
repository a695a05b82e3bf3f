"""What steering costs: study `guidance_cost`, a pocket video with and without, on two CPU threads."""

from collections.abc import Sequence

from xattn_helpers import Bias, Guidance, generate, size_edits, track

from .rows import Case, Row, select
from .study import Study
from .timing import ratios, threads, time_pairs

PAIRS = 5
PROMPT, WORD = "a burger floats on the water", "burger"
PATH = track([(0.25, 0.25), (0.25, 0.77)])
SETTINGS: dict[str, Guidance | Bias | list[Guidance | Bias]] = {  # the defaults, and what costs half of them or nothing
    "for a track": Guidance.for_track(WORD, PATH),
    "for a size": Guidance.for_size(WORD, PATH),
    "for a size, with a bias": size_edits(WORD, PATH),
    "first half": Guidance(WORD, PATH, schedule="first half"),
    "bias": Bias(WORD, PATH),
}


class GuidanceCost(Study):
    """How much longer does a video take when an object is steered, by gradients or by a bias?"""

    where, threads, batch = "cpu", 2, PAIRS
    parallel = detects = False

    def cases(self) -> list[Case]:
        """Pairs of a steered and a plain video, of each setting."""
        cases: list[Case] = []
        for setting in SETTINGS:
            cases += [{"model": "pocket", "setting": setting, "pair": pair} for pair in range(PAIRS)]
        return cases

    def depends(self, case: Case) -> object:
        """The edit with all its defaults."""
        return repr(SETTINGS[case["setting"]])

    def measure(self, cases: Sequence[Case]) -> list[Row]:
        """Seconds of both, one after the other, and how many steps needed a gradient."""
        model, edit = self.model("pocket"), SETTINGS[cases[0]["setting"]]
        updated: list[int] = []

        def plain() -> None:
            generate(model, PROMPT, steps=self.steps, progress=False)

        def steered() -> None:
            clip = generate(model, PROMPT, steps=self.steps, edits=edit, progress=False)
            updated.append(len({update.step for update in clip.updates}))

        with threads(2):
            rows = time_pairs(steered, plain, len(cases))
        steps = self.steps or model.defaults.steps
        return [row | {"steps with a gradient": updated[0], "steps": steps} for row in rows]

    def summary(self, rows: Sequence[Row]) -> dict:
        """The ratio of the two and the steps with a gradient, of each setting."""
        table = {}
        for setting in SETTINGS:
            pairs = select(rows, "setting", setting)
            if pairs:
                table[setting] = ratios(pairs)
                table[setting]["steps with a gradient"] = pairs[0]["steps with a gradient"]
                table[setting]["steps"] = pairs[0]["steps"]
        return table

    def markdown(self, table: dict) -> str:
        """In a sentence, about the defaults for a track."""
        return sentence(table["for a track"])


def sentence(cost: dict) -> str:
    """What one setting costs, in words."""
    return (
        f"on two CPU threads, a steered video takes {cost['median']:.2f} times as long as a plain one (median of "
        f"{cost['n']} pairs, {cost['smallest']:.2f} to {cost['largest']:.2f}; asked is at most 1.7): "
        f"{cost['steps with a gradient']} of its {cost['steps']} steps need a gradient."
    )
