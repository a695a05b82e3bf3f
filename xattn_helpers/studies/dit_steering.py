"""Which blocks of the video transformer steer an object along a track, and is a bias enough: study `dit_steering`.

The cases are those of the study `guidance`: no setting here was chosen by looking at them, for all are the defaults of
`Guidance` and `Bias`, in all blocks or in those of one group. Where the maps find the object is the study `dit_maps`.
"""

from collections.abc import Sequence

import numpy as np

from ..backbones.model import Model
from ..display.tables import table_text
from ..measures.statistics import Estimate
from .dit_maps import MODEL
from .guidance.cases import table_cases
from .guidance.settings import Setting
from .guidance.steered import OnTracks
from .guidance.table import counted_iou
from .rows import Case, Row, select

GROUPS = ("early", "middle", "late")
UNGUIDED, GRADIENT, BIAS = "unguided", "gradient", "bias"
FIRST_FIFTH = ("blocks.0.", "blocks.1.")  # of ten


def all_settings() -> dict[str, Setting]:
    """A gradient and a bias, each through all blocks and those of one group; a gradient through even fewer."""
    settings = {UNGUIDED: Setting(), GRADIENT: Setting({}), BIAS: Setting(bias={})}
    for group in GROUPS:
        settings[f"{GRADIENT}, {group}"] = Setting({"groups": group})
        settings[f"{BIAS}, {group}"] = Setting(bias={"groups": group})
    settings[f"{GRADIENT}, first fifth"] = Setting({"blocks": FIRST_FIFTH})
    return settings


SETTINGS = all_settings()


class DitSteering(OnTracks):
    """How well does an object of the video transformer keep to a track, by way of steering and group of blocks?"""

    batch, batch_on_gpu = 1, 49
    compared = (MODEL,)
    settings = SETTINGS

    def cases(self) -> list[Case]:
        """Every setting on every case of the study `guidance`."""
        cases: list[Case] = []
        for name in SETTINGS:
            cases += [{"model": MODEL, "setting": name} | case for case in table_cases()]
        return cases

    def model(self, name: str) -> Model:
        """The video transformer, whatever other studies of steering ask for."""
        return super().model(MODEL)

    def summary(self, rows: Sequence[Row]) -> dict:
        """For each setting the mean IoU, in which a lost object counts 0, its difference from the gradient, and losses.

        Differences are paired, over the cases of both.
        """
        gradient = _ious(select(rows, "setting", GRADIENT))
        settings = {}
        for name in SETTINGS:
            own = [row for row in select(rows, "setting", name) if not row["failed"]]
            settings[name] = {
                "mIoU, lost 0": Estimate.mean(_ious(own).values()),
                "mIoU minus gradient": Estimate.difference(_ious(own), gradient),
                "lost": Estimate.rate(not row["covered"] for row in own),
                "scene kept": Estimate.rate(row["scene kept"] for row in own),
                "failed": len(select(rows, "setting", name)) - len(own),
            }
        return {"settings": settings, "auroc": Estimate.mean(_aurocs(rows))}

    def markdown(self, table: dict) -> str:
        """The mean IoU, losses and scenes of each setting."""
        names = ("mIoU, lost 0", "lost", "scene kept")
        rows = [[name, *(figures[label].format() for label in names)] for name, figures in table["settings"].items()]
        return table_text(["steered by", *names], rows)


def _ious(rows: Sequence[Row]) -> dict[tuple, float]:
    """The mean IoU of each case that did not fail, 0 for a lost object."""
    return {(row["prompt"], row["track"], row["seed"]): counted_iou(row) for row in rows if not row["failed"]}


def _aurocs(rows: Sequence[Row]) -> list[float]:
    """How well the noun's map found the object of each unguided video in which it is seen."""
    return [row["auroc"] for row in select(rows, "setting", UNGUIDED) if np.isfinite(row["auroc"])]
