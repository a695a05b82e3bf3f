"""The cell that makes what an explorer shows, as text: the calls that a lesson makes."""

from collections.abc import Sequence
from typing import Any

from ...backbones.catalogue import CHECKPOINTS
from ...backbones.model import Model
from ...edits.targets import Track

KEPT = "# model: as in this notebook"


def cell(model: Model, imports: Sequence[str], *lines: str, display: Sequence[str] = ()) -> str:
    """A cell that begins with its imports and the model; one that was not loaded by name is that of the notebook."""
    name = model_name(model)
    first = f"model = load({name!r})" if name else KEPT
    names: list[str] = sorted({*imports, *(["load"] if name else [])})
    above = [f"from xattn_helpers import {', '.join(names)}"]
    above += [f"from xattn_helpers.display import {', '.join(display)}"] if display else []
    return "\n".join([*above, "", first, *lines])


def model_name(model: Model) -> str:
    """The name by which `load` gives this model, or ""."""
    for name, checkpoint in CHECKPOINTS.items():
        if checkpoint == model.defaults:
            return name
    return ""


def track_text(path: Track) -> str:
    """The call of `track` that makes a path."""
    sizes = [width if width == height else (width, height) for width, height in path.sizes]
    size = sizes[0] if len(set(sizes)) == 1 else sizes
    options = "".join([", smooth=True"] * path.smooth)
    options += "" if path.easing == "linear" else f", easing={path.easing!r}"
    return f"track({list(path.keys)}, size={size}{options})"


def steered_cell(
    model: Model, prompt: str, seed: int, edit: str, words: Sequence[str], tracks: Sequence[Track], knobs: str
) -> str:
    """A cell that leads objects along tracks by an edit, "Guidance" or "Bias"; one object needs no lists."""
    if len(tracks) == 1:
        path, arguments = f"path = {track_text(tracks[0])}", f"{words[0]!r}, path"
    else:
        texts = [f"    {track_text(path)},\n" for path in tracks]
        path, arguments = f"paths = [\n{''.join(texts)}]", f"{list(words)!r}, paths"
    line = f"clip = generate(model, {prompt!r}, seed={seed}, edits={edit}({arguments}{knobs}))"
    return cell(model, [edit, "generate", "show", "track"], path, line, "show(clip)")


def knobs_text(knobs: dict[str, Any], usual: dict[str, Any]) -> str:
    """The knobs that are not as usual, as arguments after others."""
    texts = [f", {name}={value!r}" for name, value in knobs.items() if value != usual[name]]
    return "".join(texts)
