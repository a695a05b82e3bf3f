"""A study of eleven cases that take a moment each: python tests/slow_study.py FOLDER [seconds a case]."""

import os
import sys
import time
from pathlib import Path

from xattn_helpers.studies import __main__ as command
from xattn_helpers.studies import running, study
from xattn_helpers.studies.study import Study


class Slow(Study):
    """Squares, and the process that computed each."""

    name, detects, batch = "slow", False, 2
    seconds = 0.05

    def cases(self):
        return [{"setting": "even" if number % 2 else "odd", "number": number} for number in range(11)]

    def group(self, case):
        return case["number"] > 6

    def models(self, case):
        return ()

    def measure(self, cases):
        time.sleep(self.seconds * len(cases))
        return [{"square": case["number"] ** 2, "process": os.getpid()} for case in cases]

    def summary(self, rows):
        return {"total": sum(row["square"] for row in rows), "processes": len({row["process"] for row in rows})}


SQUARES = [number**2 for number in range(11)]


def use(folder, seconds=Slow.seconds):
    """Let the command find the study, and keep everything in a folder."""
    Slow.seconds = seconds
    running.WORK, command.RESULTS = Path(folder), Path(folder) / "results"
    study.COMMANDS["slow"] = Slow


if __name__ == "__main__":
    use(sys.argv[1], *map(float, sys.argv[2:]))
    command.main(["slow"])
