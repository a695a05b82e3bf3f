"""Everything that knows a network: the only room that a new model touches."""

from . import ltx, unet, wan

__all__ = ["ltx", "unet", "wan"]  # each registers its families
