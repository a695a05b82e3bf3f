"""Choosing the defaults of `edit_video`: study `given_tuning`, on clips and seeds that no table has.

One thing, or two, are changed from the defaults of `edit_video` ("edit"). What is best here becomes the setting "edit"
of `given_video`.
"""

from collections.abc import Mapping, Sequence
from typing import ClassVar

from ..edits.blending import KeepBackground
from .given_video import GivenVideo
from .given_video.settings import (
    FROM_NOISE,
    Setting,
    bias,
    guide,
    guide_and_bias,
    hide,
    hold,
    hold_until,
    swap,
)
from .given_video.table import SHOWN, settings_table
from .rows import Row

SCALES = (1.5, 2.0, 2.5, 4.0)  # of classifier-free guidance; the default is .75 times 4
SKIPS = (0.0, 0.15, 0.45)
MASKS = {
    "threshold .2": KeepBackground(threshold=0.2),
    "threshold .4": KeepBackground(threshold=0.4),
    "threshold .5": KeepBackground(threshold=0.5),
    "grow 0": KeepBackground(grow=0),
    "grow 2": KeepBackground(grow=2),
    "threshold .5, grow 0": KeepBackground(threshold=0.5, grow=0),
}
HALF_AS_NOISY = {"skip": 0.15}


def exchanges() -> dict[str, Setting]:
    """Settings of an exchanged object."""
    settings = {"edit": Setting()}
    for scale in SCALES:
        settings[f"scale {scale:g}"] = Setting({"cfg_scale": scale})
    settings["scale 4, source 4"] = Setting({"cfg_scale": 4.0, "source_cfg_scale": 4.0})
    settings["scale 4, source 2"] = Setting({"cfg_scale": 4.0, "source_cfg_scale": 2.0})
    for skip in SKIPS:
        settings[f"skip {skip:g}"] = Setting({"skip": skip})
    for name, keep in MASKS.items():
        settings[name] = Setting({"keep_background": keep})
    for skip in (0.0, 0.15, 0.3):
        settings[f"blended, skip {skip:g}"] = Setting({"method": "blended", "cfg_scale": 4.0, "skip": skip})
    return settings | {"swap": Setting({}, swap)} | held()


def held() -> dict[str, Setting]:
    """Settings in which a bias holds the new object where the old one was."""
    settings = {"bias": Setting({}, hold)}
    for skip in SKIPS:
        settings[f"bias, skip {skip:g}"] = Setting({"skip": skip}, hold)
    for name in ("threshold .4", "threshold .5", "grow 0", "threshold .5, grow 0"):
        settings[f"bias, {name}"] = Setting({"keep_background": MASKS[name]}, hold)
    settings["bias, scale 4"] = Setting({"cfg_scale": 4.0}, hold)
    settings["bias, scale 4, grow 0"] = Setting({"cfg_scale": 4.0, "keep_background": MASKS["grow 0"]}, hold)
    settings["bias, blended"] = Setting({"method": "blended", "cfg_scale": 4.0}, hold)
    for name, edits in {"longer": hold_until(0.75), "to the end": hold_until(1.0)}.items():
        settings[f"bias {name}"] = Setting({}, edits)
        settings[f"bias {name}, skip 0.15"] = Setting({"skip": 0.15}, edits)
        settings[f"bias {name}, threshold .5"] = Setting({"keep_background": MASKS["threshold .5"]}, edits)
    return settings


PLACED = {
    "edit": Setting(FROM_NOISE, guide),
    "skip .15": Setting(HALF_AS_NOISY, guide),
    "scale 1": Setting(FROM_NOISE | {"cfg_scale": 1.0, "source_cfg_scale": 1.0}, guide),
    "scale 4": Setting(FROM_NOISE | {"cfg_scale": 4.0, "source_cfg_scale": 4.0}, guide),
    "bias": Setting(FROM_NOISE, bias),
    "blended, bias": Setting(FROM_NOISE | {"method": "blended", "cfg_scale": 4.0}, bias),
    "guidance and bias": Setting(FROM_NOISE, guide_and_bias),
    "grow 2": Setting(FROM_NOISE | {"keep_background": KeepBackground(grow=2)}, guide),
    "grow 3": Setting(FROM_NOISE | {"keep_background": KeepBackground(grow=3)}, guide),
    "grow 4": Setting(FROM_NOISE | {"keep_background": KeepBackground(grow=4)}, guide),
}
REMOVAL = {
    "edit": Setting(FROM_NOISE, hide),
    "skip .3": Setting({"skip": 0.3}, hide),
    "blended": Setting(FROM_NOISE | {"method": "blended", "cfg_scale": 4.0}, hide),
    "scale 4": Setting(FROM_NOISE | {"cfg_scale": 4.0, "source_cfg_scale": 1.0}, hide),
    "threshold .2": Setting(FROM_NOISE | {"keep_background": KeepBackground(threshold=0.2)}, hide),
}


class GivenTuning(GivenVideo):
    """Which scale, skip, mask and edit should be the defaults of `edit_video`?"""

    settings: ClassVar[Mapping[str, Mapping[str, Setting]]] = {
        "object": exchanges(), "size": PLACED, "path": PLACED, "removal": REMOVAL,
    }  # fmt: skip
    count: ClassVar[int] = 12
    first_seed: ClassVar[int] = 8_000_000

    def summary(self, rows: Sequence[Row]) -> dict:
        """Of `given_video`'s figures those by which a setting is chosen: no times, of processes that share a GPU."""
        table = super().summary(rows)
        for kinds in table.values():
            for settings in kinds.values():
                for name, figures in settings.items():
                    settings[name] = {title: figures[title] for title in SHOWN if title in figures}
        return table

    def markdown(self, table: dict) -> str:
        """The settings, a line each."""
        return settings_table(table)
