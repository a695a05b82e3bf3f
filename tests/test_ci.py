"""What continuous integration runs, with and without a Chromium. A stand-in for make says how it was called."""

import os
import subprocess
import sys

import pytest

from tools import notebooks

LEFT_OUT = "The browser tests are left out: there is no Chromium here, and apt-get cannot install it.\n"
MAKE = """#!/bin/sh
case "$2" in
    chromium) echo "apt-get speaks" >&2; exit $CHROMIUM ;;
    test) echo "1 passed"; exit $TEST ;;
    test-browser) echo "browser $4"; [ "$4" ] && exit $AGAIN; exit $BROWSER ;;
esac
"""


@pytest.fixture
def run(tmp_path):
    """Runs .ci/run; the arguments are the exit codes of make chromium, make test, and make test-browser, twice."""
    (tmp_path / "make").write_text(MAKE)
    (tmp_path / "make").chmod(0o755)

    def call(chromium, test, browser, again=0):
        codes = {"CHROMIUM": chromium, "TEST": test, "BROWSER": browser, "AGAIN": again}
        environment = {**os.environ, **{name: str(code) for name, code in codes.items()}, "PYTHON": sys.executable}
        environment["PATH"] = os.pathsep.join([str(tmp_path), os.environ["PATH"]])
        done = subprocess.run([notebooks.ROOT / ".ci" / "run"], capture_output=True, text=True, env=environment)
        return done.returncode, done.stdout + done.stderr

    return call


def test_with_a_browser_its_tests_come_last(run):
    assert run(0, 0, 0) == (0, "1 passed\nbrowser \n")


@pytest.mark.parametrize("code", [0, 2])
def test_what_fails_in_a_browser_is_run_once_more(run, code):
    assert run(0, 0, 2, code) == (code, "1 passed\nbrowser \nbrowser BROWSER=--last-failed\n")


@pytest.mark.parametrize("code", [0, 2])
def test_without_a_browser_one_sentence_says_so_and_the_summary_comes_last(run, code):
    assert run(2, code, 1) == (code, LEFT_OUT + "1 passed\n")


def test_what_fails_without_a_browser_ends_it(run):
    assert run(0, 2, 0) == (2, "1 passed\n")
