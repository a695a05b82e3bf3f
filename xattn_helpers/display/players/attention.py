"""The player of recorded attention: word, step, group of layers and frame of one clip, from what was recorded."""

import re
from collections.abc import Sequence
from typing import Annotated, Any, TypeAlias

import numpy as np
from IPython.display import HTML
from PIL import Image
from pydantic import Field

from ...arguments import checked
from ...attention.recorded import RecordedRun
from ...attention.recording import Recording
from ...sampling import Clip
from ..pixels import at_frames
from .markup import picture, picture_uri, player

AnyRecording: TypeAlias = Recording | RecordedRun
Count = Annotated[int, Field(ge=1, le=1000)]
QUALITY = 60  # of the sheets: off by about 4 of 255 on average, and a quarter as large as without a loss
EVERY = "all layers"
WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")


@checked
def attention_player(clip: Clip, recording: AnyRecording, word: str = "", steps: Count = 5) -> HTML:
    """A player of a clip's attention: any word of its prompt, group of layers, step and frame.

    recording: what `capture` recorded of the clip, for single steps with every_step; of several runs take that of the
    clip. word: which is shown first, by default the second of the prompt, after its article. steps: how many single
    steps are stored, evenly from first to last. About 110 kB for a prompt of six words.
    Raises ValueError for a word that is not in the prompt, and what `recording.maps` raises.
    """
    words = words_of(clip.prompt)
    first = word or words[min(1, len(words) - 1)]
    if first not in words:
        raise ValueError(f"word={word!r}: possible is a word of the prompt: {', '.join(words)}")
    chosen = _steps(recording, steps)
    groups = [None, *dict.fromkeys(site.group for site in recording.sites())]
    groups = groups[1:] if len(groups) == 2 else groups
    sheets, peaks, sizes = [], [], []
    for name in words:
        row = [_sheet(recording, name, group, list(chosen.values())) for group in groups]
        sheets.append([uri for uri, _, _ in row])
        peaks.append([round(peak, 4) for _, peak, _ in row])
        sizes = [size for _, _, size in row]
    data = {
        "words": words, "word": words.index(first), "groups": [group or EVERY for group in groups],
        "steps": list(chosen), "sheets": sheets, "peaks": peaks, "sizes": sizes,
        "at": [_map_frames(count, len(clip.video)) for _, _, count in sizes],
    }  # fmt: skip
    return HTML(player("attention", picture(clip.video, clip.prompt), {"fps": 8}, data))


def words_of(prompt: str) -> list[str]:
    """The words of a prompt without punctuation, each once."""
    return list(dict.fromkeys(WORD.findall(prompt)))


def _steps(recording: AnyRecording, count: int) -> dict[str, int | None]:
    """Which steps are stored, by what the player calls them; None is the mean of all."""
    chosen: dict[str, int | None] = {"mean of all": None}
    total = len(recording.steps)
    if recording.every_step:
        for index in np.unique(np.linspace(0, total - 1, min(count, total)).round().astype(int)):
            chosen[f"{index + 1} of {total}, t = {recording.steps[index].timestep:.0f}"] = int(index)
    return chosen


def _sheet(recording: Any, word: str, group: str | None, steps: Sequence[int | None]) -> tuple[str, float, list[int]]:
    """The maps of a word as one grey picture, a row of frames for each step; its peak; height, width, frames."""
    maps = np.stack([recording.maps(word, group=group, step=step).cpu().numpy() for step in steps])
    peak = float(maps.max()) or 1.0
    count, frames, height, width = maps.shape
    grey = (maps / peak * 255).round().astype(np.uint8)
    pixels = grey.transpose(0, 2, 1, 3).reshape(count * height, frames * width)
    return picture_uri([Image.fromarray(pixels)], quality=QUALITY), peak, [height, width, frames]


def _map_frames(count: int, frames: int) -> list[int]:
    """Which of `count` maps is shown at each frame of the video."""
    numbers: Any = np.arange(count)[:, None, None]  # maps of one pixel, which says their number
    return [int(number) for number in np.ravel(at_frames(numbers, frames))]
