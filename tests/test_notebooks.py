"""What every notebook must keep, whatever it teaches. That its cells run is tested by nbval (make test)."""

import math
import os
from pathlib import Path
from types import SimpleNamespace

import kernels_for_tests
import nbformat
import pytest
from jupyter_client.provisioning import local_provisioner

from tools import badges, notebooks, pairs
from xattn_helpers import load
from xattn_helpers.backbones.catalogue import QUICK

SOURCES = notebooks.sources()
LARGEST = 800_000  # bytes of an executed notebook: the whole repository stays small
every_notebook = pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.stem)


def stored(source):
    assert notebooks.pair(source).exists(), f"run make notebooks ONLY={source.name[:2]}"
    return nbformat.read(notebooks.pair(source), as_version=4)


def test_every_file_in_the_folder_is_in_the_list():
    present = {path for ending in ("py", "ipynb") for path in notebooks.FOLDER.glob(f"*.{ending}")}
    listed = {path for source in SOURCES for path in (source, notebooks.pair(source))}
    assert present <= listed, "not named NN_name, or an .ipynb without its .py"


def test_numbers_are_given_once():
    numbers = [source.name[:2] for source in SOURCES]
    assert len(numbers) == len(set(numbers))


@every_notebook
def test_the_pair_agrees(source):
    assert pairs.drift(source) == ""


@every_notebook
def test_it_is_executed_without_an_error(source):
    for cell in stored(source).cells:
        if cell.cell_type == "code" and cell.source.strip():
            assert cell.execution_count, f"never executed: {cell.source[:80]}"
            if "raises-exception" not in cell.metadata.get("tags", []):
                assert not [output for output in cell.outputs if output.output_type == "error"], cell.source[:80]


@every_notebook
def test_it_is_small(source):
    path = notebooks.pair(source)
    assert path.exists() and path.stat().st_size <= LARGEST


@every_notebook
def test_nothing_in_it_depends_on_the_machine(source):
    notebook = stored(source)
    assert notebook == notebooks.tidy(notebook), "written by something else than make notebooks"


@every_notebook
def test_it_begins_with_a_title_the_links_and_the_colab_cell(source):
    title, colab, *_ = stored(source).cells
    assert title.cell_type == "markdown" and title.source.startswith("# ")
    assert badges.notebook_links(badges.current(), source.stem) in title.source.splitlines(), "run make badges"
    assert colab.metadata.get("tags") == [badges.TAG]
    assert colab.source == badges.colab_cell(badges.current()), "run make badges"


@pytest.mark.parametrize("name, wanted", [("03_swap.ipynb", "1"), ("test_swap.py", None)])
def test_kernels_are_quick_and_tests_see_what_models_make_by_default(pytestconfig, name, wanted):
    assert QUICK not in os.environ
    (plugin,) = (known for known in pytestconfig.pluginmanager.get_plugins() if type(known).__name__ == "Quick")
    set_up = plugin.pytest_runtest_setup(SimpleNamespace(path=Path(name)))
    next(set_up)  # a kernel starts here, and inherits the environment
    assert os.environ.get(QUICK) == wanted
    is_copy = local_provisioner.launch_kernel is kernels_for_tests.launch
    assert is_copy == (wanted is not None and kernels_for_tests.POSSIBLE)
    with pytest.raises(StopIteration):
        set_up.send(None)
    assert QUICK not in os.environ


def test_the_sizes_that_lesson_00_prints_are_those_of_its_model():
    """While lessons are tested their clips are smaller, so that these lines of the output are not compared."""
    model, printed = load("pocket", "cpu"), []
    for cell in stored(SOURCES[0]).cells:
        printed += [output.get("text", "") for output in cell.get("outputs", [])]
    frames, height, width = (getattr(model.defaults, name) for name in ("frames", "height", "width"))
    latents = (model.codec.channels, *model.codec.latent_size(frames, height, width))
    assert (frames, height, width, *latents) == (16, 128, 128, 4, 16, 16, 16)
    for name, size in (("latents", latents), ("video", (frames, height, width, 3))):
        line = f"{name}: {' × '.join(map(str, size))} = {math.prod(size):,} numbers"
        assert any(line in text.splitlines() for text in printed), line
