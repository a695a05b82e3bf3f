"""Runs tests in forked copies of this process, each in its own copy of the tree.

This process imports the large libraries once, and nothing of the project; a fork then starts with them. The mutated
file is written into the copy only, so that the working tree may be edited meanwhile.
"""

import importlib
import json
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CAUGHT, SURVIVED, SLOW, EMPTY = "caught", "survived", "caught (too slow)", "no tests"
# pytest's exit statuses; every other one means that a test failed or could not even be collected.
OUTCOMES = {0: SURVIVED, 5: EMPTY}
PATIENCE = 4.0  # a mutant may take so many times as long as the code itself, and the plan's grace


@dataclass
class Worker:
    """A copied tree, and the process that tests in it now."""

    tree: Path
    process: int = 0
    begin: float = 0.0
    allowed: float = 0.0  # seconds
    finish: Callable[[str, float], None] | None = None

    def start(self, tests: tuple[str, ...], allowed: float, finish: Callable[[str, float], None]) -> None:
        """Forks; `finish` is called with the outcome and the seconds it took."""
        sys.stdout.flush()
        self.begin, self.allowed, self.finish = time.monotonic(), allowed, finish
        self.process = os.fork()
        if self.process == 0:
            _test(self.tree, tests)

    def poll(self) -> None:
        """Finishes if the process has ended, or has taken too long."""
        if not self.process or self.finish is None:
            return
        process, status = os.waitpid(self.process, os.WNOHANG)
        seconds = time.monotonic() - self.begin
        if process:
            outcome = OUTCOMES.get(os.waitstatus_to_exitcode(status), CAUGHT)
        elif seconds > self.allowed:
            self.stop()
            outcome = SLOW
        else:
            return
        self.process = 0
        self.finish(outcome, seconds)

    def stop(self) -> None:
        """Ends the process and its children, if there is one."""
        if self.process:
            os.killpg(self.process, signal.SIGKILL)
            os.waitpid(self.process, 0)
            self.process = 0


def copy_tree(root: Path, tree: Path, copied: tuple[str, ...], linked: tuple[str, ...]) -> None:
    """Copies the named files and folders, with links to those that are only read."""
    shutil.rmtree(tree, ignore_errors=True)
    tree.mkdir(parents=True)

    def left_out(folder: str, names: list[str]) -> list[str]:
        inside = Path(folder).relative_to(root)
        return [name for name in names if name == "__pycache__" or (inside / name).as_posix() in linked]

    for name in copied:
        if (root / name).is_dir():
            shutil.copytree(root / name, tree / name, ignore=left_out)
        else:
            shutil.copy(root / name, tree / name)
    for name in linked:
        (tree / name).symlink_to(root / name, target_is_directory=True)


def import_libraries(tree: Path) -> None:
    """Imports what the last tests in `tree` imported from installed packages."""
    for name in json.loads((tree / "libraries.json").read_text()):
        try:
            importlib.import_module(name)
        except Exception:  # whatever a library does when it is imported alone: the fork imports it in its own order
            continue


def wait(workers: list[Worker], free: int) -> None:
    """Returns when at least `free` workers have nothing to do."""
    while sum(not worker.process for worker in workers) < free:
        time.sleep(0.05)
        for worker in workers:
            worker.poll()


class FastestFirst:
    """A plugin of pytest: the tests of each file in the order of the seconds that they took when all passed."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.known: dict[str, float] = json.loads(path.read_text()) if path.exists() else {}
        self.seconds: dict[str, float] = {}

    def pytest_collection_modifyitems(self, items: list[Any]) -> None:
        """Files stay together, because fixtures may belong to a file."""
        files = list(dict.fromkeys(item.path for item in items))
        items.sort(key=lambda item: (files.index(item.path), self.known.get(item.nodeid, 0.0)))

    def pytest_runtest_logreport(self, report: Any) -> None:
        """Without what fixtures take, which the first test of a file would have to pay for."""
        if report.when == "call":
            self.seconds[report.nodeid] = report.duration

    def pytest_sessionfinish(self, exitstatus: int) -> None:
        """Remembered, for all workers, from a session without a failure: a baseline, or a mutant that survived."""
        if exitstatus == 0:
            whole = self.path.with_suffix(f".{os.getpid()}")
            whole.write_text(json.dumps(self.known | self.seconds))
            whole.replace(self.path)  # at once, so that nobody reads a half


def _test(tree: Path, tests: tuple[str, ...]) -> None:
    """In the fork: runs pytest, and leaves with its status. What it prints goes to a file."""
    os.setpgid(0, 0)
    log = os.open(tree / "output.txt", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.chdir(tree)
    sys.path.insert(0, str(tree))
    sys.dont_write_bytecode = True  # two mutants in one second have the same time stamp, which is what Python compares
    status = 3
    try:
        import pytest

        if torch := sys.modules.get("torch"):
            torch.set_num_threads(1)  # the other workers have the other cores
        quiet = ["-q", "-p", "no:cacheprovider", "-W", "ignore::pytest.PytestAssertRewriteWarning"]
        status = int(pytest.main(["-x", *quiet, *tests], plugins=[FastestFirst(tree.parent / "seconds.json")]))
        _note_libraries(tree)
    except BaseException as error:  # a fork must not go on with what its parent does
        print(f"{type(error).__name__}: {error}", flush=True)
    finally:
        sys.stdout.flush()
        os._exit(status)


def _note_libraries(tree: Path) -> None:
    files = {name: str(getattr(module, "__file__", "")) for name, module in list(sys.modules.items())}
    installed = [name for name, file in files.items() if "site-packages" in file]
    (tree / "libraries.json").write_text(json.dumps(installed))
