"""The gallery of a class: clips that were handed in, with their paths, and a table of how well each path is kept.

    hand_in("gallery", "Ann", clip, "burger", path)
    gallery("gallery")
    leaderboard("gallery")

A gallery is a folder that all can write into, as a shared folder of a JupyterHub, and no server. Each name has one
clip, and two students of the same name have two. The mIoU is measured from the stored clip each time it is shown.
"""

from IPython.display import HTML, Markdown

from ..arguments import checked
from ..edits.targets import Track
from ..kinds import Count, PathLike
from ..measures.boxes import detected
from ..measures.entries import Entry, read_all, write
from ..sampling import Clip
from .overlays import draw_boxes
from .tables import table_text
from .videos import show

HEADER = ("", "name", "mIoU", "frames with the object", "prompt", "seed")
EMPTY = "Nobody has handed in a clip yet."
SPECIAL = str.maketrans({letter: f"&#{ord(letter)};" for letter in "&<>\"'\\`*_[]$#~!"})  # of HTML and Markdown


@checked
def hand_in(folder: PathLike, name: str, clip: Clip, word: str, path: Track) -> Entry:
    """Put a clip into the folder of a gallery, in the place of an earlier one of the same name.

    `word` is the object in it, and `path` the track that it was to follow; what comes back says its mIoU. Raises
    ValueError for a path that does not lead away from where it begins, a word that is not in the prompt or that the
    detector does not know, a name that is empty or too long, and a folder that cannot be written.
    """
    entry = Entry(name, word, clip.prompt, clip.seed, path, clip.video)
    write(entry, folder)
    return entry


@checked
def leaderboard(folder: PathLike) -> Markdown:
    """The table of a gallery, the highest mIoU first, and below it what in the folder is no entry."""
    entries, faults = read_all(folder)
    rows = []
    for place, entry in enumerate(entries, 1):
        seen = detected(entry.boxes)
        counted = f"{seen.sum()} of {len(seen)}"
        rows.append([place, plain(entry.name), f"{entry.iou:.2f}", counted, plain(entry.prompt), entry.seed])
    parts = [table_text(HEADER, rows) if rows else EMPTY]
    return Markdown("\n\n".join([*parts, *map(plain, faults)]))


@checked
def gallery(folder: PathLike, width: Count = 200) -> HTML:
    """Plays the clips of a gallery with the boxes that were asked for, the highest mIoU first.

    width: of a clip in CSS pixels.
    """
    entries, _ = read_all(folder)
    if not entries:
        return HTML(f"<p>{EMPTY}</p>")
    videos, titles, descriptions = [], [], []
    for place, entry in enumerate(entries, 1):
        videos.append(draw_boxes(entry.video, entry.targets))
        titles.append(f"{place}. {entry.name} · {entry.iou:.2f}")
        descriptions.append(f"{entry.name}: {entry.prompt}, seed {entry.seed}, with the boxes that were asked for")
    return show(*videos, titles=titles, width=width, descriptions=descriptions)


def plain(text: str) -> str:
    """A text of others that is shown as it is: nothing in it is HTML or Markdown."""
    return text.translate(SPECIAL)
