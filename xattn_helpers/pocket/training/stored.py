"""Files of earlier runs: read where they are whole and of the same run, named with what to do where they are not."""

import json
import pickle
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import torch

# What torch, zip files, json and the parts of a checkpoint raise when they are given something else.
DAMAGE = (RuntimeError, pickle.UnpicklingError, EOFError, OSError, KeyError, TypeError, ValueError, AttributeError)

LONG = 4096  # bytes of a json file


class UnusableFile(ValueError):
    """A file of an earlier run that this one cannot use; the message names it and says what to do."""


@contextmanager
def readable(file: Path) -> Iterator[None]:
    """Raise UnusableFile instead of what reading a damaged file raises."""
    try:
        yield
    except UnusableFile:
        raise
    except DAMAGE as error:
        reason = f"{type(error).__name__}: {error}".partition("\n")[0][:80]
        raise UnusableFile(
            f"{file} cannot be read ({reason}): it is damaged, or another version of this program wrote "
            "it; delete it, and the same command makes it anew."
        ) from error


def load(file: Path, device: torch.device) -> dict:
    """What torch has saved, by name, on a device; raises UnusableFile for a damaged file."""
    where = device if device.index is not None and device.type != "cpu" else device.type  # torch knows no "cpu:0" here
    with readable(file):
        return dict(torch.load(file, map_location=where, weights_only=True))


def save(state: Mapping, file: Path) -> None:
    """Save, so that an interruption leaves the file that was there before."""
    file.parent.mkdir(parents=True, exist_ok=True)
    half_written = file.with_suffix(".part")
    torch.save(state, half_written)
    half_written.replace(file)


def compact(folder: Path) -> None:
    """Take the white space out of the long json files of a folder, as a model's index: a repository has limits."""
    for file in folder.glob("*.json"):
        if file.stat().st_size < LONG:  # somebody may read it
            continue
        content = json.loads(file.read_text(encoding="utf-8"))
        file.write_text(json.dumps(content, separators=(",", ":"), ensure_ascii=False) + "\n", encoding="utf-8")


def check_same_run(file: Path, then: Mapping, now: Mapping) -> None:
    """Raise UnusableFile for a checkpoint of a run with other knobs; those that only one of both knows do not count."""
    different = sorted(name for name in then.keys() & now.keys() if then[name] != now[name])
    if different:
        before = ", ".join(f"{name}={then[name]!r}" for name in different)
        asked = ", ".join(f"{name}={now[name]!r}" for name in different)
        raise UnusableFile(
            f"{file} is of a run with {before}, and {asked} is asked for. Ask for the same to go on with that run, or "
            "delete the file to train anew."
        )


def link(source: Path, place: Path) -> None:
    """A link to a folder of parts that a training takes as they are; the folder may come later."""
    if not place.is_symlink():
        place.symlink_to(source.resolve(), target_is_directory=True)
