"""What the explorers share that lead objects along paths: a pad, the unguided clip, where the objects really are."""

import html
from typing import Any, ClassVar
from uuid import uuid4

import ipywidgets as widgets
from IPython.display import HTML

from ...backbones.model import Model
from ...edits.targets import Track
from ...kinds import PathLike
from ...measures.adherence import mean_iou
from ...measures.boxes import Boxes
from ...measures.detection import detect
from ...sampling import Clip
from ..overlays import draw_boxes
from ..pixels import rows_of
from ..videos import show
from .choices import check_text, words
from .knobs import PathEdit
from .panel import Panel
from .paths import COLORS, as_lists, as_track, drawing
from .player import has_anywidget
from .sliders import SliderPad

PICTURE_HEIGHT = 220  # CSS pixels, where the kernel sends pictures
GAP = 4  # white pixels between two clips


class Steered(PathEdit, Panel):
    """An explorer with a pad to draw on. A subclass has a `kind` of edit, its `knobs`, and `sizes`.

    pad: a `PathPad`, or sliders where anywidget cannot be had; own_button makes the unguided clip to draw on. Results:
    clip; own, the unguided clip; asked, the tracks of clip by their words; seen, the boxes that the detector finds by
    word, (frames, 4), empty where it cannot tell; iou, their mean overlap with what was asked for.
    """

    CONTROLS: ClassVar[tuple[str, ...]] = ("prompt", "seed", "pad")
    RESULTS: ClassVar[tuple[str, ...]] = ("clip", "own", "asked", "seen", "own_seen")

    def __init__(
        self, model: Model, prompt: str, names: list[str], seed: int, tracks: list[Track], detector: PathLike, tip: str
    ):
        super().__init__(model, prompt, seed, PICTURE_HEIGHT, tip)
        self.detector = detector
        self.own: Clip | None = None
        self.asked: dict[str, Track] = {}
        self.seen: dict[str, Boxes] = {}
        self.own_seen: dict[str, Boxes] = {}
        self.own_button = widgets.Button(description="Unguided clip", tooltip="Make the clip to draw on")
        self.own_button.on_click(lambda _: self.start(make=self.make_own))
        self.pad = self._pad(names, tracks)
        self.prompt.observe(self._offer, names="value")
        self._offer()

    def __repr__(self) -> str:
        """What a stored notebook shows, where no kernel is: one line."""
        return f"{type(self).__name__}({self.prompt.value!r}, {self.words!r}); run this notebook to use it"

    def sizes(self) -> set[tuple[int, int]]:
        """Height and width of the maps that are held against the target."""
        raise NotImplementedError

    @property
    def words(self) -> list[str]:
        """The word of each object."""
        return [drawn["word"] for drawn in self.pad.value]

    @property
    def tracks(self) -> list[Track]:
        """The path of each object. Raises ValueError for an object without a point."""
        return [as_track(drawn) for drawn in self.pad.value]

    @property
    def iou(self) -> dict[str, float]:
        """How well each object keeps to its boxes, in [0, 1]; a frame in which it is not seen counts 0."""
        return self._overlaps(self.seen)

    def check(self) -> None:
        """Raise ValueError for a word that is not in the prompt, or has no path."""
        if not self.pad.value:
            raise ValueError("track: none given; it needs an object with one point or more")
        for word in self.words:
            check_text(self.model, self.prompt.value, word)
        self.edit()

    def write(self, prompt: str, word: str) -> None:
        """A prompt and its word from the vocabulary; the word is that of the first object."""
        first, *rest = self.pad.value
        self.pad.value = [{**first, "word": word}, *rest]
        self.prompt.value = prompt

    def label(self) -> str:
        """A name for a run in the history."""
        return f"{' and '.join(self.words)}, seed {self.seed.value}"

    def make(self) -> None:
        """The steered clip, and then, unless it is there, the unguided one beside it."""
        settings, edit, asked = self.read(), self.edit(), dict(zip(self.words, self.tracks, strict=True))
        self.progress.expect(1 if self._has_own() else 2)
        clip = self.generate(settings["prompt"], settings["seed"], edit)
        self.asked, self.seen = asked, self._find(clip, list(asked))
        if not self._has_own():
            self.own, self.own_seen = None, {}
        self.have(clip, settings)
        if self.own is None:
            self.own = self.generate(settings["prompt"], settings["seed"])
            self.refresh()
        self.own_seen = self._find(self.own, list(asked))
        self.history.keep()
        self.changed()

    def make_own(self) -> None:
        """The unguided clip, to draw on."""
        self.progress.expect(1)
        self.own = self.generate(self.prompt.value, self.seed.value)
        self.own_seen = self._find(self.own, self.words)
        self.refresh()

    def stored_player(self) -> HTML | None:
        """The clip with its boxes beside the unguided one, as a reader of a page can play it."""
        if self.clip is None or self.own is None:
            return None
        boxed = self.clip.video
        for index, path in enumerate(self.asked.values()):
            boxed = draw_boxes(boxed, path.boxes(len(boxed)), COLORS[index % len(COLORS)])
        return show(self.own, boxed, titles=["unguided", self.title])

    def refresh(self, _change: dict | None = None) -> None:
        """Show the clips that are there side by side, with boxes, and let the pad lie on the unguided one."""
        clips, titles = [], []
        if self.own is not None:
            clips, titles = [self.own], ["unguided"]
        self.pad.ground(self.own.video if self.own is not None else None)
        if self.clip is not None:
            clips, titles = [*clips, self.clip], [*titles, self.title]
        if not clips:
            return
        video, marks = rows_of([clip.video for clip in clips], GAP), []
        for number, clip in enumerate(clips):
            width = clip.video.shape[2] / video.shape[2]
            left = number * (clip.video.shape[2] + GAP) / video.shape[2]
            marks += self._marks(clip, left, width, len(video))
        self.show(video, titles, marks)

    def _marks(self, clip: Clip, left: float, width: float, frames: int) -> list[dict[str, Any]]:
        """The boxes over a clip: those that were asked for, of the steered one alone, and those that are seen."""
        seen = self.seen if clip is self.clip else self.own_seen
        marks = []
        for index, (word, path) in enumerate(self.asked.items()):
            mark: dict[str, Any] = {"left": left, "width": width, "color": COLORS[index % len(COLORS)]}
            mark["asked"] = as_lists(path.boxes(frames)) if clip is self.clip else None
            mark["seen"] = as_lists(seen[word]) if word in seen else None
            marks.append(mark)
        return marks

    def describe(self) -> str:
        """What is seen, and how well the objects keep to their paths."""
        texts, own = [], self._overlaps(self.own_seen)
        for word, value in self.iou.items():
            beside = f", unguided {own[word]:.2f}" if word in own else ""
            texts.append(f"<b>{html.escape(word)}</b>: mIoU {value:.2f}{beside}")
        prompt = html.escape(str(self.settings.get("prompt", "")))
        measured = "; ".join(texts) or "not measured: the detector does not know these objects"
        return f"“{prompt}”, seed {self.settings.get('seed')}. {measured} (lines: asked; dashes and dots: seen)"

    def _overlaps(self, seen: dict[str, Boxes]) -> dict[str, float]:
        """The mean IoU of boxes with the tracks that were asked for."""
        overlaps = {}
        for word, path in self.asked.items():
            if word in seen:
                overlaps[word] = mean_iou(seen[word], path.boxes(len(seen[word])))
        return overlaps

    def _find(self, clip: Clip, names: list[str]) -> dict[str, Boxes]:
        """Where the detector sees objects; of those that it does not know nothing."""
        boxes = {}
        for name in names:
            try:
                boxes[name] = detect(clip.video, name, self.detector)[0]
            except (ValueError, OSError):  # a word, a size, or a detector that cannot be had
                continue
        return boxes

    def _has_own(self) -> bool:
        """Whether the unguided clip is that of the prompt and seed."""
        return self.own is not None and (self.own.prompt, self.own.seed) == (self.prompt.value, self.seed.value)

    def _pad(self, names: list[str], tracks: list[Track]) -> Any:
        """Something to draw on, with the tracks on it."""
        frames, defaults = self.model.defaults.frames, self.model.defaults
        drawn = [drawing(name, path, frames) for name, path in zip(names, tracks, strict=True)]
        if not has_anywidget():
            pad = SliderPad(frames=frames)
            pad.value = drawn
            return pad
        from .pad import PathPad

        room = uuid4().hex
        pad = PathPad(value=drawn, frames=frames, width=defaults.width, height=defaults.height, room=room)
        pad.grids = [[f"{height} × {width}", height, width] for height, width in sorted(self.sizes())]
        self.player.film.room = room
        return pad

    def _offer(self, _change: dict | None = None) -> None:
        """The words of the prompt become the choices of the pad."""
        self.pad.words = list(words(self.prompt.value))
