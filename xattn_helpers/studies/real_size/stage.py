"""What lessons run on here: stand-ins instead of downloads, a precision, and a GPU that is smaller than it is."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import torch

from ...backbones import places
from ...backbones.catalogue import CHECKPOINTS, Checkpoint
from ...backbones.stand_ins import write

SMALL = {"frames": 3, "height": 64, "width": 128}  # of videos of small stand-ins; images are squares


@contextmanager
def standing_in(
    names: Sequence[str], folder: Path, small: bool, device: str, steps: int | None = None, precision: str = "float16"
) -> Iterator[None]:
    """Inside, `load` finds random weights under the names of published models, and takes another precision by default.

    `steps` are the denoising steps of a clip, by default the models' own. Small stand-ins make small clips, too.
    """
    known, precisions = dict(CHECKPOINTS), dict(places.PRECISIONS)
    try:
        for name in names:
            entry = replace(known[name], source=str(write(name, folder, small, device)))
            entry = _smaller(entry) if small else entry
            CHECKPOINTS[name] = replace(entry, steps=steps or entry.steps)
        places.PRECISIONS[device] = getattr(torch, precision)
        yield
    finally:
        CHECKPOINTS.update(known)
        places.PRECISIONS.update(precisions)


def _smaller(entry: Checkpoint) -> Checkpoint:
    if entry.frames == 1:
        return replace(entry, height=SMALL["width"], width=SMALL["width"])
    return replace(entry, **SMALL)


@contextmanager
def limited(gib: float, device: str) -> Iterator[None]:
    """Inside, torch fills at most so many GiB of the GPU, as if that were all there is."""
    if device != "cuda":
        yield
        return
    total = torch.cuda.mem_get_info()[1] / 2**30
    torch.cuda.empty_cache()
    torch.cuda.set_per_process_memory_fraction(min(1.0, gib / total))
    try:
        yield
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
