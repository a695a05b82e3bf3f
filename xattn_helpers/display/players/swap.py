"""The player of a swap: the target's own clip and the swapped one in one picture, with a line between them."""

from IPython.display import HTML

from ...arguments import checked
from ...sampling import Clip
from .markup import picture, player


@checked
def swap_player(clip: Clip, own: Clip, caption: str = "") -> HTML:
    """A player of a swapped clip and, before the swap, the target's own clip; the source is beside them.

    clip: with its source in `clip.source`. caption: what was swapped, by default the prompt of the target.
    Raises ValueError for a clip without a source, and clips of different sizes.
    """
    if clip.source is None:
        raise ValueError("clip: it has no source; possible are clips made with edits=Swap(…, source=…)")
    if own.video.shape != clip.video.shape or clip.source.video.shape != clip.video.shape:
        shapes = f"{own.video.shape}, {clip.source.video.shape}"
        raise ValueError(f"own: {shapes} of own clip and source; possible is the shape of clip, {clip.video.shape}")
    clips = [
        (clip.source, f"the source: {clip.source.prompt}"),
        (own, f"before the swap: {own.prompt}"),
        (clip, f"after the swap: {clip.prompt}"),
    ]
    content = "".join(picture(shown.video, text) for shown, text in clips)
    settings = {"fps": 8, "source": clip.source.prompt, "caption": caption or clip.prompt}
    return HTML(player("swap", content, settings))
