"""Does the video model still leave out what it left out? Study `left_out`, on five clips of `pocket_quality`.

There, with the weights that the model had before its last training, one of two objects was seen in no frame of these
clips. They are hard cases, so that their share is not how often an object is missing.
"""

from collections.abc import Sequence

from ..display.tables import table_text
from .detector_quality import NEW_SEED
from .pocket_quality import PocketQuality, asked_of, held_out_stories
from .rows import Case, Row

MODEL, KIND = "pocket", "two"
PRESENT = 0.0  # share of frames: what is seen in none is left out
NUMBERS = (0, 56, 148, 158, 161)  # of the held-out captions with two objects


class LeftOut(PocketQuality):
    """Of five clips in which an object was missing, in how many is one missing with the weights of today?"""

    batch = 1
    compared = ()

    def cases(self) -> list[Case]:
        """The five captions, with the seeds that they had."""
        cases: list[Case] = []
        for number in NUMBERS:
            about: Case = {"model": MODEL, "kind": KIND, "seed": NEW_SEED + number}
            cases.append(about | asked_of(held_out_stories()[KIND][number], KIND))
        return cases

    def summary(self, rows: Sequence[Row]) -> dict:
        """How many clips were looked at, and in how many an object is seen in no frame."""
        missing, looked = left_out(rows, MODEL)
        return {"clips": looked, "missing": len(missing)}

    def markdown(self, table: dict) -> str:
        """The two counts."""
        return table_text(list(table), [[str(count) for count in table.values()]])


def left_out(rows: Sequence[Row], model: str) -> tuple[list[Row], int]:
    """Of prompts with two objects, the clips in which one is seen in no frame, and how many were looked at."""
    two = [row for row in rows if row["model"] == model and row["kind"] == "two"]
    missing = [row for row in two if min(row["present"], row["second present"]) <= PRESENT]
    return missing, len(two)


def absent(row: Row) -> str:
    """Which object of such a clip is seen in no frame."""
    return row["word"] if row["present"] <= PRESENT else row["second"]
