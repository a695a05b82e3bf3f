"""A small site for the browser: two lessons of which every output is known."""

from functools import cache

import nbformat
import numpy as np
import torch
from display_videos import moving_square, plain
from lessons_for_tests import PNG
from models_for_tests import recorded_clip

from tools import pages
from xattn_helpers import track
from xattn_helpers.display import show
from xattn_helpers.display.players.attention import attention_player
from xattn_helpers.display.players.swap import swap_player
from xattn_helpers.display.players.track import assembled
from xattn_helpers.sampling import Clip

FRAMES = 4
PATHS = {"left to right": track([(0.2, 0.5), (0.8, 0.5)]), "still": track([(0.5, 0.5)], size=0.5)}
WIDE = "x" * 300
TEXT = f"""# 00 · Known

The first paragraph, with $x_t$. See [the next](01_next.ipynb), [its end](01_next.ipynb#The-end) and
[a file](../Makefile).

<!-- badges -->

## A formula

$${" + ".join(f"a_{{{number}}} b_{{{number}}}" for number in range(60))}$$

| {" | ".join(["a wide column"] * 20)} |
|{"---|" * 20}
| {" | ".join(["a wide cell"] * 20)} |

## Exercises

**1.** What is six times seven?

<details><summary>Solution</summary>

```python
print(6 * 7)  # {WIDE}
```

It is forty-two.

![the hero](../docs/hero.webp)
</details>

After it.
"""
NEXT = "# 01 · Next\n\nThe second lesson. Back to [the first](00_known.ipynb).\n\n## The end\n\nAll."
TEACHING = "<!doctype html><html lang=en><title>Plans</title><main><h1>Plans</h1><a href=index.html>all</a></main>"


def clip(color, prompt):
    """A clip of one colour."""
    video = np.broadcast_to(np.array(color, np.uint8), (FRAMES, 32, 32, 3)).copy()
    return Clip(video, torch.zeros(4, FRAMES, 4, 4), prompt, 0)


@cache
def attention():
    """A recorded run of the tiny model, and its clip."""
    return recorded_clip(every_step=True)


def players():
    """The HTML of each kind of player, in the order of the page."""
    swapped, own = clip((0, 0, 255), "a car"), clip((255, 0, 0), "a car")
    swapped.source = clip((0, 255, 0), "a truck")
    guided = [(name, path, clip((60 * n, 120, 0), "a shark")) for n, (name, path) in enumerate(PATHS.items())]
    made, recording = attention()
    videos = show(moving_square(), plain(90), titles=["a square", "grey"], descriptions=["a square moves", "grey"])
    return [
        videos,
        attention_player(made, recording),
        swap_player(swapped, own),
        assembled(clip((128, 128, 128), "a shark"), guided, "shark"),
        show(plain(30)),
    ]


def lessons():
    """Two executed notebooks by their names; the first shows everything that a page may have."""
    v4 = nbformat.v4
    cells = [v4.new_markdown_cell(TEXT)]
    for player in players():
        output = v4.new_output("display_data", {"text/html": player.data, "text/plain": "an explorer"})
        cells.append(v4.new_code_cell("show(video)", outputs=[output]))
    png = {"image/png": PNG}
    described = v4.new_output("display_data", png, metadata={"image/png": {"alt": "a purple pixel"}})
    stream = v4.new_output("stream", name="stdout", text="\x1b[31m42\x1b[0m " + WIDE)
    outputs = [described, v4.new_output("display_data", png), stream]
    cells.append(v4.new_code_cell(f"value = '{WIDE}'  # wide", outputs=outputs))
    folded = v4.new_code_cell("plot(value)")
    folded.metadata["jupyter"] = {"source_hidden": True}
    cells.append(folded)
    return {
        "00_known": v4.new_notebook(cells=cells),
        "01_next": v4.new_notebook(cells=[v4.new_markdown_cell(NEXT)]),
    }


def write(folder):
    """The pages of the two lessons and their index, in a folder."""
    known, following = lessons().values()
    first, second = pages.Place("00_known.html", "00 · Known"), pages.Place("01_next.html", "01 · Next")
    (folder / first.page).write_text(pages.page(known, None, second))
    (folder / second.page).write_text(pages.page(following, first, None))
    cards = [pages.card(known, "00_known", 61.0), pages.card(following, "01_next", 0)]
    (folder / "index.html").write_text(pages.index(cards))
    (folder / "docs-TEACHING.html").write_text(TEACHING)
    (folder / "api").mkdir()
    (folder / "api" / "xattn_helpers.html").write_text("<h1>API</h1>")
    return folder
