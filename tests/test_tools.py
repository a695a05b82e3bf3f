"""The scripts that run the notebooks, keep the pairs together and write the pages, each on a small copy."""

import io
from base64 import b64decode, b64encode

import nbformat
import numpy as np
import pytest
from lessons_for_tests import PNG, contents, executed, small_copy
from PIL import Image

from tools import markup, notebooks, pages, pairs, tutorial

pytestmark = pytest.mark.usefixtures("copied_kernels")


@pytest.fixture
def copy(tmp_path):
    return small_copy(tmp_path)


# The list of notebooks, and the pairs


def test_notebooks_are_listed_in_the_order_of_their_numbers(tmp_path):
    for name in ("10_last.py", "01_second.py", "00_first.py", "helper.py", "02_third.ipynb"):
        (tmp_path / name).touch()
    assert [path.name for path in notebooks.sources(tmp_path)] == ["00_first.py", "01_second.py", "10_last.py"]


def test_figures_get_a_palette_once_and_look_the_same():
    before = np.zeros((40, 60, 3), np.uint8)
    before[..., 0], before[..., 1] = np.arange(60) * 4, 255 - np.arange(40)[:, None] * 6  # 2,400 colours
    file = io.BytesIO()
    Image.fromarray(before).save(file, "PNG")
    data = {"image/png": b64encode(file.getvalue()).decode()}
    output = nbformat.v4.new_output("display_data", data)
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("figure", outputs=[output])])
    reduced = notebooks.tidy(notebook)
    picture = Image.open(io.BytesIO(b64decode(reduced.cells[0].outputs[0]["data"]["image/png"])))
    assert picture.mode == "P" and picture.size == (60, 40)
    assert np.abs(np.asarray(picture.convert("RGB")).astype(int) - before).mean() < 6
    assert notebooks.tidy(reduced) == reduced


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
    assert tutorial.write_back([copy / "notebooks" / "00_two.py"]) == []
    assert contents(copy) == before


def test_an_edit_during_the_run_is_not_overwritten(tmp_path):
    source = tmp_path / "00_edits_itself.py"
    source.write_text(f"# %%\nfrom pathlib import Path\n\nPath({str(source)!r}).write_text('# %%\\nnew = 1\\n')\n")
    (failure,) = tutorial.write_back([source])
    assert "edited while it ran" in failure
    assert source.read_text() == "# %%\nnew = 1\n" and not notebooks.pair(source).exists()


def test_a_live_widget_is_dropped_and_its_text_kept():
    data = {"application/vnd.jupyter.widget-view+json": {"model_id": "1"}, "text/plain": "IntSlider(value=3)"}
    cell = nbformat.v4.new_code_cell("w", outputs=[nbformat.v4.new_output("display_data", data)])
    tidied = notebooks.tidy(nbformat.v4.new_notebook(cells=[cell]))
    assert tidied.cells[0].outputs[0].data == {"text/plain": "IntSlider(value=3)"}


# The tutorial


def test_the_tutorial_has_a_page_with_the_outputs_and_an_index(copy):
    assert tutorial.build([copy / "notebooks" / "00_two.py"], copy / "out") == []
    index = (copy / "out" / "index.html").read_text()
    page = (copy / "out" / "00_two.html").read_text()
    assert ">42<" in page and PNG in page and 'href="01_next.html"' in page
    assert 'href="00_two.html"' in index and "00 · Two cells" in index and PNG in index
    assert "The first paragraph" in index and "a goal" in index and "ran in" in index
    assert 'href="api/xattn_helpers.html"' in index
    assert "Another paragraph" not in index and "Links to Colab" not in index
    for text in (page, index):
        assert "<math" in text and "<script src" not in text and "<link" not in text
    assert "google.colab" not in page and "01 · The next" not in page


def test_an_unknown_notebook_number_is_named():
    with pytest.raises(ValueError, match="no notebook '99'"):
        tutorial.chosen(["01 99"])
    with pytest.raises(ValueError, match="9999 characters") as refusal:
        tutorial.chosen(["1" * 9999])
    assert len(str(refusal.value)) < 300


@pytest.mark.parametrize("numbers", [["00", "02"], ["00 02"], ["", " 00  02 "]])
def test_the_numbers_of_make_may_come_in_one_argument(numbers):
    assert [source.name[:2] for source in tutorial.chosen(numbers)] == ["00", "02"]


@pytest.mark.parametrize("numbers", [[], [""]])
def test_without_a_number_all_notebooks_are_meant(numbers):
    assert tutorial.chosen(numbers) == notebooks.sources()


def test_a_formula_that_mathml_lacks_stays_readable():
    assert "<math" in markup.markdown("$\\frac{a}{b}$")
    assert "a}{" in markup.markdown("$\\frac{a}{$")


@pytest.mark.parametrize("seconds, text", [(3.4, "3 s"), (59.7, "1 min 00 s"), (125, "2 min 05 s")])
def test_durations(seconds, text):
    assert pages.duration(seconds) == text
