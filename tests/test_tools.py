"""The scripts behind the Makefile, each on a small copy of what it works on."""

import shutil
import subprocess
import sys

import nbformat
import pytest

from tools import badges, execution, markup, notebooks, pages, pairs, tutorial

PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
SOURCE = f'''# %% [markdown]
# # 00 · Two cells
#
# The first paragraph, with $x_t$.
#
# - a goal
#
# Another paragraph. See [the next](01_next.ipynb).
#
# old links <!-- badges -->

# %% tags=["{badges.TAG}"]

# %%
from IPython.display import HTML

print(6 * 7)

# %%
HTML('<img src="data:image/png;base64,{PNG}">')
'''


@pytest.fixture
def copy(tmp_path):
    """The files that `make badges` edits, with one notebook."""
    shutil.copy(notebooks.ROOT / "pyproject.toml", tmp_path)
    shutil.copy(notebooks.ROOT / "README.md", tmp_path)
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "notebooks" / "00_two.py").write_text(SOURCE)
    badges.stamp("", tmp_path)
    return tmp_path


def contents(folder):
    return {path.name: path.read_text() for path in folder.rglob("*") if path.is_file()}


def executed(source):
    """A notebook and its pair, as `make notebooks` leaves them."""
    tutorial.write_back([source])
    return nbformat.read(notebooks.pair(source), as_version=4)


# The list of notebooks, and the pairs


def test_notebooks_are_listed_in_the_order_of_their_numbers(tmp_path):
    for name in ("10_last.py", "01_second.py", "00_first.py", "helper.py", "02_third.ipynb"):
        (tmp_path / name).touch()
    assert [path.name for path in notebooks.sources(tmp_path)] == ["00_first.py", "01_second.py", "10_last.py"]


def test_cell_ids_depend_on_the_content_only_and_are_unique(tmp_path):
    (tmp_path / "00_a.py").write_text("# %%\n1\n\n# %%\n2\n\n# %%\n1\n")
    first, second = (notebooks.read(tmp_path / "00_a.py") for _ in range(2))
    ids = [cell.id for cell in first.cells]
    assert ids == [cell.id for cell in second.cells] and len(set(ids)) == 3


def test_a_pair_that_drifted_is_found(copy):
    source = copy / "notebooks" / "00_two.py"
    assert "00_two.ipynb is not there" in pairs.drift(source)
    executed(source)
    assert pairs.drift(source) == ""
    source.write_text(source.read_text().replace("6 * 7", "6 * 8"))
    assert "-print(6 * 7)\n+print(6 * 8)\n" in pairs.drift(source)


def test_executing_again_changes_no_byte(copy):
    executed(copy / "notebooks" / "00_two.py")
    before = contents(copy)
    executed(copy / "notebooks" / "00_two.py")
    assert contents(copy) == before


def test_an_edit_during_the_run_is_not_overwritten(tmp_path):
    source = tmp_path / "00_edits_itself.py"
    source.write_text(f"# %%\nfrom pathlib import Path\n\nPath({str(source)!r}).write_text('# %%\\nnew = 1\\n')\n")
    with pytest.raises(ValueError, match="edited while it ran"):
        tutorial.write_back([source])
    assert source.read_text() == "# %%\nnew = 1\n" and not notebooks.pair(source).exists()


def test_a_live_widget_is_dropped_and_its_text_kept():
    data = {"application/vnd.jupyter.widget-view+json": {"model_id": "1"}, "text/plain": "IntSlider(value=3)"}
    cell = nbformat.v4.new_code_cell("w", outputs=[nbformat.v4.new_output("display_data", data)])
    tidied = notebooks.tidy(nbformat.v4.new_notebook(cells=[cell]))
    assert tidied.cells[0].outputs[0].data == {"text/plain": "IntSlider(value=3)"}


# Badges


def test_stamping_writes_the_address_everywhere(copy):
    executed(copy / "notebooks" / "00_two.py")
    assert badges.current(copy) == "" and badges.UNKNOWN_LINKS in contents(copy)["README.md"]
    badges.stamp("teacher/fork", copy)
    assert badges.current(copy) == "teacher/fork"
    for name in ("README.md", "00_two.py", "00_two.ipynb"):
        assert "/teacher/fork/blob/main/notebooks/00_two.ipynb" in contents(copy)[name], name
    for name in ("00_two.py", "00_two.ipynb"):
        assert "git+https://github.com/teacher/fork" in contents(copy)[name], name
        assert "print(6 * 7)" in contents(copy)[name], name
    assert pairs.drift(copy / "notebooks" / "00_two.py") == ""


@pytest.mark.parametrize("address", ["", "an-owner-with-a-long-name/a-repository-with-a-long-name"])
def test_ruff_accepts_what_is_stamped(copy, address):
    badges.stamp(address, copy)
    checked = subprocess.run([sys.executable, "-m", "ruff", "check", "notebooks"], cwd=copy, capture_output=True)
    assert checked.returncode == 0, checked.stdout.decode()


def test_stamping_keeps_the_outputs(copy):
    before = executed(copy / "notebooks" / "00_two.py")
    badges.stamp("teacher/fork", copy)
    after = nbformat.read(copy / "notebooks" / "00_two.ipynb", as_version=4)
    assert before.cells[2].outputs
    assert [cell.get("outputs") for cell in before.cells] == [cell.get("outputs") for cell in after.cells]


def test_stamping_twice_is_stamping_once_and_a_fork_can_stamp_again(copy):
    neutral = contents(copy)
    badges.stamp("first/one", copy)
    once = contents(copy)
    badges.stamp("first/one", copy)
    assert contents(copy) == once != neutral
    badges.stamp("second/two", copy)
    assert "first/one" not in "".join(contents(copy).values())
    badges.stamp("", copy)
    assert contents(copy) == neutral


@pytest.mark.parametrize("wrong", ["name", "https://github.com/owner/name", "owner/name/more", 'a/b"'])
def test_a_wrong_address_is_refused(copy, wrong):
    before = contents(copy)
    with pytest.raises(ValueError, match="owner/name"):
        badges.stamp(wrong, copy)
    assert contents(copy) == before


@pytest.mark.parametrize("address", ["", "owner/name"])
def test_the_colab_cell_is_short_and_does_nothing_elsewhere(address):
    assert len(badges.colab_cell(address).splitlines()) <= 8
    exec(badges.colab_cell(address), {})


@pytest.mark.parametrize("address", ["", "owner/name"])
def test_the_colab_cell_on_colab(monkeypatch, address):
    calls = []
    monkeypatch.setitem(sys.modules, "google.colab", object())
    monkeypatch.setattr("subprocess.check_call", calls.append)
    if not address:
        with pytest.raises(RuntimeError, match="make badges REPO=owner/name"):
            exec(badges.colab_cell(address), {})
    else:
        exec(badges.colab_cell(address), {})
        assert "git+https://github.com/owner/name" in calls[0] and "--no-deps" in calls[0]


# The tutorial


def test_the_tutorial_has_a_page_with_the_outputs_and_an_index(copy):
    index = tutorial.build([copy / "notebooks" / "00_two.py"], copy / "out").read_text()
    page = (copy / "out" / "00_two.html").read_text()
    assert ">42\n" in page and PNG in page and 'href="01_next.html"' in page
    assert 'href="00_two.html"' in index and "00 · Two cells" in index and PNG in index
    assert "The first paragraph" in index and "a goal" in index and "ran in" in index
    assert "Another paragraph" not in index and "Links to Colab" not in index
    for text in (page, index):
        assert "<math" in text and "<script" not in text and "<link" not in text


def test_a_failing_cell_stops_with_notebook_cell_and_traceback(tmp_path):
    source = tmp_path / "00_bad.py"
    source.write_text("# %% [markdown]\n# # Bad\n\n# %%\nfine = 1\n\n# %%\nfine / 0\n")
    with pytest.raises(execution.NotebookFailed) as failure:
        tutorial.build([source], tmp_path / "out")
    message = str(failure.value)
    assert "00_bad.py, cell 3 of 3" in message and "fine / 0" in message and "ZeroDivisionError" in message
    assert not (tmp_path / "out" / "00_bad.html").exists()


def test_an_unknown_notebook_number_is_named():
    with pytest.raises(ValueError, match="no notebook 99"):
        tutorial.chosen(["99"])


def test_a_formula_that_mathml_lacks_stays_readable():
    assert "<math" in markup.markdown("$\\frac{a}{b}$")
    assert "a}{" in markup.markdown("$\\frac{a}{$")


@pytest.mark.parametrize("seconds, text", [(3.4, "3 s"), (59.7, "1 min 00 s"), (125, "2 min 05 s")])
def test_durations(seconds, text):
    assert pages.duration(seconds) == text
