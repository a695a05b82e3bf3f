"""What recording attention costs: study `recording_cost`, a pocket video with and without, on two CPU threads."""

from collections.abc import Sequence

from xattn_helpers import capture, generate

from .rows import Case, Row
from .study import Study
from .timing import ratios, threads, time_pairs

PAIRS = 4
PROMPT = "a burger floats on the water"


class RecordingCost(Study):
    """How much longer does a video take when its attention is recorded?"""

    where, threads, batch = "cpu", 2, PAIRS
    parallel = detects = False

    def cases(self) -> list[Case]:
        """Pairs of a recorded and a plain video."""
        return [{"model": "pocket", "pair": pair} for pair in range(PAIRS)]

    def measure(self, cases: Sequence[Case]) -> list[Row]:
        """Seconds of both, one after the other."""
        model = self.model("pocket")

        def plain() -> None:
            generate(model, PROMPT, steps=self.steps, progress=False)

        def recorded() -> None:
            with capture(model):
                plain()

        with threads(2):
            return time_pairs(recorded, plain, len(cases))

    def summary(self, rows: Sequence[Row]) -> dict:
        """The ratio of the two."""
        return {"recorded over plain": ratios(rows)}

    def markdown(self, table: dict) -> str:
        """In a sentence."""
        ratio = table["recorded over plain"]
        return (
            f"on two CPU threads, a recorded video takes {ratio['median']:.2f} times as long as a plain one "
            f"(median of {ratio['n']} pairs, {ratio['smallest']:.2f} to {ratio['largest']:.2f}; asked is at most 1.1)."
        )
