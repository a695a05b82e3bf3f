"""What the explorers share: prompt and seed, a run that can be stopped, a player, and what becomes of a result."""

import html
import re
import warnings
from collections.abc import Sequence
from typing import Annotated, Any, ClassVar

import ipywidgets as widgets
from IPython.display import HTML
from pydantic import Field

from ...backbones.model import Model
from ...edits.edit import Edits
from ...sampling import Clip, generate
from ..checks import Frames
from ..pixels import Picture
from ..players import with_player
from .choices import Vocabulary, check_text
from .player import Player
from .results import History, Saver
from .runner import BEGIN, USUAL, Runner

PROMPT_LOOK, SEED_LOOK = {"width": "420px", "max_width": "100%"}, {"width": "160px"}
CODE_LOOK = {"width": "100%", "height": "170px", "display": "none"}
ROW = {"flex_flow": "row wrap", "align_items": "center", "max_width": "100%"}
STAGE = {"flex_flow": "row wrap", "align_items": "flex-start", "max_width": "100%", "grid_gap": "12px"}
STALE = " (the controls have changed since: press <b>Run</b>)"

WidgetSeed = Annotated[int, Field(ge=0, le=2**31 - 1)]  # that a box for numbers holds


class Panel(Runner):
    """An explorer without its own controls. A subclass has `make`, `refresh`, `describe`, `code` and `CONTROLS`.

    There are, beside what a `Runner` has: prompt, seed, vocabulary (hidden for models without one); player, with frame,
    play and picture, uint8 (height, width, 3), what is seen; saver; history; code_box, with the text of the cell that
    makes the clip. clip is None before the first run.
    """

    CONTROLS: ClassVar[tuple[str, ...]] = ("prompt", "seed")  # those that say which clip is meant
    RESULTS: ClassVar[tuple[str, ...]] = ()  # attributes that the history keeps; they must be small

    def __init__(self, model: Model, prompt: str, seed: int, height: int, tooltip: str):
        super().__init__(model, tooltip)
        self.clip: Clip | None = None
        self.settings: dict[str, Any] = {}  # the controls of the clip that is there
        self.prompt = widgets.Text(prompt, description="prompt", layout=PROMPT_LOOK)
        self.seed = widgets.BoundedIntText(seed, min=0, max=2**31 - 1, description="seed", layout=SEED_LOOK)
        self.player = Player(model.defaults.frames, height)
        self.vocabulary = Vocabulary(model, self.write)
        self.saver, self.history = Saver(self), History(self)
        self.code_button = widgets.ToggleButton(False, description="Code", tooltip="The cell that makes this clip")
        self.code_box = widgets.Textarea(disabled=True, layout=CODE_LOOK)
        self.frame.observe(self._moved, names="value")
        self.code_button.observe(self._open_code, names="value")

    @property
    def frame(self) -> Any:
        """The slider of the frame that is seen."""
        return self.player.frame

    @property
    def play(self) -> Any:
        """What moves the frame where the browser's player cannot be had."""
        return self.player.play

    @property
    def image(self) -> Any:
        """What shows the picture there."""
        return self.player.image

    @property
    def picture(self) -> Picture | None:
        """What is seen, uint8 (height, width, 3)."""
        return self.player.picture

    def describe(self) -> str:
        """What is seen, as HTML."""
        raise NotImplementedError

    def code(self) -> str:
        """The cell that makes the clip that the controls describe. Raises ValueError for what cannot be."""
        raise NotImplementedError

    def label(self) -> str:
        """A name for a run in the history."""
        return f"seed {self.seed.value}"

    def stored_player(self) -> HTML | None:
        """What stands in for the explorer where no kernel is: a player over stored data, if there is a clip."""
        return None

    def _repr_mimebundle_(self, **options: Any) -> Any:
        return with_player(super()._repr_mimebundle_(**options), self.stored_player)

    def check(self) -> None:
        """Raise ValueError for controls with which a run cannot succeed; asked at each change."""
        check_text(self.model, self.prompt.value, getattr(self, "word", self.prompt).value)

    def write(self, prompt: str, word: str) -> None:
        """A prompt and its word from the vocabulary."""
        self.prompt.value = prompt
        if hasattr(self, "word"):
            self.word.value = word

    def arrange(self, *rows: Sequence[Any], beside: Sequence[Any] = ()) -> None:
        """Put rows of controls above buttons and player, others beside the player, and watch those of `CONTROLS`."""
        for name in self.CONTROLS:
            control = getattr(self, name)
            control.observe(self.changed, names="value")
            if isinstance(control, widgets.Text):
                self._run_on_enter(control)
        self.vocabulary.read(self.prompt.value)
        boxes = [widgets.HBox(list(row), layout=ROW) for row in rows]
        buttons = widgets.HBox([self.run_button, self.stop_button, self.progress], layout=ROW)
        after = widgets.HBox([self.saver, self.code_button], layout=ROW)
        stage = widgets.HBox([*beside, self.player], layout=STAGE)
        self.children = [self.vocabulary, *boxes, buttons, self.message, stage, after, self.code_box, self.history]
        self.changed()

    def generate(self, prompt: str, seed: int, edits: Edits = ()) -> Clip:
        """A clip, each step of which is shown, and after each of which Stop is heard."""
        clip = generate(self.model, prompt, seed=seed, edits=edits, progress=False, watch=self.progress.watch)
        self.progress.next_clip()
        return clip

    def read(self) -> dict[str, Any]:
        """What the controls say, by their names."""
        return {name: getattr(self, name).value for name in self.CONTROLS}

    def is_current(self) -> bool:
        """Whether the clip that is there is what the controls describe."""
        return self.clip is not None and self.settings == self.read()

    def have(self, clip: Clip, settings: dict[str, Any] | None = None) -> None:
        """This is the clip that the controls describe now, or described when it was begun."""
        self.clip, self.settings = clip, settings or self.read()
        self.refresh()
        self.changed()
        self.history.add()

    def show(self, video: Frames, titles: Sequence[str] = (), marks: Sequence[dict[str, Any]] = ()) -> None:
        """Let the player show a video, uint8 (frames, height, width, 3)."""
        self.player.show(video, titles, marks)

    def changed(self, _change: dict | None = None) -> None:
        """After a change of a control: say what is wrong with it, or what is seen and whether it is stale."""
        stale = self.clip is not None and not self.is_current()
        code = ""
        try:
            self.check()
            code = self.code()
            said = BEGIN if self.clip is None else self.describe() + (STALE if stale else "")
            if not self.is_running:
                self.is_wrong, self.message.value = False, said
        except USUAL as error:
            if not self.is_running:
                self.say(error)
        self.code_box.value = code
        shown = "" if self.clip is None else html.unescape(re.sub("<[^>]*>", "", self.describe()))
        self.player.say(shown, stale, code)

    def _moved(self, _change: dict) -> None:
        """The message may be about the frame; an error stays."""
        last = max(1, self.frame.max)
        self.progress.share = self.frame.value / last
        if not self.is_wrong:
            self.changed()

    def _open_code(self, _change: dict) -> None:
        self.code_box.layout.display = "" if self.code_button.value else "none"

    def _run_on_enter(self, control: Any) -> None:
        with warnings.catch_warnings():  # of ipywidgets 8, which has no other way to tell Enter from leaving a field
            warnings.simplefilter("ignore", DeprecationWarning)
            control.on_submit(self.start)
