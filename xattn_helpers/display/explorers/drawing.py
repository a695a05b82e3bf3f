"""Drawing where objects shall go, and letting guidance lead them there.

From Python: `drawer = PathDrawer(model, "a duck swims on the water", "duck", tracks=track([(0.2, 0.5), (0.8, 0.5)]))`,
`drawer.run()`; then `drawer.tracks`, `drawer.clip`, `drawer.own`, `drawer.iou` and `drawer.picture` are what is seen.
"""

from IPython.display import HTML

from ...arguments import checked
from ...backbones.model import Model
from ...edits.guidance import Guidance
from ...edits.targets import Track, track
from ...kinds import PathLike, Words
from ...sampling import Clip
from ..players import track_player
from .knobs import GuidanceKnobs
from .panel import WidgetSeed
from .paths import Tracks, as_objects, drawing, map_sizes
from .steered import Steered


class PathDrawer(GuidanceKnobs, Steered):
    """Draw a path, or several, on the first frame of the unguided clip, and see the clip whose objects follow them.

    `words` are the objects, one or a list, `tracks` their paths, by default one from the upper left to the lower right.
    Frames are dots along a path: their spacing is the speed, and they can be dragged. Run makes the guided clip with
    `Guidance`, and the unguided one where it is not there yet. What a user gets wrong is said in `message`, not raised.
    `detector` finds the objects afterwards, as in `detect`.

    Controls, each with a `value`: prompt, seed, pad, strength, law, schedule; buttons: run_button, stop_button,
    own_button. Results: tracks and words, what is drawn now; clip, own, asked, seen, iou. Raises ValueError for another
    number of tracks than words.
    """

    CONTROLS = ("prompt", "seed", "pad", "strength", "law", "schedule")
    title, kind = "guided", Guidance

    @checked
    def __init__(
        self, model: Model, prompt: str = "a burger floats on the water", words: Words = "burger",
        seed: WidgetSeed = 0, tracks: Tracks = None, detector: PathLike = "pocket",
    ):  # fmt: skip
        names, paths = as_objects(words, tracks)
        super().__init__(model, prompt, names, seed, paths, detector, "Generate the guided clip")
        self.arrange([self.prompt, self.seed, self.own_button], self.make_knobs(), beside=[self.pad])

    def sizes(self) -> set[tuple[int, int]]:
        """Height and width of the maps that guidance looks at by default."""
        return map_sizes(self.model, Guidance("object", track([(0.5, 0.5)])).sites(self.model))

    @checked
    def explore(self, clip: Clip, word: str, asked: Track, own: Clip | None = None) -> None:
        """Show a clip that was guided along a track, beside the unguided one to draw on; nothing runs."""
        self.prompt.value, self.seed.value = clip.prompt, clip.seed
        self.pad.value = [drawing(word, asked, len(clip.video))]
        self.own, self.own_seen = own, {} if own is None else self._find(own, [word])
        self.asked, self.seen = {word: asked}, self._find(clip, [word])
        self.have(clip)

    def stored_player(self) -> HTML | None:
        """For one object a dozen ready-made paths, for which the model runs; for several the clip that is there."""
        if self.clip is None or not self.model.is_video or len(self.words) != 1:
            return super().stored_player()
        return track_player(self.model, self.prompt.value, self.words[0], self.seed.value)
