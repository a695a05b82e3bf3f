"""Mutation testing: the choice of mutants, and whole runs on a project of two files."""

import os
import subprocess
import sys
from types import SimpleNamespace

import pytest

from tools.mutants import mutation, plan
from tools.mutants.workers import FastestFirst
from tools.source import ROOT

CODE = """\
def larger(first: int | None, second: int = 2) -> int:  # no test checks the default
    if first > second:
        return first
    return second
"""
ENDLESS = """\
def larger(first, second):
    while second < first:
        second = second + 1
    return second
"""
TESTS = """\
from small.code import larger


def test_larger():
    assert larger(3, 1) == 3 and larger(1, 3) == 3
"""
PLAN = """\
seed = 1
number = 50
share = 0.5
grace = 10
copy = ["small", "tests"]
link = ["small/data"]

[[file]]
path = "small/code.py"
tests = ["tests/test_code.py"]
"""
EXPECTED = """
[[expected]]
file = "small/code.py"
line = "def larger(first: int | None, second: int = 2) -> int:"
operator = "core/NumberReplacer"
reason = "the default is never used"
"""


@pytest.fixture
def project(tmp_path):
    for name, text in {"small/code.py": CODE, "tests/test_code.py": TESTS, "tools/mutants.toml": PLAN}.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    (tmp_path / "small" / "__init__.py").touch()
    (tmp_path / "small" / "data").mkdir()
    return tmp_path


def run(project, *arguments):
    command = [sys.executable, "-m", "tools.mutants", "--root", str(project), "--jobs", "2", *arguments]
    environment = os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}  # they take longer to load than the tests to run
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600, env=environment)


def stored(project):
    return (project / "build" / "mutants" / "results.jsonl").read_text().splitlines()


# The choice


def test_the_choice_is_the_same_for_a_seed_and_grows_with_the_number():
    shorter, longer = (mutation.choose(CODE + ENDLESS, number, "seed") for number in (3, 6))
    assert longer[:3] == shorter and len(longer) == 6
    assert mutation.choose(CODE + ENDLESS, 6, "another") != longer


def test_a_mutant_differs_in_one_line_that_runs():
    for mutant in mutation.choose(CODE, 100, ""):
        changed = [pair for pair in zip(CODE.splitlines(), mutant.code.splitlines(), strict=True) if pair[0] != pair[1]]
        assert [(before.strip(), after.strip()) for before, after in changed] == [(mutant.before, mutant.after)]
        compile(mutant.code, "", "exec")


def test_annotations_are_not_mutated_and_defaults_are():
    mutants = mutation.choose(CODE, 100, "")
    signatures = [mutant.after for mutant in mutants if mutant.start[0] == 1]
    assert signatures and all("int | None" in signature and "-> int" in signature for signature in signatures)


def test_mutations_that_can_only_raise_are_left_out():
    assert not [name for name, *_ in mutation.sites("x = a + b * c / d\n") if name.endswith(("BitOr", "LShift"))]
    assert [name for name, *_ in mutation.sites("x = a | b\n") if name.endswith("BitAnd")]


# The order of tests


def test_the_tests_of_a_file_begin_with_the_fastest_of_an_earlier_session(tmp_path):
    paths = {"a": "first.py", "b": "first.py", "c": "first.py", "d": "second.py", "new": "second.py"}
    seconds = {"a": 3.0, "b": 1.0, "c": 2.0, "d": 0.5}

    def collected(status: int) -> str:
        plugin = FastestFirst(tmp_path / "seconds.json")
        items = [SimpleNamespace(nodeid=name, path=path) for name, path in paths.items()]
        plugin.pytest_collection_modifyitems(items)
        for name, duration in seconds.items():
            for when in ("setup", "call", "teardown"):  # of which only the call counts
                report = SimpleNamespace(nodeid=name, when=when, duration=duration if when == "call" else 9 - duration)
                plugin.pytest_runtest_logreport(report)
        plugin.pytest_sessionfinish(status)
        return " ".join(item.nodeid for item in items)

    assert collected(status=1) == collected(status=0) == "a b c d new", "what failed tells no times"
    assert collected(status=0) == "b c a new d"


# Whole runs


def test_runs_find_the_survivor_leave_the_files_alone_and_go_on_where_the_last_one_was(project):
    first = run(project)
    assert first.returncode == 0, first.stdout + first.stderr
    survivors, expected = first.stdout.split("Survivors that are expected")
    assert "Survivors: 1\n  small/code.py:1 core/NumberReplacer\n    - def larger(" in survivors
    assert expected.startswith(": 0\n")
    assert (project / "small" / "code.py").read_text() == CODE and not list(project.glob("small/__pycache__"))
    tried = len(stored(project))
    assert f"{tried - 1:6} {tried:3} {1 - 1 / tried:6.0%}  all" in first.stdout

    (project / "tools" / "mutants.toml").write_text(PLAN + EXPECTED)
    second = run(project)
    assert len(stored(project)) == tried and "mutant/s" not in second.stderr
    survivors, expected = second.stdout.split("Survivors that are expected")
    assert "Survivors: 0" in survivors and "because the default is never used" in expected

    (project / "tests" / "test_code.py").write_text(TESTS + "\n\ndef test_default():\n    assert larger(0) == 2\n")
    assert "Survivors: 0" in run(project).stdout
    assert len(stored(project)) == 2 * tried


def test_tests_that_never_end_are_ended_and_count_as_caught(project):
    (project / "small" / "code.py").write_text(ENDLESS)
    (project / "tools" / "mutants.toml").write_text(PLAN.replace("grace = 10", "grace = 3"))
    said = run(project).stdout
    assert "too slow" in "".join(stored(project))  # second - 1 never becomes as large as first
    assert "second - 1" not in said


def test_too_few_caught_is_a_failure(project):
    (project / "tests" / "test_code.py").write_text("from small import code\n\ndef test_nothing():\n    assert code\n")
    finished = run(project, "--number", "3")
    assert finished.returncode == 1 and "caught; at least 50% is asked for" in finished.stderr


def test_tests_that_fail_without_a_mutation_are_named(project):
    (project / "tests" / "test_code.py").write_text("def test_wrong():\n    assert 1 == 2\n")
    finished = run(project)
    assert finished.returncode == 1 and "has tests that fail without a mutation" in finished.stdout
    assert "assert 1 == 2" in finished.stdout and "were not tried" in finished.stderr


@pytest.mark.parametrize(
    "change, said",
    [
        (("test_code.py", "test_gone.py"), "names tests/test_gone.py for small/code.py"),
        (("", ""), "no file 'nothing' in mutants.toml; it has code"),
    ],
)
def test_a_wrong_plan_or_name_is_an_error_that_says_so(project, change, said):
    (project / "tools" / "mutants.toml").write_text(PLAN.replace(*change))
    finished = run(project, *(["nothing"] if change == ("", "") else []))
    assert finished.returncode == 1 and said in finished.stderr


# The plan of this repository


def test_the_plan_names_files_and_tests_that_are_there():
    named = plan.read(ROOT / "tools" / "mutants.toml")
    paths = [path for file in named.files for path in (file.path, *file.tests)]
    assert [path for path in (*paths, *named.copy, *named.link) if not (ROOT / path).exists()] == []
    assert len(named.files) >= 10 and named.share >= 0.9


def test_every_expected_survivor_still_has_its_line_and_a_reason():
    named = plan.read(ROOT / "tools" / "mutants.toml")
    assert named.outdated(ROOT) == []
    assert [expected for expected in named.expected if len(expected.reason) < 10] == []
