"""The settings of `given_video`: what is asked of `edit_video` for each kind of edit, by name.

"edit" is this series' way, chosen on the clips of `given_tuning`; every other changes one thing of it. A new object is
held where the old one was by a bias. An object that is moved needs room between the two places: the mask grows further.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...editing import SCALE, SKIP
from ...edits.bias import Bias
from ...edits.blending import KeepBackground
from ...edits.edit import Edit
from ...edits.guidance import Guidance
from ...edits.observed import Seen
from ...edits.swap import Reweight, Swap
from ...edits.targets import track
from .clips import EditedClip

Edits = Callable[[EditedClip, Seen], Sequence[Edit]]  # of a clip, and of what the network sees in it

DEFAULTS = {"skip": SKIP, "scale": SCALE}  # of `edit_video`
WITHOUT_MASK = {"keep_background": False}
PLAIN = {"method": "plain"}
SWAPPED = (0.0, 0.5)  # the window of a swap: later the new object needs a shape of its own
LARGER = 1.2  # of the sides
AS_LARGE = 2 / math.pi**0.5  # the diameter of a disc, over the side of a square as large
FROM_NOISE = {"skip": 0.0}  # an object that shall be elsewhere is decided early


@dataclass(frozen=True)
class Setting:
    """Knobs of `edit_video`, and edits."""

    knobs: dict[str, Any] = field(default_factory=dict)
    edits: Edits | None = None

    def depends(self) -> object:
        """All that a row depends on, defaults included, with a plain repr."""
        name = self.edits.__name__ if self.edits else ""
        place = track([(0.5, 0.5)])
        edits = Guidance("word", place), Bias("word", place)
        return sorted(self.knobs.items()), name, edits, KeepBackground(), DEFAULTS


def swap(clip: EditedClip, seen: Seen) -> list[Edit]:
    """The new object takes the maps of the old one."""
    return [Swap(clip.word, clip.new_word, source=clip.source.caption, window=SWAPPED)]


def hold(clip: EditedClip, seen: Seen) -> list[Edit]:
    """The new object is asked to be where the old one is."""
    return [Bias(clip.new_word, seen.moved(clip.word))]


def hold_until(share: float) -> Edits:
    """The same for another share of the steps."""

    def hold(clip: EditedClip, seen: Seen) -> list[Edit]:
        return [Bias(clip.new_word, seen.moved(clip.word), until=share)]

    hold.__name__ = f"hold until {share:g}"
    return hold


def hold_by(inside: float, outside: float, until: float = 0.5, scale: float = 1.0) -> Edits:
    """The same with other numbers that are added to the word's logits, and another size of its place."""

    def hold(clip: EditedClip, seen: Seen) -> list[Edit]:
        place = seen.moved(clip.word, scale)
        return [Bias(clip.new_word, place, inside=inside, outside=outside, until=until)]

    hold.__name__ = f"hold by {inside:g} and {outside:g} until {until:g}, {scale:g} times as large"
    return hold


def hold_larger(clip: EditedClip, seen: Seen) -> list[Edit]:
    """It is asked to be there, and to be larger: an object that is exchanged comes out too small."""
    return [Bias(clip.new_word, seen.moved(clip.word, LARGER))]


def hold_round(clip: EditedClip, seen: Seen) -> list[Edit]:
    """It is asked to be there in a disc as large as the old one: a turtle's shape is not a cat's."""
    return [Bias(clip.new_word, seen.as_track(clip.word, AS_LARGE))]


def hold_round_larger(clip: EditedClip, seen: Seen) -> list[Edit]:
    """The two together."""
    return [Bias(clip.new_word, seen.as_track(clip.word, LARGER * AS_LARGE))]


def pull(clip: EditedClip, seen: Seen) -> list[Edit]:
    """A gradient towards where the old object is."""
    return [Guidance(clip.new_word, seen.moved(clip.word))]


def hold_and_pull(clip: EditedClip, seen: Seen) -> list[Edit]:
    """The two together."""
    return [*hold(clip, seen), *pull(clip, seen)]


def hold_and_swap(clip: EditedClip, seen: Seen) -> list[Edit]:
    """The new object is asked to be where the old one is, and takes its maps."""
    return [*swap(clip, seen), *hold(clip, seen)]


def guide(clip: EditedClip, seen: Seen) -> list[Edit]:
    """A gradient towards the object's own maps, resized or moved."""
    return [Guidance(clip.word, moved_maps(clip, seen))]


def bias(clip: EditedClip, seen: Seen) -> list[Edit]:
    """Its logits up and down, without a gradient."""
    return [Bias(clip.word, moved_maps(clip, seen))]


def guide_and_bias(clip: EditedClip, seen: Seen) -> list[Edit]:
    """The two together."""
    return [*bias(clip, seen), *guide(clip, seen)]


def hide(clip: EditedClip, seen: Seen) -> list[Edit]:
    """The word is not attended to."""
    return [Reweight(clip.word, 0.0)]


def moved_maps(clip: EditedClip, seen: Seen) -> Any:
    """M x shape(A_orig), of the given video's own maps."""
    asked = clip.asked
    return seen.moved(clip.word, asked.get("scale", 1.0), (asked.get("across", 0.0), asked.get("down", 0.0)))


ROOM = FROM_NOISE | {"keep_background": KeepBackground(grow=4)}
OBJECT = {
    "edit": Setting({}, hold),
    "no bias": Setting(),
    "skip .15": Setting({"skip": 0.15}, hold),
    "swap": Setting({}, swap),
    "no mask": Setting(WITHOUT_MASK, hold),
    "plain": Setting(PLAIN, hold),
}
PLACED = {
    "edit": Setting(ROOM, guide),
    "bias": Setting(ROOM, bias),
    "no mask": Setting(ROOM | WITHOUT_MASK, guide),
    "plain": Setting(ROOM | PLAIN, guide),
}
REMOVAL = {
    "edit": Setting(FROM_NOISE, hide),
    "no mask": Setting(FROM_NOISE | WITHOUT_MASK, hide),
    "plain": Setting(FROM_NOISE | PLAIN, hide),
}
SETTINGS: dict[str, dict[str, Setting]] = {"object": OBJECT, "size": PLACED, "path": PLACED, "removal": REMOVAL}
