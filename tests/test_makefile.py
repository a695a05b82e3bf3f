"""The Makefile: what reaches the commands, and in which environment. Stand-ins for them say how they were called."""

import os
import re
import subprocess
import sys

import pytest

from tools import notebooks
from xattn_helpers.threads import WAITING

TARGETS = (
    "tutorial", "notebooks", "lab", "test", "test-unit", "test-browser", "bench", "train", "lint", "format", "mutants",
    "badges",
)  # fmt: skip
COMMANDS = ("python", "ruff", "basedpyright", "jupyter")
SAYS_HOW = """#!/bin/sh
printf 'called %s\\n' "$(basename "$0")"
printf 'policy %s %s %s\\n' "$OMP_WAIT_POLICY" "$GOMP_SPINCOUNT" "$KMP_BLOCKTIME"
printf 'path %s\\n' "$PYTHONPATH"
for argument in "$@"; do printf '<%s>\\n' "$argument"; done
"""


@pytest.fixture
def make(tmp_path):
    """Runs a target with stand-ins for the commands in .venv/bin; returns what they say."""
    for name in COMMANDS:
        (tmp_path / name).write_text(SAYS_HOW)
        (tmp_path / name).chmod(0o755)
    (tmp_path / "ready").touch()

    def run(*arguments, **environment):
        command = ["make", "--no-print-directory", f"BIN={tmp_path}", f"READY={tmp_path / 'ready'}", *arguments]
        ours = (*WAITING, "MAKEFLAGS")
        inherited = {name: value for name, value in os.environ.items() if name not in ours}
        finished = subprocess.run(
            command, cwd=notebooks.ROOT, capture_output=True, text=True, env=inherited | environment
        )
        assert finished.returncode == 0, finished.stderr
        return finished.stdout

    return run


@pytest.mark.parametrize("target", TARGETS)
def test_threads_wait_for_a_moment_in_every_target(make, target):
    policies = set(re.findall(r"^policy (.*)$", make(target), re.MULTILINE))
    assert policies == {" ".join(WAITING.values())}


def test_whoever_sets_the_policy_keeps_it(make):
    assert "policy ACTIVE  \n" in make("bench", OMP_WAIT_POLICY="ACTIVE")
    assert "policy   200\n" in make("bench", KMP_BLOCKTIME="200")


@pytest.mark.parametrize("before, after", [("", ""), ("/a b:/c", ":/a b:/c")])
def test_what_takes_seconds_to_import_is_not_found_in_any_target(make, before, after):
    folder = notebooks.ROOT / "tools" / "without"
    assert f"path {folder}{after}\n" in make("test", PYTHONPATH=before)
    validated = "import jsonschema, sys; jsonschema.validate({}, {'type': 'object'}); assert 'lark' not in sys.modules"
    subprocess.run([sys.executable, "-c", validated], check=True, env=os.environ | {"PYTHONPATH": str(folder)})


def test_threads_wait_for_a_moment_on_binder():
    command = [notebooks.ROOT / "binder" / "start", "env"]
    said = subprocess.run(command, capture_output=True, text=True, check=True, env={"PATH": os.defpath}).stdout.split()
    assert {f"{name}={value}" for name, value in WAITING.items()} <= set(said)


@pytest.mark.parametrize("value", ["owner/name", "a b", "x; touch hacked", 'x" y', "x' y", "`id`", "--write", ""])
def test_an_address_is_one_argument_whatever_it_is(make, value):
    assert f"<-m>\n<tools.badges>\n<{value}>\n<>\n" in make("badges", f"REPO={value}")
    assert f"<-m>\n<tools.badges>\n<>\n<{value}>\n" in make("badges", f"BRANCH={value}")


@pytest.mark.parametrize("target", ["tutorial", "notebooks", "mutants"])
@pytest.mark.parametrize("value", ["01", "01 03", "x; touch hacked", '"', ""])
def test_a_choice_is_one_argument_whatever_it_is(make, target, value):
    assert make(target, f"ONLY={value}").endswith(f"<{value}>\n")


def test_lint_checks_style_and_types(make):
    said = make("lint")
    assert "called ruff" in said and "called basedpyright" in said


@pytest.mark.parametrize(
    "target, module", [("bench", "xattn_helpers.studies"), ("train", "xattn_helpers.pocket.training")]
)
def test_bench_and_train_run_their_packages(make, target, module):
    assert f"<-m>\n<{module}>\n" in make(target)


def test_the_lab_opens_copies_of_the_lessons_also_as_root(make):
    said = make("lab", "LAB=--no-browser")
    assert said.index("<tools.lab>") < said.index("called jupyter")
    assert "<--LabApp.default_url=/lab/tree/my_notebooks>\n" in said and said.endswith("<--no-browser>\n")
    assert ("<--allow-root>\n" in said) is (os.getuid() == 0)


def test_help_lists_every_target(make):
    said = make("help")
    assert all(f"make {target} " in said for target in TARGETS)


def test_tests_share_the_processors_and_a_notebook_stays_in_one_process(make):
    said = make("test", "WORKERS=3")
    assert "<-n>\n<3>\n<--dist=loadfile>\n" in said
    assert "<-n>" not in make("test", "WORKERS=0")
