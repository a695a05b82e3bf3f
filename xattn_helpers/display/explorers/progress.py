"""How far a run is: a bar, the time left, what the model has in mind, and whether somebody wants it to stop."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from weakref import WeakKeyDictionary

import ipywidgets as widgets
import torch.nn.functional as F
from jaxtyping import UInt8
from numpy import ndarray

from ...backbones.model import Model
from ...sampling import Step
from .player import as_png

LARGEST = 32  # latent cells of the longer side of a preview: larger ones take too long to decode
WAITING = "Waiting: another explorer uses this model."
GLANCE = 0.1  # seconds between two looks at whether to go on waiting
PREVIEW_LOOK = {"width": "96px", "height": "96px", "object_fit": "contain", "margin": "0 8px"}

_LOCKS: WeakKeyDictionary[Any, threading.Lock] = WeakKeyDictionary()  # of networks: one explorer at a time


class Stopped(Exception):
    """The user pressed Stop."""


class Progress(widgets.HBox):
    """A bar, a note on the time left, and a preview of the clip; hidden while nothing runs.

    `watch` is what `generate` calls after each step. `share` says which frame the preview shows, 0 the first, 1 the
    last. Everything is a trait: bar.value, note.value and, as PNG, preview.value.
    """

    def __init__(self, model: Model):
        self.model, self.share = model, 0.0
        self.stopping = threading.Event()
        self.bar = widgets.IntProgress(0, min=0, max=1, layout={"width": "220px"})
        self.note = widgets.Label()
        self.preview = widgets.Image(format="png", layout=PREVIEW_LOOK)
        self._began, self._before = 0.0, 0  # when, and how many steps came before this clip
        look = {"display": "none", "align_items": "center", "flex_flow": "row wrap"}
        super().__init__([self.preview, self.bar, self.note], layout=look)

    @contextmanager
    def shown(self) -> Iterator[None]:
        """Inside, the bar is there; it begins at 0."""
        self.stopping.clear()
        self._began, self._before = time.monotonic(), 0
        self.bar.value, self.bar.max, self.note.value = 0, 1, "the first step"
        self.preview.layout.display, self.layout.display = "none", ""
        try:
            yield
        finally:
            self.layout.display = "none"

    def expect(self, clips: int) -> None:
        """So many clips follow, each of the model's own number of steps."""
        self.bar.max = clips * self.model.defaults.steps

    def next_clip(self) -> None:
        """The steps that follow are those of another clip."""
        self._before = self.bar.value

    def watch(self, step: Step) -> None:
        """Show a step. Raises Stopped when somebody has asked for it."""
        if self.stopping.is_set():
            raise Stopped
        done = self._before + step.index + 1
        self.bar.value = done
        left = (time.monotonic() - self._began) / done * (self.bar.max - done)
        self.note.value = f"step {done} of {self.bar.max}, about {left:.0f} s left"
        try:
            self.preview.value = as_png(self._preview(step))
            self.preview.layout.display = ""
        except FloatingPointError:  # of noise alone, half precision may find no picture
            pass

    @contextmanager
    def alone(self) -> Iterator[bool]:
        """Inside, no other explorer uses the model; waits for it. Raises Stopped when somebody has asked for it."""
        lock = _LOCKS.setdefault(self.model.network, threading.Lock())
        while not lock.acquire(timeout=GLANCE):
            self.note.value = WAITING
            if self.stopping.is_set():
                raise Stopped
        try:
            self._began = time.monotonic()
            yield True
        finally:
            lock.release()

    def _preview(self, step: Step) -> UInt8[ndarray, "height width 3"]:
        """A frame of the clip that the prediction means, small."""
        clean = self.model.noise.clean(step.prediction, step.inputs, step.level)
        index = round(self.share * (clean.shape[2] - 1))
        frame = clean[:1, :, index : index + 1]
        times = -(-max(frame.shape[-2:]) // LARGEST)
        if times > 1:
            frame = F.avg_pool3d(frame, (1, times, times))
        return self.model.decode(frame).numpy()[0, 0]
