"""What the explorers share: a button that runs, a frame with its player, a message and a picture.

Only traits of other widgets are changed (`Image.value`, `HTML.value`); nothing is printed, and nothing is captured in
an `Output`. It works with ipywidgets 7.7 and 8.
"""

import html
import io
from collections.abc import Iterator
from contextlib import contextmanager

import ipywidgets as widgets
import numpy as np
from PIL import Image

from . import tokens

PLAYER_PAUSE = 180  # milliseconds from one frame to the next: each has to travel from the kernel to the browser
PROMPT_LOOK, SEED_LOOK = {"width": "420px"}, {"width": "160px"}


class Panel(widgets.VBox):
    """An explorer without its own controls; it has `run(button)` and `refresh(change)`, and sets `children` itself.

    There are: run_button; frame, and play, which moves it; message; image, hidden until the first `draw`; picture,
    uint8 (height, width, 3), what the image shows.
    """

    def __init__(self, frames: int, height: int, tooltip: str):
        super().__init__()
        last = frames - 1
        self.picture: np.ndarray | None = None
        self.run_button = widgets.Button(description="Run", tooltip=tooltip)
        self.frame = widgets.IntSlider(0, 0, last, description="frame", disabled=not last)
        self.play = widgets.Play(value=0, min=0, max=last, interval=PLAYER_PAUSE, disabled=not last)
        self.message = widgets.HTML("Press <b>Run</b>.")
        look = {"display": "none", "height": f"{height}px", "object_fit": "contain"}  # the browser enlarges
        self.image = widgets.Image(format="png", layout=look)
        self.run_button.on_click(self.run)
        self.frame.observe(self.refresh, names="value")
        widgets.link((self.play, "value"), (self.frame, "value"))

    @contextmanager
    def running(self) -> Iterator[None]:
        """Inside, button and message say so, and the button cannot be pressed; what went wrong becomes the message."""
        self.run_button.disabled, self.run_button.description = True, "running …"
        self.message.value = "Running. On a laptop's CPU a video takes up to a minute, an image a second."
        try:
            yield
        except (ValueError, RuntimeError, FloatingPointError) as error:  # as a prompt that is too long; no more memory
            self.say(error)
        finally:
            self.run_button.disabled, self.run_button.description = False, "Run"

    def has_frames(self, count: int) -> None:
        """The clip that is shown has so many frames."""
        self.frame.max = self.play.max = count - 1

    def draw(self, picture: np.ndarray) -> None:
        """Show a picture, uint8 (height, width, 3)."""
        self.picture = picture
        buffer = io.BytesIO()
        Image.fromarray(picture).save(buffer, "png")
        self.image.value, self.image.layout.display = buffer.getvalue(), ""

    def say(self, error: Exception | str) -> None:
        """Show an error as the message, in red."""
        self.message.value = f'<span style="color:#b00020">{html.escape(str(error))}</span>'


def beside(pictures: list[np.ndarray], gap: int) -> np.ndarray:
    """Pictures of one height in a row, uint8 (height, width, 3), with `gap` white pixels between them."""
    white = np.full((len(pictures[0]), gap, 3), 255, np.uint8)
    return np.concatenate([part for picture in pictures for part in (white, picture)][1:], axis=1)


def words(prompt: str) -> tuple[str, ...]:
    """The words of a prompt, each once, as choices."""
    return tuple(dict.fromkeys(text for text, _, _ in tokens.words(prompt)))
