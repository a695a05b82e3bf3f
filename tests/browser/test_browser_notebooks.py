"""Lessons in JupyterLab: a video plays, a figure says what it shows, and running changes no file that git tracks."""

import nbformat
from browser_for_tests import PATIENCE, run_all, until

from tools import lab as copies
from tools import notebooks

CELLS = [
    "import numpy as np\nfrom xattn_helpers.display import show, image_grid",
    "show(np.arange(4, dtype=np.uint8)[:, None, None, None] * 60 + np.zeros((4, 8, 8, 3), np.uint8), titles='grey')",
    "image_grid([[np.zeros((8, 8, 3), np.uint8)]], column_titles=['a black square'])",
    "print(6 * 7)",
]


def lesson_in(folder):
    """A lesson, and its copy in my_notebooks/."""
    lesson = folder / "notebooks" / "00_small.ipynb"
    lesson.parent.mkdir()
    cells = [nbformat.v4.new_code_cell(code) for code in CELLS]
    notebooks.write(nbformat.v4.new_notebook(cells=cells), lesson)
    copies.copy(lesson, folder / "my_notebooks")
    return lesson, folder / "my_notebooks" / lesson.name


def test_a_lesson_runs_in_the_lab_and_stays_as_it_was(browser, lab, shot):
    lesson, copy = lesson_in(lab.folder)
    before = lesson.read_bytes()
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.set_default_timeout(1000 * PATIENCE)
    outside, own = [], (lab.address, "data:", "blob:")
    page.on("request", lambda request: request.url.startswith(own) or outside.append(request.url))
    page.goto(f"{lab.address}/lab/tree/my_notebooks/{lesson.name}")
    run_all(page)
    page.get_by_text("42", exact=True).wait_for(timeout=3000 * PATIENCE)
    player = page.locator("xattn-video[data-ready]")
    player.evaluate("player => player.pause()")
    player.get_by_label("frame", exact=True).focus()
    cell = page.evaluate("document.querySelectorAll('.jp-Cell.jp-mod-active').length")
    for key in ("Home", "ArrowRight", "ArrowRight"):
        page.keyboard.press(key)
    assert player.evaluate("player => player.frame") == 2
    assert player.locator("figcaption").inner_text() == "grey" and cell == 1
    shot(page, "jupyterlab-1280")
    page.evaluate("void jupyterapp.commands.execute('docmanager:save')")
    until(lambda: "42" in str(nbformat.read(copy, 4).cells[3].outputs))
    figure = nbformat.read(copy, 4).cells[2].outputs[0]
    assert "image/png" in figure.data and figure.metadata["image/png"]["alt"] == "A picture. a black square."
    assert lesson.read_bytes() == before and outside == []
    page.close()
