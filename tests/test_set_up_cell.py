"""The cell with which a notebook sets itself up on Colab, run with a stand-in for Colab and for pip."""

import importlib.util
import subprocess
import sys
from types import SimpleNamespace

import pytest

from tools import badges

KNOWN = badges.colab_cell(badges.Address("owner/name", "draft"))
UNKNOWN = badges.colab_cell(badges.Address(""))
PACKAGES = ["mediapy", "resvg-py", "einops", "jaxtyping", "wadler-lindig"]
both = pytest.mark.parametrize("cell", [KNOWN, UNKNOWN], ids=["known", "unknown"])


@pytest.fixture
def colab(monkeypatch, tmp_path):
    """Colab in an empty folder: what pip was asked to install, what it answers, and which packages are there."""
    place = SimpleNamespace(asked=[], answer=(0, ""), there=set(), folder=tmp_path)

    def run(command, **options):
        assert command[:6] == [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps"] and options["text"]
        place.asked.append(command[6:])
        return SimpleNamespace(returncode=place.answer[0], stderr=place.answer[1])

    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "google.colab", object())
    monkeypatch.setattr(subprocess, "run", run)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: name in place.there or None)
    return place


@both
def test_it_is_short_and_installs_nothing_elsewhere(colab, monkeypatch, capsys, cell):
    assert len([line for line in cell.splitlines() if line]) <= 15
    monkeypatch.delitem(sys.modules, "google.colab")
    exec(cell, {})
    assert colab.asked == [] and capsys.readouterr().out == ""


@both
def test_it_does_nothing_where_everything_can_be_imported(colab, capsys, cell):
    colab.there = {"xattn_helpers", *(name.replace("-", "_") for name in PACKAGES)}
    exec(cell, {})
    assert colab.asked == [] and capsys.readouterr().out == ""


def test_it_installs_the_branch_that_the_links_lead_to_and_says_so(colab, capsys):
    exec(KNOWN, {})
    project = "git+https://github.com/owner/name@draft"
    assert colab.asked == [[project, *PACKAGES]]
    said = capsys.readouterr().out
    assert said.startswith(f"Installing {project} mediapy") and "about a minute" in said


def test_what_is_there_is_not_installed_again(colab):
    colab.there = {"xattn_helpers", "mediapy", "einops", "jaxtyping"}
    exec(KNOWN, {})
    assert colab.asked == [["resvg-py", "wadler-lindig"]]


@both
def test_a_zip_that_was_unpacked_is_installed_instead(colab, cell):
    package = colab.folder / "name-main" / "xattn_helpers"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (colab.folder / "sample_data").mkdir()
    exec(cell, {})
    assert colab.asked == [[str(colab.folder / "name-main"), *PACKAGES]]


@both
def test_where_pip_fails_its_message_and_a_way_out_are_shown(colab, cell):
    colab.answer = (1, "x" * 2000 + "fatal: could not read Username for 'https://github.com'")
    with pytest.raises(RuntimeError) as failure:
        exec(cell, {})
    assert "could not read Username" in str(failure.value) and "Upload a zip of the project" in str(failure.value)
    assert len(str(failure.value)) < 1500


def test_without_an_address_nothing_is_taken_from_a_package_index(colab):
    exec(UNKNOWN, {})
    assert colab.asked == [["", *PACKAGES]]
    command = [sys.executable, "-m", "pip", "download", "--no-index", ""]
    assert b"Invalid requirement" in subprocess.Popen(command, stderr=subprocess.PIPE).communicate()[1]
