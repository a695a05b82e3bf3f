"""Lessons in JupyterLab: a video plays, a figure says what it shows, and running changes no file that git tracks."""

import os
import socket
import subprocess
import sys
import time
import urllib.request

import nbformat
import pytest

from tools import lab, notebooks

CELLS = [
    "import numpy as np\nfrom xattn_helpers.display import show, image_grid",
    "show(np.arange(4, dtype=np.uint8)[:, None, None, None] * 60 + np.zeros((4, 8, 8, 3), np.uint8), titles='grey')",
    "image_grid([[np.zeros((8, 8, 3), np.uint8)]], column_titles=['a black square'])",
    "print(6 * 7)",
]
# Before, JupyterLab would ask which kernel is meant.
KERNEL_IS_READY = "jupyterapp.shell.currentWidget?.sessionContext?.session?.kernel?.status === 'idle'"


def wait_for(url, process, seconds=120):
    end = time.monotonic() + seconds
    while time.monotonic() < end and process.poll() is None:
        try:
            return urllib.request.urlopen(url, timeout=5).status
        except OSError:
            time.sleep(0.5)
    pytest.fail("JupyterLab does not start")


@pytest.fixture
def jupyterlab(tmp_path):
    """A JupyterLab in a folder with one lesson and its copy; the address, and the lesson."""
    lesson = tmp_path / "notebooks" / "00_small.ipynb"
    lesson.parent.mkdir()
    cells = [nbformat.v4.new_code_cell(code) for code in CELLS]
    notebooks.write(nbformat.v4.new_notebook(cells=cells), lesson)
    lab.copy(lesson, tmp_path / "my_notebooks")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    folders = {"JUPYTER_CONFIG_DIR": str(tmp_path / "config"), "PYTHONPATH": str(notebooks.ROOT)}
    process = subprocess.Popen(
        [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", f"--port={port}",
         f"--notebook-dir={tmp_path}", "--IdentityProvider.token=", "--ServerApp.port_retries=0",
         "--LabApp.expose_app_in_browser=True"],
        env=os.environ | folders, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    address = f"http://127.0.0.1:{port}"
    try:
        wait_for(f"{address}/lab", process)
        yield address, lesson
    finally:
        process.terminate()
        process.wait(30)


def test_a_lesson_runs_in_the_lab_and_stays_as_it_was(browser, jupyterlab, shot):
    address, lesson = jupyterlab
    before = lesson.read_bytes()
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    outside, own = [], (address, "data:", "blob:")
    page.on("request", lambda request: request.url.startswith(own) or outside.append(request.url))
    page.goto(f"{address}/lab/tree/my_notebooks/{lesson.name}")
    page.locator(".jp-Notebook .jp-CodeCell").first.wait_for(timeout=120_000)
    page.wait_for_function(KERNEL_IS_READY, timeout=120_000)
    page.evaluate("void jupyterapp.commands.execute('notebook:run-all-cells')")
    page.get_by_text("42", exact=True).wait_for(timeout=180_000)
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
    copy = lesson.parents[1] / "my_notebooks" / lesson.name
    end = time.monotonic() + 60
    while "42" not in str(nbformat.read(copy, 4).cells[3].outputs) and time.monotonic() < end:
        time.sleep(0.5)
    figure = nbformat.read(copy, 4).cells[2].outputs[0]
    assert figure.metadata["image/png"]["alt"] == "A picture. a black square."
    assert lesson.read_bytes() == before and outside == []
    page.close()
