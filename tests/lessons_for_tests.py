"""A small copy of what the tools work on: one notebook of two cells, README.md and pyproject.toml."""

import shutil

import nbformat

from tools import badges, notebooks, tutorial

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
EXECUTED = {}  # by the text of a source: that of the source and of its pair afterwards


def small_copy(folder):
    """The files that `make badges` edits, with one notebook, in a folder; returns the folder."""
    shutil.copy(notebooks.ROOT / "pyproject.toml", folder)
    shutil.copy(notebooks.ROOT / "README.md", folder)
    (folder / "notebooks").mkdir()
    (folder / "notebooks" / "00_two.py").write_text(SOURCE)
    badges.stamp("", folder)
    return folder


def contents(folder):
    return {path.name: path.read_text() for path in folder.rglob("*") if path.is_file()}


def executed(source):
    """A notebook and its pair, as `make notebooks` leaves them. What was executed before is not executed again."""
    text, pair = source.read_text(), notebooks.pair(source)
    if text not in EXECUTED:
        assert tutorial.write_back([source]) == []
        EXECUTED[text] = {source.suffix: source.read_text(), pair.suffix: pair.read_text()}
    for path in (source, pair):
        path.write_text(EXECUTED[text][path.suffix])
    return nbformat.read(pair, as_version=4)
