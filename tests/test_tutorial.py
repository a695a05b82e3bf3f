"""make tutorial when something goes wrong: a notebook that fails ends itself only, and what is built stays built."""

import json
import os
import sys

import nbformat
import pytest

from tools import cards, execution, notebooks, pages, tutorial

pytestmark = pytest.mark.usefixtures("copied_kernels")

HEAD = "# %% [markdown]\n# # {name}\n#\n# See [another](01_fails.ipynb).\n\n# %%\n"
CELLS = {
    "00_good": "print(6 * 7)",
    "01_fails": "fine = 1\n\n# %%\nfine / 0",
    "02_hangs": "import time\ntime.sleep(100)",
    "03_dies": "import os\nos._exit(1)",
    "04_good": "print('the last')",
}


@pytest.fixture
def lessons(tmp_path):
    """Five small notebooks, of which two are good."""
    for name, cells in CELLS.items():
        (tmp_path / f"{name}.py").write_text(HEAD.format(name=name) + cells + "\n")
    return notebooks.sources(tmp_path)


@pytest.fixture
def executed(monkeypatch):
    """The names of notebooks that a stand-in for the execution was given; none of them fails."""
    names = []

    def execute(notebook, source, progress):
        names.append(source.stem)
        return 5.0

    monkeypatch.setattr(execution, "execute", execute)
    return names


def titles(out):
    """The pages that the index leads to, in its order."""
    index = (out / "index.html").read_text()
    return [name for name in CELLS if f'<h2><a href="{name}.html">' in index]


def test_what_fails_ends_its_lesson_and_not_the_build(lessons, tmp_path, monkeypatch):
    monkeypatch.setattr(execution, "CELL_TIMEOUT", 3)
    out = tmp_path / "out"
    fails, hangs, dies = tutorial.build(lessons, out)
    assert "01_fails.py, cell 3 of 3 (fine / 0), failed" in fails and "ZeroDivisionError" in fails
    assert "02_hangs.py, cell 2 of 2 (import time), failed" in hangs and "timed out" in hangs
    assert "03_dies.py, cell 2 of 2 (import os), failed" in dies and "Kernel died" in dies
    assert titles(out) == list(CELLS)
    index = (out / "index.html").read_text()
    assert "<strong>01_fails.py, cell 3 of 3 (fine / 0), failed</strong>" in index and index.count(", failed") == 3
    assert "ZeroDivisionError" in (out / "01_fails.html").read_text()
    assert ">42<" in (out / "00_good.html").read_text() and "the last" in (out / "04_good.html").read_text()
    assert 'href="01_fails.html">another' in index and ".ipynb" not in index


def test_notebooks_that_fail_are_not_written_and_the_others_are(lessons):
    kept = lessons[1].read_text()
    (failure,) = tutorial.write_back([lessons[0], lessons[1], lessons[4]])
    assert "01_fails.py, cell 3 of 3" in failure and lessons[1].read_text() == kept
    assert [notebooks.pair(lesson).exists() for lesson in lessons] == [True, False, False, False, True]


# What is built already


def test_a_build_that_was_interrupted_goes_on(lessons, tmp_path, executed, monkeypatch, capsys):
    page = pages.page

    def interrupted(notebook, *neighbours):
        if len(executed) == 3:
            raise KeyboardInterrupt
        return page(notebook, *neighbours)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(pages, "page", interrupted)
        tutorial.build(lessons, tmp_path / "out")
    assert titles(tmp_path / "out") == ["00_good", "01_fails"]
    executed.clear()
    tutorial.build(lessons, tmp_path / "out")
    assert executed == ["02_hangs", "03_dies", "04_good"] and titles(tmp_path / "out") == list(CELLS)
    assert "2 of 5 pages are made from the same sources and stay" in capsys.readouterr().out
    executed.clear()
    tutorial.build(lessons, tmp_path / "out")
    assert executed == []


def test_one_notebook_keeps_the_cards_of_the_others(lessons, tmp_path, executed):
    out = tmp_path / "out"
    tutorial.build(lessons[:2], out, lessons)
    tutorial.build(lessons[4:], out, lessons)
    assert titles(out) == ["00_good", "01_fails", "04_good"] and executed == ["00_good", "01_fails", "04_good"]


@pytest.mark.parametrize(
    "change",
    [
        lambda lesson, out: lesson.write_text(lesson.read_text() + "# a comment\n"),
        lambda lesson, out: (out / "00_good.html").unlink(),
        lambda lesson, out: (out / "cards" / "00_good.json").write_text('{"page": "00_g'),
        lambda lesson, out: (out / "cards" / "00_good.json").write_text('{"page": "00_good.html", "old": 1}'),
        lambda lesson, out: cards._parts.cache_clear(),
    ],
)
def test_it_is_run_again_where_something_changed(lessons, tmp_path, executed, change, monkeypatch):
    out = tmp_path / "out"
    for name in ("constraints.txt", "xattn_helpers"):
        path = tmp_path / "root" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("before")
    monkeypatch.setattr(cards, "ROOT", tmp_path / "root")
    monkeypatch.setattr(cards, "PARTS", ("constraints.txt", "xattn_helpers"))
    cards._parts.cache_clear()
    tutorial.build(lessons[:1], out)
    (tmp_path / "root" / "xattn_helpers").write_text("after")  # seen by whoever looks again
    change(lessons[0], out)
    tutorial.build(lessons[:1], out)
    assert executed == ["00_good"] * 2
    cards._parts.cache_clear()


def test_what_failed_is_run_again(lessons, tmp_path, executed, monkeypatch):
    def fail(*_):
        raise execution.NotebookFailed("00_good.py, cell 2 of 2 (print(6 * 7)), failed:\nmore")

    with monkeypatch.context() as patch:
        patch.setattr(execution, "execute", fail)
        assert len(tutorial.build(lessons[:1], tmp_path / "out")) == 1
    card = json.loads((tmp_path / "out" / "cards" / "00_good.json").read_text())
    assert card["failure"] == "00_good.py, cell 2 of 2 (print(6 * 7)), failed"
    assert tutorial.build(lessons[:1], tmp_path / "out") == [] and executed == ["00_good"]


# The command, and its patience


def test_the_command_fails_and_says_how_many_did(lessons, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(tutorial, "OUT", tmp_path / "out")
    monkeypatch.setattr(notebooks, "sources", lambda: lessons)
    monkeypatch.setattr(tutorial.reference, "build", lambda folder: None)
    monkeypatch.setattr(sys, "argv", ["tutorial", "01", "04"])
    with pytest.raises(SystemExit) as stop:
        tutorial.main()
    assert "ZeroDivisionError" in stop.value.code and stop.value.code.endswith("\n1 of 2 notebooks failed.")
    assert "index.html" in capsys.readouterr().out and titles(tmp_path / "out") == ["01_fails", "04_good"]


@pytest.mark.parametrize(("seconds", "slow"), [(0.1, 1.0), (0.5, 1.0), (2.0, 4.0)])
def test_a_slow_machine_is_given_more_time(monkeypatch, tmp_path, seconds, slow):
    clock, limits = iter([10.0, 10.0 + seconds, 0.0, 1.0]), {}
    monkeypatch.setattr(execution.time, "perf_counter", lambda: next(clock))
    monkeypatch.setattr(execution, "work", lambda: None)

    class Client:
        def __init__(self, notebook, **options):
            limits.update(options)

        def execute(self, env):
            pass

    monkeypatch.setattr(execution, "NotebookClient", Client)
    assert execution.execute(None, tmp_path / "00_a.py", None) == 1.0
    assert limits["timeout"] == slow * execution.CELL_TIMEOUT
    assert limits["startup_timeout"] == slow * execution.KERNEL_TIMEOUT


def test_a_player_below_the_same_code_stays(lessons, monkeypatch):
    source, player, new = lessons[0], "<xattn-track></xattn-track>", "<xattn-track>new</xattn-track>"

    def execute(notebook, source, progress):
        shown = {"text/plain": "explorer"} | ({} if tutorial.STORE not in os.environ else {"text/html": new})
        notebook.cells[1].outputs = [nbformat.v4.new_output("execute_result", shown, execution_count=1)]
        return 5.0

    stored = notebooks.read(source)
    stored.cells[1].outputs = [nbformat.v4.new_output("execute_result", {"text/html": player}, execution_count=1)]
    notebooks.write(stored, notebooks.pair(source))
    monkeypatch.setattr(execution, "execute", execute)
    monkeypatch.setattr(tutorial, "chosen", lambda numbers: [source])
    for options, kept in ((["--keep-players"], player), ([], new)):
        monkeypatch.delenv(tutorial.STORE, raising=False)
        monkeypatch.setattr(sys, "argv", ["tutorial", "--write", *options, "00"])
        tutorial.main()
        (output,) = nbformat.read(notebooks.pair(source), 4).cells[1].outputs
        assert output.data["text/html"] == kept
