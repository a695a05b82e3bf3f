"""Seeing, swapping and guiding the cross-attention of text-to-image and text-to-video diffusion models."""

from .backward import Guidance
from .forward import Swap
from .metrics import detect
from .models import load
from .recording import capture
from .sampling import generate
from .targets import track

__all__ = ["Guidance", "Swap", "capture", "detect", "generate", "load", "track"]
