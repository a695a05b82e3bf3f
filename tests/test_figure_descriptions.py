"""What figures say of themselves, in Python and in the outputs of a kernel."""

import nbformat
import numpy as np
import pytest
from matplotlib import pyplot as plt
from tqdm import tqdm

from tools import execution
from xattn_helpers.display import description_of, image_grid

GREY = np.full((8, 8, 3), 90, np.uint8)


@pytest.fixture
def plot():
    figure, ax = plt.subplots()
    ax.plot([0, 1], label="guided")
    ax.plot([1, 0], label="free")
    ax.set(xlabel="strength", ylabel="IoU\nof boxes", title="Twelve objects")
    yield figure
    plt.close(figure)


def test_a_grid_names_its_rows_and_columns():
    grid = image_grid([[GREY, GREY], [GREY, GREY]], ["source", "target"], ["seed 0", "seed 1"])
    assert description_of(grid) == "4 pictures. rows: source; target. columns: seed 0; seed 1."
    assert description_of(image_grid([[GREY]], column_titles=["the map"])) == "A picture. the map."


def test_a_plot_names_its_axes_and_lines(plot):
    assert description_of(plot) == "Plot: Twelve objects; IoU of boxes against strength."
    plot.axes[0].legend()
    assert description_of(plot) == "Plot: Twelve objects; IoU of boxes against strength; guided, free."
    plot.suptitle("A study")
    assert description_of(plot).startswith("A study. Plot: Twelve")


def test_a_label_that_somebody_set_stands_for_it(plot):
    plot.set_label("IoU grows up to a strength of 30.")
    assert description_of(plot) == "IoU grows up to a strength of 30."


def test_no_description_is_empty_or_endless():
    figure, _ = plt.subplots()
    assert description_of(figure) == "A figure."
    grid = image_grid([[GREY] * 9], column_titles=[f"{'long ' * 20}{n}" for n in range(9)])
    assert 300 < len(description_of(grid)) <= 400 and description_of(grid).endswith("…")
    plt.close("all")


CELLS = [
    "import numpy as np\nfrom matplotlib import pyplot as plt\nfrom xattn_helpers.display import image_grid",
    "image_grid([[np.zeros((4, 4, 3), np.uint8)]], column_titles=['a result'])",
    "plt.plot([1, 2]); plt.title('shown by the cell')",
    "from matplotlib_inline.backend_inline import set_matplotlib_formats\nset_matplotlib_formats('jpeg')",
    "plt.plot([1, 2]); plt.title('as JPEG'); plt.show()",
]


def test_the_figures_of_a_kernel_bring_their_descriptions_along(tmp_path, monkeypatch):
    monkeypatch.delenv("MPLBACKEND", raising=False)
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code) for code in CELLS])
    with tqdm(disable=True) as bar:
        execution.execute(notebook, tmp_path / "00_figures.py", bar)
    said = {}
    for cell in notebook.cells:
        for output in cell.outputs:
            for mime in {"image/png", "image/jpeg"} & set(output.get("data", {})):
                said[mime, output.metadata[mime]["alt"]] = output.data[mime]
    assert set(said) == {
        ("image/png", "A picture. a result."), ("image/png", "Plot: shown by the cell."),
        ("image/jpeg", "Plot: as JPEG."),
    }  # fmt: skip
    assert all(said.values())
