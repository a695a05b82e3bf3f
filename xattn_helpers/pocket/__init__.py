"""The pocket world, and the models that are trained on it: small enough for a repository and a laptop.

They add themselves to the models that `load` knows, and their detector to those that `detect` knows.
"""

from pathlib import Path

from ..backbones.catalogue import CHECKPOINTS, Checkpoint
from ..measures.detection import DETECTORS
from .detector import load_detector
from .world.vocabulary import check_prompt

WEIGHTS = Path(__file__).parent / "weights"
MADE = {"height": 128, "width": 128, "cfg_scale": 4.0, "check_prompt": check_prompt}

CHECKPOINTS["pocket"] = Checkpoint(str(WEIGHTS), frames=16, steps=14, **MADE)
CHECKPOINTS["pocket-t2i"] = Checkpoint(str(WEIGHTS), network="unet_t2i", scheduler="scheduler_t2i", steps=14, **MADE)
CHECKPOINTS["pocket-dit"] = Checkpoint(
    str(WEIGHTS), frames=16, network="transformer", scheduler="scheduler_dit", steps=25,
    training="python -m xattn_helpers.pocket.training --stages dit", **MADE,
)  # fmt: skip
DETECTORS["pocket"] = load_detector
