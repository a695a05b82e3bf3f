"""The methods that are compared, with the strengths and schedules that they were published with."""

from typing import Any

from ..guidance.setting import Setting
from .gaussian import Gaussian
from .masks import Masks

MODELS = ("pocket", "pocket-dit")
LVD: dict[str, Any] = {  # 10 of 40 steps, up to 5 updates at each; its threshold of 200 is that of longer sums
    "energy": "lvd", "law": "sqrt(1 - abar)", "strength": 5.0, "schedule": "first quarter", "repeats": 5,
    "shape": "box",
}  # fmt: skip
PEEKABOO: dict[str, Any] = {"until": 0.1, "shared": False, "pixels": True}
DITRAJ: dict[str, Any] = {"until": 0.5, "shared": True, "pixels": False}
SETTINGS = {
    "unguided": Setting(),
    "bias": Setting(bias={}),
    "Peekaboo's masks": Setting(extra=(Masks, PEEKABOO)),
    "Peekaboo's masks, half": Setting(extra=(Masks, PEEKABOO | {"until": 0.5})),
    "masks of words (DiTraj)": Setting(extra=(Masks, DITRAJ)),
    "TrailBlazer's Gaussian": Setting(extra=(Gaussian, {})),
    "TrailBlazer's Gaussian, half": Setting(extra=(Gaussian, {"until": 0.5})),
    "LVD's energy": Setting(LVD),
    "gradient": Setting({}),
    "gradient, early blocks": Setting({"groups": "early"}),
}
OF_TRANSFORMERS = ("gradient, early blocks",)  # whose blocks have these names


def settings_of(model: str) -> list[str]:
    """The methods that a model is steered by."""
    return [name for name in SETTINGS if model != MODELS[0] or name not in OF_TRANSFORMERS]
