"""A run that a button begins, in a thread of its own, so that another button can stop it."""

import html
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import ipywidgets as widgets

from ...backbones.model import Model
from .interrupts import interruptible
from .progress import Progress, Stopped

BEGIN = "Press <b>Run</b>."
RUNNING = "Running. On a laptop's CPU a video takes up to a minute, an image a second."
STOPPED = "Stopped; what was there before is still shown. Press Run to begin again."
WRONG = '<span style="background:#b00020;color:white;padding:2px 6px;border-radius:3px">{}</span>'
# A prompt that is too long, no more memory, numbers that are not finite: a sentence is enough.
USUAL = (ValueError, RuntimeError, ArithmeticError, MemoryError)


class Runner(widgets.VBox):
    """What runs and stops. A subclass has `is_current`, `check`, `make`, `refresh` and `changed`.

    There are: run_button, stop_button, progress and message. `run` works at once; a button begins a thread beside the
    cells, for which `wait` waits.
    """

    def __init__(self, model: Model, tooltip: str):
        super().__init__()
        self.model = model
        self.run_button = widgets.Button(description="Run", tooltip=tooltip, button_style="primary")
        self.stop_button = widgets.Button(description="Stop", tooltip="Stop after this step", disabled=True)
        self.message = widgets.HTML(BEGIN)
        self.progress = Progress(model)
        self.is_running = False
        self.is_wrong = False  # whether the message is an error
        self._busy, self._thread = threading.Lock(), threading.Thread()
        self.run_button.on_click(self.start)
        self.stop_button.on_click(self.stop)

    def is_current(self) -> bool:
        """Whether the clip that is there is what the controls describe."""
        raise NotImplementedError

    def check(self) -> None:
        """Raise ValueError for controls with which a run cannot succeed."""

    def make(self) -> None:
        """Generate what the controls describe."""
        raise NotImplementedError

    def refresh(self, _change: dict | None = None) -> None:
        """Show what is there."""
        raise NotImplementedError

    def changed(self, _change: dict | None = None) -> None:
        """Say what is there, or what is wrong with the controls."""
        raise NotImplementedError

    def ended(self) -> None:
        """After a run, however it ended."""

    def start(self, _button: Any = None, make: Callable[[], None] | None = None) -> None:
        """Run in a thread of its own; while a run goes on, nothing."""
        if not self._busy.locked():
            self._thread = threading.Thread(target=self._run_quietly, args=(make,), daemon=True)
            self._thread.start()

    def wait(self) -> None:
        """Wait until the run that a button began has ended."""
        if self._thread.ident is not None:
            self._thread.join()

    def stop(self, _button: Any = None) -> None:
        """Stop after the step that is running."""
        self.progress.stopping.set()
        self.stop_button.disabled = True

    def run(self, _button: Any = None, make: Callable[[], None] | None = None) -> None:
        """Make what the controls describe, unless it is there; while a run goes on, nothing.

        `make` is what is to be made instead, whatever is there.
        """
        if not self._busy.acquire(blocking=False):
            return
        try:
            if make is None and self.is_current():
                self.refresh()
                self.changed()
                return
            with self.running():
                self.check()
                with self.progress.alone():
                    (make or self.make)()
        finally:
            self._busy.release()
            self.ended()

    @contextmanager
    def running(self) -> Iterator[None]:
        """Inside, buttons and message say so; what goes wrong becomes the message.

        What a user can get wrong is not raised; faults of the program are, and said, too. An interrupt stops it; it is
        raised where it came from a cell, as it came for the cell.
        """
        self._say_running(True)
        try:
            with interruptible(), self.progress.shown():
                yield
        except Stopped:
            self.end(STOPPED)
        except USUAL as error:
            self.say(str(error) or type(error).__name__)
        except KeyboardInterrupt:
            self.end(STOPPED)
            if threading.current_thread() is threading.main_thread():
                raise
        except BaseException as error:
            self.say(f"{type(error).__name__}: {error}")
            raise
        else:
            self._say_running(False)
            self.changed()
        finally:
            self._say_running(False)

    def say(self, error: Exception | str) -> None:
        """Show an error as the message, white on red."""
        self.is_wrong = True
        self.message.value = WRONG.format(html.escape(str(error)))

    def end(self, sentence: str) -> None:
        """Show how a run ended; it stays until a control changes."""
        self.is_wrong = True
        self.message.value = sentence

    def _say_running(self, is_running: bool) -> None:
        self.is_running = is_running
        self.run_button.disabled = is_running
        self.run_button.description = "running …" if is_running else "Run"
        self.stop_button.disabled = not is_running
        if is_running:
            self.is_wrong, self.message.value = False, RUNNING

    def _run_quietly(self, make: Callable[[], None] | None) -> None:
        """In a thread nobody can catch what is raised, and it was said already."""
        try:
            self.run(make=make)
        except BaseException:  # noqa: BLE001
            return
