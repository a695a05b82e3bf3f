"""Where a row comes from: commit, versions, device and precision, as they are when it is measured."""

import os
import platform
import re
import subprocess
from dataclasses import asdict, dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path

import torch

PACKAGES = ("torch", "diffusers", "transformers", "numpy")
COMMIT = "XATTN_COMMIT"  # the environment variable that names the commit where the code was copied without its history
GPU = r"(NVIDIA|Tesla|Quadro|GeForce|TITAN|AMD|Radeon)[\w .()/+-]*"  # what torch.cuda.get_device_name returns
CPU = r"CPU \([\w.,() @+-]+\)"  # what `device_name` makes of it
DEVICE = re.compile(f"{GPU}|{CPU}")


@dataclass(frozen=True)
class Source:
    """What rows of the same origin share."""

    commit: str  # 12 digits, with a + where the code had changes that were not committed
    versions: dict[str, str]
    device: str
    threads: int  # of torch on the CPU
    precision: str
    weights: dict[str, str]  # model: digest of its weights

    def as_dict(self) -> dict:
        """For a file of rows or a table."""
        return asdict(self)


def source_now(device: str, precision: str, weights: dict[str, str], threads: int | None = None) -> Source:
    """The source of a row that is measured now, on "cpu" or "cuda"."""
    threads = threads or torch.get_num_threads()
    return Source(commit(), versions(), device_name(device), threads, precision, weights)


@cache
def versions() -> dict[str, str]:
    """The installed versions of the libraries that numbers may depend on."""
    return {package: version(package) for package in PACKAGES}


def device_name(device: str) -> str:
    """The name of the GPU, or "CPU" with what the platform tells about it."""
    if device == "cuda":
        return torch.cuda.get_device_name()
    return f"CPU ({platform.processor() or platform.machine()})"


@cache
def commit() -> str:
    """The commit of this package's code, with a + if it was changed; "unknown" without git and XATTN_COMMIT."""
    if COMMIT in os.environ:
        return os.environ[COMMIT]
    head = _git("rev-parse", "--short=12", "HEAD")
    changed = _git("status", "--porcelain", "--untracked-files=no", "--", ".", ":!studies/results")
    return head + "+" * bool(changed) if head else "unknown"


def _git(*arguments: str) -> str:
    """What git says in the package's folder; empty where there is no git or no repository."""
    folder = Path(__file__).parents[1]
    try:
        result = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return ""
    return result.stdout.strip()
