"""Seeing, swapping and steering the cross-attention of text-to-image and text-to-video diffusion models."""

from . import threads as threads  # before anything that loads torch

# isort: split
from . import pocket
from .attention.recording import capture
from .backbones.model import Model, load
from .display import show
from .edits.bias import Bias
from .edits.guidance import Guidance
from .edits.swap import Refine, Replace, Reweight, Swap
from .edits.targets import Track, track
from .measures.detection import detect
from .sampling import Clip, generate

__all__ = [
    "Bias", "Clip", "Guidance", "Model", "Refine", "Replace", "Reweight", "Swap", "Track", "capture", "detect",
    "generate", "load", "pocket", "show", "track",
]  # fmt: skip

__version__ = "0.1.0"
