"""Clips that do not fit the memory: made in parts, or what to change."""

from collections.abc import Sequence
from typing import Any

from .backbones.backbone import LISTENERS
from .backbones.model import Model
from .edits.edit import Edit
from .request import Request


def halves(model: Model, request: Request, edits: Sequence[Edit]) -> list[tuple[Request, list[Edit]]]:
    """Two requests that make the same clips one after the other, with their edits.

    None where that would change what somebody gets: of a single clip; while attention is recorded or edited from
    outside, where a run is expected to be one; and with an edit that does not say how it acts on some of the prompts.
    """
    count, described = len(request.prompts), list[Any](edits)
    somebody_listens = any(entry.network is model.network for entry in LISTENERS.get())
    if count == 1 or somebody_listens or not all(hasattr(edit, "for_prompts") for edit in edits):
        return []
    parts = []
    for chosen in (slice(0, count // 2), slice(count // 2, count)):
        parts.append((request.of(chosen), [edit.for_prompts(chosen) for edit in described]))
    return parts


def too_large(model: Model, request: Request, edits: Sequence[Edit], said: str) -> str:
    """What can be changed where the memory is full."""
    count, precision = len(request.prompts), str(model.dtype).removeprefix("torch.")
    helps = [f"fewer prompts in a call (given: {count})"] if count > 1 else []
    if any(getattr(edit, "memory", "save") != "save" for edit in edits):
        helps.append('Guidance(…, memory="save")')
    helps += [f"fewer frames (given: {request.frames})"] if request.frames > 1 else []
    helps.append(f"a smaller height and width (given: {request.height} and {request.width})")
    helps += ['dtype="float16" in load'] if precision in ("float32", "float64") else []
    helps.append("deleting models and recordings that are not needed any more (del, then torch.cuda.empty_cache())")
    return f"the memory of {model.device} is full; what helps is {', '.join(helps)}. Torch says: {said}"
