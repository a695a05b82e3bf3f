"""Do positions teach the video U-Net left and right? Study `unet_positions`, on networks that are trained for it.

The shipped video U-Net has no positions in space or time. `python -m xattn_helpers.studies.unet_positions.train` goes
on from its weights in two ways, for the same time: with three more input channels (frame, row, column), and without
them. Each is asked for the held-out prompts with a motion of `pocket_quality`, and so is the network as it is shipped.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import cache

from ...backbones.model import Model, load
from ...backbones.unet import UNet
from ...display.tables import table_text
from ..models import digest_of
from ..pocket_quality import NEW_SEED, PocketQuality, asked_of, held_out_stories
from ..quality_table import OBEYED, figures, percent
from ..rows import Case, Row, select
from .network import KINDS, PositionedUNet, folder_of, read

SHIPPED = "as shipped"
MODELS = (SHIPPED, *KINDS)


class UNetPositions(PocketQuality):
    """Do three channels that say where a cell is, or a longer training, teach the U-Net left and right?"""

    name = "unet_positions"
    compared = ()

    def __init__(self, smoke: bool = False):
        super().__init__(smoke)
        self.digests: dict[str, str] = {}

    def cases(self) -> list[Case]:
        """The held-out captions with a motion, of every network."""
        cases: list[Case] = []
        for model in MODELS:
            for number, story in enumerate(held_out_stories()["motion"]):
                about: Case = {"model": model, "kind": "motion", "seed": NEW_SEED + number}
                cases.append(about | asked_of(story, "motion"))
        return cases

    def unable(self) -> str:
        """Which network is not trained here, with the command that trains it, or nothing."""
        for kind in KINDS:
            if not list(folder_of(kind, self.smoke).glob("unet/*.safetensors")):
                return f"{kind!r} is not trained (python -m {__name__}.train {kind} --minutes 7)"
        return super().unable()

    def model(self, name: str) -> Model:
        """The pocket video model with the network of that name."""
        return model_of(name, self.device, self.smoke)

    def weights(self, case: Case) -> dict[str, str]:
        """A digest of the network's weights; other parts are those that are shipped."""
        name = str(case["model"])
        if name not in self.digests:
            self.digests[name] = digest_of(self.model(name).network)
        return {name: self.digests[name]}

    def summary(self, rows: Sequence[Row]) -> dict:
        """Figures of each network."""
        table = {}
        for model in MODELS:
            if chosen := select(rows, "model", model):
                table[model] = figures(chosen)
        return table

    def markdown(self, table: dict) -> str:
        """How often each motion is obeyed, and whether the pictures are still what they were."""
        rows = []
        for name in table[SHIPPED]:
            if name.startswith(OBEYED) or name in ("object present, one object", "exactly one instance", "right scene"):
                rows.append([name, *(percent(figures.get(name)) for figures in table.values())])
        return table_text(["held-out prompts with a motion", *table], rows)


@cache
def model_of(name: str, device: str, smoke: bool = False) -> Model:
    """The pocket video model with one of the networks, loaded once."""
    model = load("pocket", device)
    if name == SHIPPED:
        return model
    has_positions = name == "positions"
    network = read(folder_of(name, smoke) / "unet", has_positions).to(device)
    return replace(model, backbone=(PositionedUNet if has_positions else UNet)(network))
