"""Seeing, swapping and guiding the cross-attention of text-to-image and text-to-video diffusion models."""

from .metrics import detect
from .models import load
from .recording import capture
from .sampling import generate

__all__ = ["capture", "detect", "generate", "load"]
