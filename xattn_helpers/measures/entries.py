"""Entries of a gallery: a clip, and the path that its object was to follow, in one file each in a folder.

A file has no score in it. `Entry.iou` looks at the stored clip with the detector, so that nobody can write a number.
"""

import getpass
import hashlib
import io
import json
import os
import platform
import tempfile
import unicodedata
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from pydantic import AfterValidator, Field

from ..arguments import UNCHECKED, checked
from ..edits.targets import Track
from ..kinds import PathLike, Prompt, Seed
from .adherence import mean_iou
from .boxes import Boxes, frame_iou
from .detection import AnyVideo, detect
from .video import Video, checked_video

SUFFIX = ".clip.npz"
LONGEST_NAME = 40  # characters
LARGEST = 2**26  # bytes of a clip, unpacked: 64 MiB
ABOUT = ("name", "word", "prompt", "seed")


def _readable(name: str) -> str:
    """A name without spaces around it; raises ValueError for one that cannot be shown."""
    name = unicodedata.normalize("NFC", name.strip())
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise ValueError(f"1 to {LONGEST_NAME} characters that can be printed")
    return name


Name = Annotated[str, AfterValidator(_readable), Field(description="a name that the class may see, or one made up")]


@checked
@dataclass(frozen=True, eq=False)
class Entry:
    """What somebody hands in.

    Raises ValueError for a path that does not lead away from where it begins, and for a word that is not in the prompt
    or that the detector does not know.
    """

    name: Name
    word: str  # the object
    prompt: Prompt
    seed: Seed
    path: Track  # that the object was to follow
    video: AnyVideo  # uint8 (frames, height, width, 3)
    boxes: Annotated[Boxes, UNCHECKED] = field(init=False)  # that the detector sees in it

    def __post_init__(self):
        object.__setattr__(self, "video", checked_video(self.video))
        if self.video.nbytes > LARGEST:
            raise ValueError(f"clip: {self.video.nbytes / 2**20:.0f} MiB given; it must be at most {LARGEST / 2**20:g}")
        if self.word not in self.prompt.split():
            raise ValueError(f"word={self.word!r}: it must be one of the prompt, {self.prompt!r}")
        object.__setattr__(self, "boxes", detect(self.video, self.word)[0])
        boxes = self.targets
        if (frame_iou(boxes, np.repeat(boxes[:1], len(boxes), axis=0)) > 0).all():
            raise ValueError(
                "path: given is one whose box never leaves the place where it begins; it must lead further, so that in "
                "some frame its box does not touch the first one"
            )

    def __repr__(self) -> str:
        return f"{self.name}: {self.word}, mIoU {self.iou:.2f}"

    @property
    def targets(self) -> Boxes:
        """The boxes that were asked for."""
        return self.path.boxes(len(self.video))

    @property
    def iou(self) -> float:
        """Mean IoU of the asked boxes and those that are seen, in [0, 1]."""
        return mean_iou(self.boxes, self.targets)


@checked
def write(entry: Entry, folder: PathLike) -> Path:
    """Keep an entry in a folder, in the place of an earlier one of the same name and author; returns its file.

    It is there whole or not at all, also where a class writes at the same time. Raises ValueError for a folder that
    cannot be written.
    """
    folder = Path(folder)
    path, about = entry.path, {name: getattr(entry, name) for name in ABOUT}
    about["path"] = {"keys": path.keys, "sizes": path.sizes, "smooth": path.smooth, "easing": path.easing}
    buffer = io.BytesIO()
    np.savez_compressed(buffer, video=entry.video, about=np.array(json.dumps(about)))
    target = folder / file_name(entry.name)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=folder, suffix=".part", delete=False) as part:
            part.write(buffer.getvalue())
        os.chmod(part.name, 0o644)  # a class must be able to read what its members write
        os.replace(part.name, target)
    except OSError as error:
        raise ValueError(f"folder: given {folder}; it must be one that can be written ({error.strerror})") from None
    return target


def file_name(name: str) -> str:
    """The name of the file of somebody's entry: letters that any system takes, and a digest that tells names apart.

    Two people of the same name have two files, as long as they work under other users or on other machines.
    """
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    letters = "".join(letter if letter.isalnum() else "-" for letter in plain.lower()).strip("-") or "entry"
    return f"{letters}-{hashlib.sha256(f'{name} {author()}'.encode()).hexdigest()[:8]}{SUFFIX}"


def author() -> str:
    """The user and the machine that hand in."""
    try:
        return f"{getpass.getuser()} {platform.node()}"
    except (OSError, KeyError):  # a user whom the system does not know, as in some containers
        return platform.node()


@checked
def read(file: PathLike) -> Entry:
    """The entry in a file. Raises ValueError, with the file's name, for one that `write` has not written."""
    file = Path(file)
    try:
        with zipfile.ZipFile(file) as parts:
            unpacked = sum(part.file_size for part in parts.infolist())
        if unpacked > LARGEST + 2**16:
            raise ValueError(f"it would fill {unpacked / 2**20:.0f} MiB")
        with np.load(file, allow_pickle=False) as stored:
            return _entry(json.loads(str(stored["about"])), stored["video"])
    except (OSError, ValueError, TypeError, KeyError, EOFError, MemoryError, zipfile.BadZipFile) as error:
        raise ValueError(f"{file.name} is no entry of a gallery: it must be what hand_in wrote ({error})") from None


def _entry(about: Mapping[str, Any], video: Video) -> Entry:
    """An entry of what a file says; raises KeyError, TypeError or ValueError for what cannot be."""
    path = about["path"]
    keys, sizes = (tuple(tuple(pair) for pair in path[name]) for name in ("keys", "sizes"))
    track = Track(keys, sizes, path["smooth"], path["easing"])
    return Entry(**{name: about[name] for name in ABOUT}, path=track, video=video)


@checked
def read_all(folder: PathLike) -> tuple[list[Entry], list[str]]:
    """All entries of a folder, the highest mIoU first, and a sentence about each file that is none.

    An entry whose object the detector does not know is none, either. Raises ValueError for a folder that is not there.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise ValueError(f"folder: given {folder}, which is not there; it must be one into which somebody handed in")
    entries, faults = [], []
    for file in sorted(folder.glob(f"*{SUFFIX}")):
        try:
            entry = read(file)
            entries.append((entry.iou, entry))
        except ValueError as error:
            faults.append(str(error))
    entries.sort(key=lambda pair: (-pair[0], pair[1].name))
    return [entry for _, entry in entries], faults
