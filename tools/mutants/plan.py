"""What tools/mutants.toml says: which files are mutated, which tests judge them, and which survivors are expected."""

import tomllib
from dataclasses import dataclass
from pathlib import Path

from tools.mutants.mutation import Mutant


@dataclass(frozen=True)
class File:
    """A file to mutate, and the test files that are run for each of its mutants."""

    path: str  # relative to the root, as the tests
    tests: tuple[str, ...]


@dataclass(frozen=True)
class Expected:
    """A mutant that may survive, and why. It is recognised by its line and its operator, wherever the line stands."""

    file: str
    line: str  # without indentation and comment
    operator: str  # or how it begins
    reason: str
    after: str = ""  # the mutated line, where the operator alone does not tell it from others


@dataclass(frozen=True)
class Plan:
    """The whole of mutants.toml."""

    seed: int
    number: int  # mutants of a file
    share: float  # of them that the tests must catch
    grace: float  # seconds: a mutant's tests may take four times as long as without it, and so much longer
    copy: tuple[str, ...]  # what the copied tree has
    link: tuple[str, ...]  # large folders in it that are linked, because no test writes there
    files: tuple[File, ...]
    expected: tuple[Expected, ...]

    def chosen(self, words: list[str]) -> list[File]:
        """The files whose name begins with one of the words; all of them where there are none.

        Raises ValueError for a word that fits no file.
        """
        stems = {Path(file.path).stem: file for file in self.files}
        if not words:
            return list(self.files)
        for word in words:
            if not any(stem.startswith(word) for stem in stems):
                raise ValueError(f"no file {word!r} in mutants.toml; it has {', '.join(stems)}")
        return [file for stem, file in stems.items() if stem.startswith(tuple(words))]

    def reason(self, file: str, mutant: Mutant) -> str:
        """Why this mutant may survive; empty where it may not."""
        for expected in self.expected:
            same_place = expected.file == file and code(expected.line) == code(mutant.before)
            same_change = mutant.operator.startswith(expected.operator) and expected.after in ("", code(mutant.after))
            if same_place and same_change:
                return expected.reason
        return ""

    def outdated(self, root: Path) -> list[Expected]:
        """Expected survivors whose line is no longer in its file."""
        return [expected for expected in self.expected if not _has_line(root / expected.file, expected.line)]


def read(path: Path) -> Plan:
    """The plan in a file."""
    content = tomllib.loads(path.read_text(encoding="utf-8"))
    files = tuple(File(entry["path"], tuple(entry["tests"])) for entry in content["file"])
    expected = tuple(Expected(**entry) for entry in content.get("expected", []))
    settings = {name: content[name] for name in ("seed", "number", "share", "grace")}
    return Plan(**settings, copy=tuple(content["copy"]), link=tuple(content["link"]), files=files, expected=expected)


def code(line: str) -> str:
    """A line without its indentation and its comment."""
    return line.partition("  # ")[0].strip()


def _has_line(path: Path, line: str) -> bool:
    if not path.exists():
        return False
    return code(line) in map(code, path.read_text(encoding="utf-8").splitlines())
