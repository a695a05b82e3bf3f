"""Reading what an earlier call of the training program has stored, and what to say of a damaged file."""

import pickle
import zipfile
from pathlib import Path
from typing import Any

import torch


class UnusableFile(ValueError):
    """A file of an earlier call that cannot be used, with what to do."""


def read(file: Path, device: torch.device | str, advice: str) -> Any:
    """What `torch.save` wrote; raises UnusableFile for one that is not whole, with what to do."""
    try:
        return torch.load(file, map_location=device, weights_only=True)
    except (RuntimeError, EOFError, OSError, ValueError, KeyError, pickle.UnpicklingError, zipfile.BadZipFile) as error:
        reason = type(error).__name__
        raise UnusableFile(f"{file} is damaged, or was not written to its end: {advice} ({reason})") from None
