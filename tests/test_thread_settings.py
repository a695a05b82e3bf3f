"""What the import does to torch's threads, each time in a new process: how they wait, and how many there are.

What the whole package does to them is in test_import.py.
"""

import math
import os
import shutil
import subprocess
import sys

import pytest

from xattn_helpers import threads
from xattn_helpers.threads import NUMBER, WAITING, processors, quota

ALONE = f"import runpy; runpy.run_path({threads.__file__!r})"  # without the package, which takes longer to load
OURS = (*WAITING, *NUMBER)
SAYS = f"import os, torch; print(*[os.environ.get(name) for name in {tuple(WAITING)}])"
AFFINITY = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set()


def said(code=ALONE, command=(), **environment):
    """What a new process says after some code: how threads wait, in three words, and how many torch has."""
    inherited = {name: value for name, value in os.environ.items() if name not in OURS}
    finished = subprocess.run(
        [*command, sys.executable, "-c", f"{code}\n{SAYS}\nprint(torch.get_num_threads())"],
        capture_output=True, text=True, env=inherited | environment,
    )
    assert finished.returncode == 0, finished.stderr
    return finished.stdout.split()


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("OMP_WAIT_POLICY", "ACTIVE", ["ACTIVE", "None", "None"]),
        ("GOMP_SPINCOUNT", "7", ["None", "7", "None"]),
        ("KMP_BLOCKTIME", "200", ["None", "None", "200"]),
    ],
)
def test_whoever_says_how_threads_wait_keeps_it(name, value, expected):
    assert said(**{name: value})[:3] == expected


def test_where_torch_is_loaded_it_is_too_late_and_nothing_is_set():
    assert said(f"import torch\n{ALONE}")[:3] == ["None"] * 3


# How many


@pytest.mark.skipif(len(AFFINITY) < 2, reason="one processor has one thread in any case")
def test_a_quota_takes_threads_from_torch_unless_the_user_has_set_their_number():
    files = {"/proc/self/cgroup": "0::/", "/sys/fs/cgroup/cpu.max": "100000 100000"}
    quota_of_one = (
        "import pathlib; read = pathlib.Path.read_text\n"
        f"pathlib.Path.read_text = lambda file, **how: {files}.get(str(file)) or read(file, **how)"
    )
    assert said(f"{quota_of_one}\n{ALONE}")[3] == "1"
    assert said(f"{quota_of_one}\nimport torch\n{ALONE}")[3] == "1"
    assert said(f"{quota_of_one}\n{ALONE}", OMP_NUM_THREADS="2")[3] == "2"


@pytest.mark.skipif(not AFFINITY or not shutil.which("taskset"), reason="needs taskset")
def test_a_process_on_one_processor_has_one_thread():
    assert said(command=["taskset", "-c", str(min(AFFINITY))])[3] == "1"


@pytest.mark.parametrize(
    ("groups", "files", "expected"),
    [
        (None, {}, math.inf),
        ("0::/", {"cpu.max": "max 100000\n"}, math.inf),
        ("0::/", {"cpu.max": "150000 100000\n"}, 1.5),
        ("0::/a/b", {"a/cpu.max": "200000 100000\n", "a/b/cpu.max": "max 100000\n"}, 2),
        ("0::/a/b", {"a/cpu.max": "300000 100000\n", "a/b/cpu.max": "50000 100000\n"}, 0.5),
        ("0::/not/here", {"cpu.max": "200000 100000\n"}, 2),  # a container sees its own group as the root
        ("0::/", {"cpu.max": "torn"}, math.inf),
        ("1:cpu:/", {"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"}, math.inf),
        ("1:cpu,io:/a", {"cpu,io/a/cpu.cfs_quota_us": "250000", "cpu,io/a/cpu.cfs_period_us": "100000"}, 2.5),
        ("1:cpu,cpuacct:/", {"cpu/cpu.cfs_quota_us": "100000", "cpu/cpu.cfs_period_us": "100000"}, 1),
        ("2:cpuset:/\n0::/", {"cpuset/cpu.cfs_quota_us": "1", "cpuset/cpu.cfs_period_us": "100000"}, math.inf),
        ("1:name=systemd:/a:b\n0::/", {"cpu.max": "100000 50000"}, 2),
    ],
)  # fmt: skip
def test_the_quota_is_the_least_of_the_groups_around_the_process(tmp_path, groups, files, expected):
    for name, text in files.items():
        file = tmp_path / "sys/fs/cgroup" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    if groups:
        (tmp_path / "proc/self").mkdir(parents=True)
        (tmp_path / "proc/self/cgroup").write_text(f"{groups}\n")
    assert quota(tmp_path) == expected


@pytest.mark.parametrize(("affinity", "work", "expected"), [(8, 1.5, 2), (2, 4, 2), (8, 0.1, 1), (3, math.inf, 3)])
def test_processors_are_those_of_the_affinity_within_the_quota(monkeypatch, affinity, work, expected):
    monkeypatch.setattr(threads.os, "sched_getaffinity", lambda process: set(range(affinity)), raising=False)
    monkeypatch.setattr(threads, "quota", lambda system: work)
    assert processors() == expected
