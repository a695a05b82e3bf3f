"""The HTML of a player: an element around what is seen without scripts, and the scripts that bring it to life."""

import base64
import html
import io
import json
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import resources
from typing import Any

from PIL import Image

from ..checks import Frames

SCRIPTS = {
    "video": ("base.js", "frames.js", "video.js"),
    "attention": ("base.js", "frames.js", "attention.js"),
    "swap": ("base.js", "frames.js", "swap.js"),
    "track": ("base.js", "frames.js", "track.js"),
}
SMALLEST = {"method": 6}  # of WebP: a quarter smaller than by default, and a tenth of a second slower
QUALITY = 70  # of lossy WebP, of 100: a clip of 128 pixels takes 15 kB, and a notebook may hold many


def player(kind: str, content: str, settings: Mapping[str, Any], data: Any = None) -> str:
    """An element `xattn-KIND` around some HTML, which stays where no script runs.

    settings: become attributes `data-NAME`. data: anything that JSON can say, for the script. The scripts come with
    each player, as on Colab every output is a page of its own.
    """
    attributes = "".join(f' data-{name}="{html.escape(str(value))}"' for name, value in settings.items())
    stored = "" if data is None else f'<script type="application/json">{_json(data)}</script>'
    scripts = "".join(f"<script>{script(name)}</script>" for name in SCRIPTS[kind])
    return f"<xattn-{kind}{attributes}>{content}{stored}</xattn-{kind}>{scripts}"


@cache
def script(name: str) -> str:
    """A script of this folder without its comments and indentation, which only its readers need."""
    text = resources.files(__name__.rpartition(".")[0]).joinpath(name).read_text(encoding="utf-8")
    lines = [line.strip() for line in text.splitlines()]
    return "\n".join(line for line in lines if line and not line.startswith("//"))


def picture(video: Frames, description: str, quality: int = QUALITY, fps: float = 8) -> str:
    """A video as an `<img>` that loops, with what is to be seen for whom cannot see it."""
    uri = picture_uri([Image.fromarray(frame) for frame in video], fps, quality)
    return f'<img src="{uri}" width="{video.shape[2]}" alt="{html.escape(description)}">'


def picture_uri(pictures: Sequence[Image.Image], fps: float = 8, quality: int = QUALITY) -> str:
    """Pictures as an animated WebP, one as a still, in a data URI."""
    return "data:image/webp;base64," + base64.b64encode(webp(pictures, fps, quality)).decode()


def webp(pictures: Sequence[Image.Image], fps: float, quality: int = QUALITY) -> bytes:
    """The bytes of an animated WebP, or of a still one."""
    first, *rest = pictures
    timing = {"duration": max(1, round(1000 / fps)), "loop": 0}  # milliseconds per frame; 0: forever
    moving = {"save_all": True, "append_images": rest, **timing} if rest else {}
    buffer = io.BytesIO()
    first.save(buffer, "webp", quality=quality, **SMALLEST, **moving)
    return buffer.getvalue()


def _json(data: Any) -> str:
    """JSON that cannot end the script that it stands in."""
    return json.dumps(data, separators=(",", ":")).replace("<", "\\u003c")
