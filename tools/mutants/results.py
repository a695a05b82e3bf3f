"""What became of each mutant: kept in a file, so that a run that was stopped goes on where it was; and the report."""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from hashlib import sha1
from pathlib import Path

from tools.mutants.mutation import Mutant
from tools.mutants.plan import File, Plan
from tools.mutants.workers import SURVIVED


@dataclass(frozen=True)
class Result:
    """A line of results.jsonl."""

    key: str
    file: str
    line: int
    operator: str
    before: str
    after: str
    outcome: str
    seconds: float
    reason: str = ""  # why it may survive


class Results:
    """The results in a file, by key."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.stored: dict[str, Result] = {}
        if path.exists():
            for line in path.read_text(encoding="utf-8").splitlines():
                result = Result(**json.loads(line))
                self.stored[result.key] = result

    def add(self, result: Result) -> None:
        """Keeps a result, and writes it at once."""
        self.stored[result.key] = result
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(result)) + "\n")


@dataclass(frozen=True)
class Trial:
    """A mutant of a file, and the key of its result: another one as soon as the file or one of its tests is edited."""

    file: File
    mutant: Mutant
    key: str


def trial(root: Path, file: File, mutant: Mutant) -> Trial:
    """The trial of a mutant, as the files are now.

    Raises ValueError where a test file is not there.
    """
    digest = sha1(mutant.code.encode())
    for test in file.tests:
        if not (root / test).exists():
            raise ValueError(f"mutants.toml names {test} for {file.path}; there is no such file")
        digest.update((root / test).read_bytes())
    return Trial(file, mutant, digest.hexdigest()[:16])


def result(trial: Trial, outcome: str, seconds: float) -> Result:
    """What became of a trial."""
    mutant = trial.mutant
    return Result(
        trial.key, trial.file.path, mutant.start[0], mutant.operator, mutant.before, mutant.after, outcome,
        round(seconds, 1),
    )


def report(results: list[Result], plan: Plan, root: Path) -> Iterator[str]:
    """The lines of the report: survivors, and the share caught in each file and in all."""
    survivors = [result for result in results if result.outcome == SURVIVED]
    for title, expected in (("Survivors", False), ("Survivors that are expected", True)):
        members = [result for result in survivors if bool(result.reason) == expected]
        yield f"\n{title}: {len(members)}"
        for result in members:
            yield f"  {result.file}:{result.line} {result.operator}"
            yield f"    - {result.before}"
            yield f"    + {result.after}"
            if expected:
                yield f"    because {result.reason}"
    yield "\ncaught  of  share  file"
    for name in sorted({result.file for result in results}):
        yield _row(name, [result for result in results if result.file == name])
    yield _row("all", results)
    for expected in plan.outdated(root):
        yield f"mutants.toml expects a survivor in a line that {expected.file} no longer has: {expected.line}"


def share(results: list[Result]) -> float:
    """The share of the mutants that the tests caught."""
    return sum(result.outcome != SURVIVED for result in results) / len(results) if results else 0.0


def _row(name: str, results: list[Result]) -> str:
    caught = sum(result.outcome != SURVIVED for result in results)
    return f"{caught:6} {len(results):3} {share(results):6.0%}  {name}"
