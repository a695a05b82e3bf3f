"""What the explorers share: a button that runs, a frame with its player, a message and a picture."""

import html
import io
import string
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Annotated, Any

import ipywidgets as widgets
from PIL import Image
from pydantic import Field

from ...backbones.model import Model
from ..pixels import Picture
from .interrupts import interruptible

PLAYER_PAUSE = 180  # milliseconds from one frame to the next: each has to travel from the kernel to the browser
PROMPT_LOOK, SEED_LOOK = {"width": "420px"}, {"width": "160px"}
EVERYTHING = "all"  # of the groups, the sizes of maps, or the steps
MARKS = string.punctuation + "…“”‘’–—"
RUNNING = "Running. On a laptop's CPU a video takes up to a minute, an image a second."
STOPPED = "Stopped by an interrupt; what was there before is still shown. Press Run to begin again."
# A prompt that is too long, no more memory, numbers that are not finite: a sentence is enough.
USUAL = (ValueError, RuntimeError, ArithmeticError, MemoryError)

WidgetSeed = Annotated[int, Field(ge=0, le=2**31 - 1)]  # that a box for numbers holds


class Panel(widgets.VBox):
    """An explorer without its own controls; it has `run(button)` and `refresh(change)`, and sets `children` itself.

    There are: run_button; frame, and play, which moves it; message; image, hidden until the first `draw`; picture,
    uint8 (height, width, 3), what the image shows.
    """

    def __init__(self, frames: int, height: int, tooltip: str):
        super().__init__()
        last = frames - 1
        self.picture: Picture | None = None
        self.run_button = widgets.Button(description="Run", tooltip=tooltip)
        self.frame = widgets.IntSlider(0, 0, last, description="frame", disabled=not last)
        self.play = widgets.Play(value=0, min=0, max=last, interval=PLAYER_PAUSE, disabled=not last)
        self.message = widgets.HTML("Press <b>Run</b>.")
        look = {"display": "none", "height": f"{height}px", "object_fit": "contain"}  # the browser enlarges
        self.image = widgets.Image(format="png", layout=look)
        self.run_button.on_click(self.run)
        self.frame.observe(self.refresh, names="value")
        widgets.link((self.play, "value"), (self.frame, "value"))

    def run(self, _button: widgets.Button | None = None) -> None:
        """Do what the controls say."""
        raise NotImplementedError

    def refresh(self, _change: dict | None = None) -> None:
        """Show what is there."""
        raise NotImplementedError

    @contextmanager
    def running(self) -> Iterator[None]:
        """Inside, button and message say so, and the button cannot be pressed; what goes wrong becomes the message.

        What a user can get wrong is not raised; faults of the program are, and said, too. An interrupt stops it; it is
        raised where it came from a cell, as it came for the cell.
        """
        before = self.message.value
        self.run_button.disabled, self.run_button.description = True, "running …"
        self.message.value = RUNNING
        try:
            with interruptible():
                yield
        except USUAL as error:
            self.say(str(error) or type(error).__name__)
        except KeyboardInterrupt:
            self.say(STOPPED)
            if threading.current_thread() is threading.main_thread():
                raise
        except BaseException as error:
            self.say(f"{type(error).__name__}: {error}")
            raise
        finally:
            self.run_button.disabled, self.run_button.description = False, "Run"
            if self.message.value == RUNNING:
                self.message.value = before

    def has_frames(self, count: int) -> None:
        """The clip that is shown has so many frames."""
        self.frame.max = self.play.max = count - 1

    def draw(self, picture: Picture) -> None:
        """Show a picture, uint8 (height, width, 3)."""
        self.picture = picture
        buffer = io.BytesIO()
        Image.fromarray(picture).save(buffer, "png")
        self.image.value = buffer.getvalue()
        self.image.layout.display = ""

    def say(self, error: Exception | str) -> None:
        """Show an error as the message, in red."""
        self.message.value = f'<span style="color:#b00020">{html.escape(str(error))}</span>'


def check_text(model: Model, prompt: str, word: str, name: str = "prompt") -> None:
    """Raise ValueError for an empty prompt, or a word that is not in it, before a model runs for nothing."""
    if not prompt.strip():
        raise ValueError(f"{name}: it is empty; write what shall be seen, as 'a burger floats on the water'")
    if not word.strip():
        raise ValueError(f"word: it is empty; the {name} has: {', '.join(words(prompt))}")
    model.text.find(prompt, word)


def words(prompt: str) -> tuple[str, ...]:
    """The words of a prompt without punctuation, each once, as choices."""
    parts = [part.strip(MARKS) for part in prompt.split()]
    return tuple(dict.fromkeys(part for part in parts if part))


def cell_choices(model: Model) -> list[tuple[str, Any]]:
    """The sizes of maps as choices, largest first: what is read, "16 × 16", and what is meant, latent cells a map cell.

    The sizes are those at the model's own height and width.
    """
    side = model.codec.pixels_per_cell
    choices: list[tuple[str, Any]] = [(EVERYTHING, EVERYTHING)]
    for cells in model.cells():
        height, width = (-(-length // (side * cells)) for length in (model.defaults.height, model.defaults.width))
        choices.append((f"{height} × {width}", cells))
    return choices


def chosen(control: Any) -> Any:
    """What a control says, None for everything."""
    return None if control.value == EVERYTHING else control.value


def offer(control: Any, options: Sequence[Any]) -> None:
    """New choices, as values or pairs of a text and a value; the chosen one stays when it is among them."""
    before = control.value
    if list(control.options) == list(options):
        return
    values = [option[1] if isinstance(option, tuple) else option for option in options]
    control.options = options
    control.value = before if before in values else values[0]
