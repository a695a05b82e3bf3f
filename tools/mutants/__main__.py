"""Runs the tests of core files on mutants of them, and prints which ones no test notices.

python -m tools.mutants [--number 15] [--seed 1] [--jobs 2] [--anew] [guidance steps ...]
    --number  mutants of a file, chosen at random; a larger number adds to those that were tried
    --jobs    tests that run at the same time, each on one core
    --anew    forgets what build/mutants/results.jsonl has from earlier runs
"""

import argparse
import os
import signal
import sys
from dataclasses import asdict
from functools import partial
from pathlib import Path

from tqdm import tqdm

from tools.mutants import plan as plans
from tools.mutants.mutation import Mutant, choose
from tools.mutants.plan import File, Plan
from tools.mutants.results import Result, Results, Trial, report, result, share, trial
from tools.mutants.workers import EMPTY, PATIENCE, SURVIVED, Worker, copy_tree, import_libraries, wait
from tools.source import ROOT

BASELINE = 900.0  # seconds that the tests of a file may take without a mutation
# Libraries read these when they are imported, which happens here and not in the tests.
ENVIRONMENT = {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "MPLBACKEND": "agg", "TQDM_DISABLE": "1"}


class Campaign:
    """The trials of some files, under way."""

    def __init__(self, root: Path, plan: Plan, results: Results, jobs: int) -> None:
        self.root, self.plan, self.results = root, plan, results
        folder = results.path.parent
        self.workers = [Worker(folder / f"tree{index}") for index in range(jobs)]
        self.seconds: dict[str, float] = {}  # that the tests of a file take, where they pass

    def run(self, trials: list[Trial]) -> None:
        """Tests the unchanged files first, then the mutants of those that pass."""
        for worker in self.workers:
            copy_tree(self.root, worker.tree, self.plan.copy, self.plan.link)
        try:
            for file in dict.fromkeys(trial.file for trial in trials):
                self._baseline(file)
            ready = [trial for trial in trials if trial.file.path in self.seconds]
            with tqdm(total=len(ready), unit="mutant", dynamic_ncols=True) as bar:
                for trial in ready:
                    self._start(trial, bar)
                wait(self.workers, free=len(self.workers))
        finally:
            for worker in self.workers:
                worker.stop()

    def _baseline(self, file: File) -> None:
        """Runs the tests of a file twice: with the libraries that they import, and, for the time, with those loaded."""
        worker = self.workers[0]
        outcomes = []
        for _ in range(2):
            worker.start(file.tests, BASELINE, lambda outcome, seconds: outcomes.append((outcome, seconds)))
            wait([worker], free=1)
            if outcomes[-1][0] != SURVIVED:
                break
            import_libraries(worker.tree)
        outcome, seconds = outcomes[-1]
        print(f"{seconds:5.0f} s  {file.path}: {' '.join(file.tests)}", flush=True)
        if outcome == SURVIVED:
            self.seconds[file.path] = seconds
        else:
            fault = "has no tests" if outcome == EMPTY else "has tests that fail without a mutation"
            print(f"{file.path} {fault}, and is left out:\n{_tail(worker.tree / 'output.txt')}", flush=True)

    def _start(self, trial: Trial, bar: tqdm) -> None:
        wait(self.workers, free=1)
        worker = next(worker for worker in self.workers if not worker.process)
        path = worker.tree / trial.file.path
        original = path.read_text(encoding="utf-8")
        path.write_text(trial.mutant.code, encoding="utf-8")
        allowed = PATIENCE * self.seconds[trial.file.path] + self.plan.grace
        worker.start(trial.file.tests, allowed, partial(self._done, path, original, trial, bar))

    def _done(self, path: Path, original: str, trial: Trial, bar: tqdm, outcome: str, seconds: float) -> None:
        path.write_text(original, encoding="utf-8")
        self.results.add(result(trial, outcome, seconds))
        bar.update()


def main() -> None:
    """The command line of this module."""
    arguments = _arguments()
    os.environ.update(ENVIRONMENT)
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(number))  # so that the workers are stopped as well
    root = arguments.root.resolve()
    plan = plans.read(arguments.plan or root / "tools" / "mutants.toml")
    results = Results(root / "build" / "mutants" / "results.jsonl")
    if arguments.anew:
        results.path.unlink(missing_ok=True)
        results.stored.clear()
    try:
        trials = _trials(root, plan, arguments)
    except ValueError as error:
        sys.exit(str(error))
    pending = [trial for trial in trials if trial.key not in results.stored]
    if pending:
        Campaign(root, plan, results, arguments.jobs).run(pending)
    tried = [trial for trial in trials if trial.key in results.stored]
    judged = [_with_reason(plan, results.stored[trial.key], trial.mutant) for trial in tried]
    print("\n".join(report(judged, plan, root)))
    if len(tried) < len(trials):
        sys.exit(f"{len(trials) - len(tried)} mutants were not tried, because tests fail without them")
    if share(judged) < plan.share:
        sys.exit(f"{share(judged):.0%} caught; at least {plan.share:.0%} is asked for")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--number", type=int)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--anew", action="store_true")
    parser.add_argument("--root", type=Path, default=ROOT, help=argparse.SUPPRESS)
    parser.add_argument("--plan", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("names", nargs="*")
    return parser.parse_args()


def _trials(root: Path, plan: Plan, arguments: argparse.Namespace) -> list[Trial]:
    """The mutants of the files that were asked for."""
    number = arguments.number or plan.number
    seed = plan.seed if arguments.seed is None else arguments.seed
    trials = []
    for file in plan.chosen(" ".join(arguments.names).split()):
        code = (root / file.path).read_text(encoding="utf-8")
        for mutant in choose(code, number, f"{seed} {file.path}"):
            trials.append(trial(root, file, mutant))
    return trials


def _with_reason(plan: Plan, result: Result, mutant: Mutant) -> Result:
    return Result(**{**asdict(result), "reason": plan.reason(result.file, mutant)})


def _tail(path: Path) -> str:
    return "\n".join(path.read_text(encoding="utf-8", errors="replace").splitlines()[-15:]) if path.exists() else ""


if __name__ == "__main__":
    main()
