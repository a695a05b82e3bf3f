"""How torch's threads share the processors: those that wait soon sleep, and there are no more than the process may use.

Between two operations of a network a thread waits for some microseconds. One that sleeps is late for the next; one that
spins until its work comes takes the processor from the one that works, wherever other programs run beside it. So it
spins for a moment and then sleeps (study `waiting`). How threads wait is read once, when torch is loaded, and so this
module comes first and loads torch last.
"""

import math
import os
import sys
from pathlib import Path

# Of OpenMP in all its versions: sleep; of GNU's, which torch has on Linux: after so many turns, a fraction of a
# millisecond; and of Intel's, which counts whole milliseconds and otherwise spins for 200 of them: at once.
WAITING = {"OMP_WAIT_POLICY": "PASSIVE", "GOMP_SPINCOUNT": "5000", "KMP_BLOCKTIME": "0"}
NUMBER = ("OMP_NUM_THREADS", "MKL_NUM_THREADS")  # with which a user says how many threads there are
SYSTEM = Path("/")  # where the files of the system are


def wait_shortly() -> bool:
    """Let waiting threads sleep after a moment; returns whether it did.

    It does not if the user has said how they wait, or if torch is loaded.
    """
    if "torch" in sys.modules or not WAITING.keys().isdisjoint(os.environ):
        return False
    os.environ.update(WAITING)
    return True


def limit_threads() -> int:
    """Take from torch the threads that the process has no processors for, unless the user has set their number.

    Loads torch; returns how many threads it has.
    """
    import torch

    if not any(name in os.environ for name in NUMBER) and torch.get_num_threads() > processors():
        torch.set_num_threads(processors())
    return torch.get_num_threads()


def processors(system: Path = SYSTEM) -> int:
    """How many processors this process may really use, at least 1: those of its affinity, within its group's quota.

    A quota of one and a half processors counts as two. `system` is the root of the files /proc and /sys.
    """
    affinity = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, math.ceil(min(affinity, quota(system))))


def quota(system: Path = SYSTEM) -> float:
    """Processors that the control groups of this process may use, of versions 1 and 2; infinite without a limit."""
    limits = [math.inf]
    for line in _read(system / "proc/self/cgroup").splitlines():
        _, controllers, path = line.split(":", 2)
        limits.append(_group_quota(system, controllers, path))
    return min(limits)


def _group_quota(system: Path, controllers: str, path: str) -> float:
    """The smallest quota of a group and of those around it. Inside a container the group may be the root."""
    if controllers and "cpu" not in controllers.split(","):
        return math.inf
    root = system / "sys/fs/cgroup" / controllers
    if controllers and not root.exists():
        root = root.with_name("cpu")
    group = root / path.strip("/")
    limits = [math.inf]
    while group.is_relative_to(root):
        limits.append(_limit(group))
        group = group.parent
    return min(limits)


def _limit(group: Path) -> float:
    """The quota of one group, microseconds of work over microseconds of time; infinite where it says "max" or -1."""
    text = _read(group / "cpu.max") or f"{_read(group / 'cpu.cfs_quota_us')} {_read(group / 'cpu.cfs_period_us')}"
    try:
        work, time = (float(word) for word in text.split())
    except ValueError:
        return math.inf
    return work / time if work > 0 and time > 0 else math.inf


def _read(file: Path) -> str:
    """The text of a file, empty where it cannot be read."""
    try:
        return file.read_text()
    except OSError:
        return ""


wait_shortly()
limit_threads()
