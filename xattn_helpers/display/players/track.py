"""The player of guidance: an object that was asked to go along a dozen ready-made paths."""

from collections.abc import Mapping, Sequence
from typing import Any

from IPython.display import HTML

from ...arguments import checked
from ...backbones.model import Model
from ...edits.guidance import Guidance
from ...edits.targets import Track, track
from ...kinds import Prompt, Seed
from ...measures.adherence import mean_iou
from ...measures.detection import detect
from ...sampling import Clip, generate
from .markup import picture, player

PATHS: Mapping[str, Mapping[str, Any]] = {  # arguments of `track`
    "left to right": {"keys": [(0.2, 0.5), (0.8, 0.5)]},
    "right to left": {"keys": [(0.8, 0.5), (0.2, 0.5)]},
    "down on the left": {"keys": [(0.25, 0.2), (0.25, 0.8)]},
    "up on the right": {"keys": [(0.75, 0.8), (0.75, 0.2)]},
    "down to the right": {"keys": [(0.2, 0.25), (0.8, 0.75)]},
    "up to the right": {"keys": [(0.2, 0.75), (0.8, 0.25)]},
    "round the corner": {"keys": [(0.25, 0.2), (0.25, 0.8), (0.8, 0.8)]},
    "over an arch": {"keys": [(0.2, 0.75), (0.5, 0.25), (0.8, 0.75)], "smooth": True},
    "there and back": {"keys": [(0.2, 0.6), (0.8, 0.6), (0.2, 0.6)]},
    "larger in place": {"keys": [(0.5, 0.55), (0.5, 0.55)], "size": [0.25, 0.6]},
    "smaller in place": {"keys": [(0.5, 0.55), (0.5, 0.55)], "size": [0.6, 0.25]},
    "still in a corner": {"keys": [(0.75, 0.3)]},
}
QUALITY = 50  # of thirteen clips: a quarter smaller than at 70, and nobody sees it
NOT_SEEN = "the detector does not see it"


@checked
def track_player(
    model: Model, prompt: Prompt, word: str, seed: Seed = 0, paths: Mapping[str, Any] | None = None
) -> HTML:
    """A player of one clip guided along each path, beside the unguided one; the model runs for all of them.

    paths: tracks by name, by default a dozen ready-made ones. In the pocket world each says how well it was obeyed.
    Raises what `generate` raises.
    """
    paths = ready_made() if paths is None else paths
    own = generate(model, prompt, seed=seed, progress=False)
    guided = []
    for name, path in paths.items():
        clip = generate(model, prompt, seed=seed, edits=Guidance.for_track(word, path), progress=False)
        guided.append((name, path, clip))
    return assembled(own, guided, word)


def ready_made() -> dict[str, Track]:
    """The tracks of `PATHS`."""
    return {name: track(**arguments) for name, arguments in PATHS.items()}


def assembled(own: Clip, guided: Sequence[tuple[str, Track, Clip]], word: str) -> HTML:
    """The player of clips that are there: the unguided one, and names, tracks and guided clips."""
    content = picture(own.video, f"without guidance: {own.prompt}", QUALITY)
    data = []
    for name, path, clip in guided:
        boxes = path.boxes(len(clip.video))
        content += picture(clip.video, f"guided, {name}: {clip.prompt}", QUALITY)
        rounded = [[round(float(side), 3) for side in box] for box in boxes]
        data.append({"name": name, "boxes": rounded, "measured": measured(clip, word, path)})
    return HTML(player("track", content, {"fps": 8}, data))


def measured(clip: Clip, word: str, path: Track) -> str:
    """How well a clip obeys its track, in words; empty for an object that the detector does not know."""
    try:
        boxes, _ = detect(clip.video, word)
    except ValueError:
        return ""
    overlap = mean_iou(boxes, path.boxes(len(clip.video)))
    return f"mean IoU with the box {overlap:.2f}" if overlap > 0 else NOT_SEEN
