"""What becomes of a clip: a file, and a place among the last runs."""

import html
import re
from base64 import b64encode
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import ipywidgets as widgets

from ...video_files import find_ffmpeg
from ..videos import encode, save

RUNS = 6  # that the history shows
THUMB = {"width": "128px", "height": "128px", "object_fit": "contain"}
LARGEST_LINK = 2**21  # bytes of a file that the message offers for download
KINDS = {".mp4": "video/mp4", ".gif": "image/gif", ".webp": "image/webp", ".png": "image/png"}
LINK = ' <a download="{name}" href="data:{kind};base64,{data}">download it</a>'


class Saver(widgets.HBox):
    """A button that saves the clip in the working folder. Controls: suffix and button; path, of the last file."""

    def __init__(self, panel: Any):
        self.panel = panel
        self.path: Path | None = None
        suffixes = [suffix for suffix in KINDS if suffix != ".mp4" or find_ffmpeg()]
        self.suffix = widgets.Dropdown(options=suffixes, value=".webp", layout={"width": "80px"})
        self.button = widgets.Button(description="Save", tooltip="Save the clip as a file", layout={"width": "80px"})
        self.button.on_click(self.save)
        super().__init__([self.button, self.suffix])

    def save(self, _button: Any = None) -> None:
        """Write the clip, and say where it is; an older file of that name stays."""
        clip = self.panel.clip
        if clip is None:
            return self.panel.say("There is no clip yet: press Run.")
        try:
            self.path = save(clip, _unused(_stem(clip.prompt, clip.seed), self.suffix.value))
        except (ValueError, RuntimeError) as error:
            return self.panel.say(error)
        self.panel.end(f"Saved as <b>{html.escape(str(self.path))}</b>." + _link(self.path))


@dataclass
class Entry:
    """A run of the history: the controls that made it, and what the explorer needs to show it again."""

    settings: dict[str, Any]
    results: dict[str, Any] = field(default_factory=dict)


class History(widgets.VBox):
    """The last six runs side by side, newest first; a click brings the controls of one back, and its pictures.

    entries has what the panel's `RESULTS` name, of each run.
    """

    def __init__(self, panel: Any):
        self.panel = panel
        self.entries: list[Entry] = []
        self.row = widgets.HBox([], layout={"flex_flow": "row wrap"})
        self.title = widgets.HTML("<b>The last runs</b>", layout={"display": "none"})
        super().__init__([self.title, self.row])

    def add(self) -> None:
        """The run that is shown now is the newest."""
        self.entries = [Entry(self.panel.settings), *self.entries][:RUNS]
        self.keep()
        picture = widgets.Image(value=encode(self.panel.clip.video, 8), format="webp", layout=THUMB)
        label = self.panel.label()
        button = widgets.Button(description=label, tooltip=f"Back to {label}", layout={"width": "128px"})
        entry = self.entries[0]
        button.on_click(lambda _: self.bring_back(entry))
        self.row.children = [widgets.VBox([picture, button]), *self.row.children][:RUNS]
        self.title.layout.display = ""

    def keep(self) -> None:
        """What the newest run has found since it was added."""
        self.entries[0].results = {name: getattr(self.panel, name) for name in self.panel.RESULTS}

    def bring_back(self, entry: Entry) -> None:
        """The controls of a run, and where they were kept, its results."""
        if self.panel.is_running:
            return
        for name, value in entry.settings.items():
            getattr(self.panel, name).value = value
        for name, value in entry.results.items():
            setattr(self.panel, name, value)
        if entry.results:
            self.panel.settings = entry.settings
            self.panel.refresh()
        self.panel.changed()


def _stem(prompt: str, seed: int) -> str:
    """A name for a file that every system takes."""
    text = re.sub(r"[^a-z0-9]+", "-", prompt.lower()).strip("-")[:60]
    return f"{text or 'clip'}-seed-{seed}"


def _unused(stem: str, suffix: str) -> Path:
    """A file of the working folder that is not there yet."""
    path, number = Path(stem + suffix), 2
    while path.exists():
        path, number = Path(f"{stem}-{number}{suffix}"), number + 1
    return path


def _link(path: Path) -> str:
    """A link to the file in the page itself, for kernels on another machine; none to a large file."""
    if path.stat().st_size > LARGEST_LINK:
        return ""
    data = b64encode(path.read_bytes()).decode()
    return LINK.format(name=html.escape(path.name), kind=KINDS[path.suffix], data=data)
