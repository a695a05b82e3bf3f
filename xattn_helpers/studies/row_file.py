"""Files of rows on a real disk: whole lines, one writer a file, and a sentence where one cannot be written."""

import errno
import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from io import FileIO
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows, where nothing keeps a second run away
    fcntl = None

LINE_END = b"\n"
ADVICE = {
    errno.ENOSPC: "free some space",
    errno.EDQUOT: "free some space",
    errno.EACCES: "start it in a folder that you may write to",
    errno.EPERM: "start it in a folder that you may write to",
    errno.EROFS: "start it in a folder that you may write to",
}


class Stopped(RuntimeError):
    """A study cannot go on; the message says why, what is kept, and what to do."""


class RowFile:
    """The file to which one process adds its rows, and no other process as long as it is open.

    Raises Stopped where the file cannot be written, or is open in another process.
    """

    def __init__(self, file: Path):
        self.file = file
        with explained(file):
            file.parent.mkdir(parents=True, exist_ok=True)
            self.stream = FileIO(file, "a+")
        try:
            claim(self.stream, file)
            self._end_line()
        except BaseException:
            self.stream.close()
            raise

    def __enter__(self) -> "RowFile":
        return self

    def __exit__(self, *exception: object) -> None:
        self.stream.close()

    def add(self, records: Iterable[dict]) -> None:
        """Write a line for each record, past all buffers of this process, so that killing it takes none of them."""
        self._write(b"".join(json.dumps(record).encode() + LINE_END for record in records))

    def _write(self, text: bytes) -> None:
        with explained(self.file):
            while text:  # a disk that is nearly full takes a part
                text = text[self.stream.write(text) :]

    def _end_line(self) -> None:
        """End a torn last line, so that the next row begins a line of its own."""
        size = self.stream.seek(0, os.SEEK_END)
        if size:
            self.stream.seek(size - 1)
            if self.stream.read(1) != LINE_END:
                self._write(LINE_END)


def lines(file: Path) -> Iterator[str]:
    """The lines of a file that are not empty, without the blocks of NUL that a lost power supply leaves."""
    for line in file.read_bytes().split(LINE_END):
        if line:
            yield line.strip(b"\0").decode(errors="replace")


def claim(stream: FileIO, file: Path) -> None:
    """Keep other processes away from an open file until it is closed; raises Stopped where one keeps this one away."""
    if fcntl is None:
        return
    try:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise Stopped(
            f"{file} is being written by another run of this study. Wait until it ends, or stop it, and give the same "
            "command again."
        ) from None
    except OSError:
        return  # a file system without locks


def set_aside(files: Iterable[Path]) -> None:
    """Rename files of rows to NAME.before, over what was set aside before."""
    for file in files:
        with explained(file):
            file.replace(file.with_suffix(".before"))


@contextmanager
def whole(file: Path) -> Iterator[Path]:
    """A file to write instead of `file`, which it replaces at the end: who is stopped in between leaves the old one."""
    part = file.with_name(f"{file.name}.part")
    with explained(file):
        file.parent.mkdir(parents=True, exist_ok=True)
        yield part
        part.replace(file)


@contextmanager
def explained(file: Path) -> Iterator[None]:
    """Raise Stopped instead of an OSError, with a sentence on the file that could not be written."""
    try:
        yield
    except OSError as error:
        advice = ADVICE.get(error.errno or 0, "mend that")
        raise Stopped(
            f"{file} cannot be written: {error.strerror or error}. Rows that were finished before are kept; {advice}, "
            "and give the same command again."
        ) from error
