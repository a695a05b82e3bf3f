"""What the detector sees in the clips of a lesson, as numbers and as words; it knows the drawn world only."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..edits.targets import Track
from ..measures import adherence
from ..measures.boxes import Boxes, detected
from ..measures.detection import detect
from ..sampling import Clip


@dataclass(frozen=True)
class Sight:
    """The detector's view of the clips of a model; where it does not know the model's world, NaN and no words."""

    model: str  # its name, as `load` takes it

    @property
    def is_clear(self) -> bool:
        """Whether the detector knows what this model draws."""
        return self.model.startswith("pocket")

    def boxes(self, clip: Clip, word: str) -> Boxes:
        """Boxes (frames, 4) of an object, a row of NaN where it is not seen."""
        return detect(clip.video, word)[0] if self.is_clear else np.full((len(clip.video), 4), np.nan)

    def sizes(self, clips: Sequence[Clip], word: str) -> list[float]:
        """The size of an object in each clip, in parts of the picture; NaN where it is not seen."""
        return [adherence.size(self.boxes(clip, word)) for clip in clips]

    def overlap(self, clip: Clip, word: str, path: Track) -> str:
        """How well an object keeps to its path: "IoU 0.73", or nothing."""
        if not self.is_clear:
            return ""
        return f"IoU {adherence.mean_iou(self.boxes(clip, word), path.boxes(len(clip.video))):.2f}"

    def shares(self, clip: Clip, words: Sequence[str]) -> str:
        """In which share of the frames each object is seen: "(frames with kite 100%, truck 0%)", or nothing."""
        if not self.is_clear:
            return ""
        texts = [f"{word} {detected(self.boxes(clip, word)).mean():.0%}" for word in words]
        return f"(frames with {', '.join(texts)})"
