"""Do positions teach the pocket video model left and right? Study `motion_school`, on networks trained for it.

The network has no positions in space or time. `python -m xattn_helpers.pocket.training.school` goes on from its weights
in two ways, for the same time: with three more input channels (frame, row, column), and without them, which made the
weights that are shipped now. Each is asked for the held-out prompts with a motion of `pocket_quality`, and so is the
network from which they went on.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import cache

from ..backbones.model import Model, load
from ..display.tables import table_text
from ..pocket.training.positions import BEFORE, KINDS, command_before, is_trained, trained
from .models import digest_of
from .pocket_quality import NEW_SEED, PocketQuality, asked_of, held_out_stories
from .quality_table import OBEYED, figures, percent
from .rows import Case, Row, select

NETWORKS = (BEFORE, *KINDS)


class MotionSchool(PocketQuality):
    """Do three channels that say where a cell is, or a longer training, teach left and right?"""

    compared = ()

    def cases(self) -> list[Case]:
        """The held-out captions with a motion, of every network."""
        cases: list[Case] = []
        for model in NETWORKS:
            for number, story in enumerate(held_out_stories()["motion"]):
                about: Case = {"model": model, "kind": "motion", "seed": NEW_SEED + number}
                cases.append(about | asked_of(story, "motion"))
        return cases

    def unable(self) -> str:
        """Which network is not trained here, with the command that trains it, or nothing."""
        if not is_trained(BEFORE, self.smoke):
            return f"the network before its longer school is not here ({command_before(self.smoke)})"
        for kind in KINDS:
            if not is_trained(kind, self.smoke):
                return f"{kind!r} is not trained (python -m xattn_helpers.pocket.training.school {kind} --minutes 7)"
        return super().unable()

    def model(self, name: str) -> Model:
        """The pocket video model with the network of that name."""
        return model_of(name, self.device, self.smoke)

    def weights(self, case: Case) -> dict[str, str]:
        """A digest of the network's weights; other parts are those that are shipped."""
        name = str(case["model"])
        return {name: digest(name, self.device, self.smoke)}

    def summary(self, rows: Sequence[Row]) -> dict:
        """Figures of each network."""
        table = {}
        for model in NETWORKS:
            if chosen := select(rows, "model", model):
                table[model] = figures(chosen)
        return table

    def markdown(self, table: dict) -> str:
        """How often each motion is obeyed, and whether the pictures are still what they were."""
        rows = []
        for name in table[NETWORKS[0]]:
            if name.startswith(OBEYED) or name in ("object present, one object", "exactly one instance", "right scene"):
                rows.append([name, *(percent(figures.get(name)) for figures in table.values())])
        return table_text(["held-out prompts with a motion", *table], rows)


@cache
def model_of(name: str, device: str, smoke: bool = False) -> Model:
    """The pocket video model with one of the networks, loaded once."""
    model = load("pocket", device, "float32")
    return replace(model, backbone=trained(name, device, smoke))


@cache
def digest(name: str, device: str, smoke: bool = False) -> str:
    """Of the weights of one of the networks, computed once: it takes longer than a video."""
    return digest_of(model_of(name, device, smoke).network)
