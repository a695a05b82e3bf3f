"""Memory of a denoising step of video transformers as a picture for README, beside what a GPU of 24 GB has.

Made from the stored table of `full_size`, for its clips of transformers: unguided, recorded, guided by this package,
and guided as one would first write it. A step that did not fit is an empty bar.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from ..display.plots import panels
from .full_size_steps import EXPLICIT, OURS, RECORDING, UNGUIDED
from .running import WORK
from .store import RESULTS, load_table
from .study import Report

WAYS = {  # kind of step: what the legend says, and its colour
    UNGUIDED: ("unguided", "#9aa5b1"),
    RECORDING: ("the maps of a word recorded", "#5b8db8"),
    OURS: ("guided through the early blocks", "#2a7f62"),
    EXPLICIT: ("guided, explicit softmax everywhere", "#c8553d"),
}
CARD = 24.0  # GiB of a usual large GPU for a desktop
WIDTH = 0.2  # of a bar; clips are 1 apart
FILE = "full_size.webp"


class FullSizePicture(Report):
    """Memory of our way and of the naive way, with a line at 24 GB."""

    def write(self, folder: Path | None = None) -> list[Path]:
        """Draw the stored table; a smoke run draws that of a smoke run, in which memory is not measured."""
        stored = WORK / "smoke" / "results" if self.smoke else RESULTS
        file = (folder or stored) / FILE
        draw(transformer_clips(load_table("full_size", stored)), file)
        return [file]


def shown(root: Path) -> str:
    """The picture as a text in the folder `root` shows it, once it is drawn."""
    file = RESULTS / FILE
    if not file.exists():
        return "*Not drawn yet: `python -m xattn_helpers.studies full_size_picture`.*"
    words = "Memory of a denoising step of video transformers, unguided and guided in two ways"
    return f"![{words}]({file.relative_to(root)})"


def transformer_clips(table: dict) -> dict[str, dict]:
    """The clips of which every way was measured."""
    clips = {}
    for clip, steps in table["clips"].items():
        if set(WAYS) <= set(steps):
            clips[clip] = steps
    return clips


def peak_of(figures: dict) -> float:
    """The peak of a step in GiB; 0 where it did not fit or was not measured."""
    return figures.get("peak GiB") or 0.0


def label_of(figures: dict) -> str:
    """What stands over a bar: its memory, and its time over that of the unguided step."""
    if "failed" in figures:
        return figures["failed"].replace(" ", "\n")
    ratio = f"\n{figures['over unguided']:.1f} ×" if figures["over unguided"] != 1 else ""
    return f"{peak_of(figures):.1f} GiB{ratio}"


def draw(clips: dict[str, dict], file: Path) -> None:
    """Write the picture."""
    file.parent.mkdir(parents=True, exist_ok=True)
    memory_figure(clips).savefig(file, dpi=110, pil_kwargs={"quality": 65})


def memory_figure(clips: dict[str, dict]) -> Figure:
    """A group of bars for each clip; for README and lesson 07."""
    figure, [[axis]] = panels(1, 1, (max(7.0, 3.0 * len(clips)), 3.8), dpi=None, layout="constrained")
    for number, (kind, (title, colour)) in enumerate(WAYS.items()):
        _bars(axis, number, [steps[kind] for steps in clips.values()], title, colour)
    axis.axhline(CARD, color="black", lw=1, ls="--")
    axis.text(-0.48, CARD, "a GPU of 24 GB", va="bottom")
    axis.set_xticks(range(len(clips)), [clip.replace(", ", "\n", 1) for clip in clips])
    axis.set(ylabel="peak memory in GiB, with weights", xlim=(-0.5, len(clips) - 0.5))
    axis.margins(y=0.18)
    axis.spines[["top", "right"]].set_visible(False)
    figure.legend(frameon=False, loc="outside upper center", ncols=2 if len(clips) < 3 else 4, fontsize=9)
    return figure


def _bars(axis: Any, number: int, figures: Sequence[dict], title: str, colour: str) -> None:
    """The bars of a way, the `number`-th of each group, with their labels."""
    places = [clip + (number - (len(WAYS) - 1) / 2) * WIDTH for clip in range(len(figures))]
    bars = axis.bar(places, [peak_of(step) for step in figures], 0.9 * WIDTH, color=colour, label=title)
    axis.bar_label(bars, [label_of(step) for step in figures], padding=2, fontsize=9)
