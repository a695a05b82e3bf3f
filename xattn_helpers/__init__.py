"""Seeing, swapping and steering the cross-attention of text-to-image and text-to-video diffusion models."""

from . import threads as threads  # before anything that loads torch

# isort: split
from . import pocket
from .attention.recording import capture
from .backbones.model import Model, load
from .display import show
from .editing import edit_video
from .edits.bias import Bias
from .edits.blending import KeepBackground
from .edits.guidance import Guidance
from .edits.observed import observe
from .edits.sizes import size_edits
from .edits.swap import Refine, Replace, Reweight, Swap
from .edits.targets import Track, track
from .measures.detection import detect
from .sampling import Clip, generate

__all__ = [
    "Bias", "Clip", "Guidance", "KeepBackground", "Model", "Refine", "Replace", "Reweight", "Swap", "Track", "capture",
    "detect", "edit_video", "generate", "load", "observe", "pocket", "show", "size_edits", "track",
]  # fmt: skip

__version__ = "0.1.0"
