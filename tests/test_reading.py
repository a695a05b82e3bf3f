"""What a lesson may ask of a reader: time, length of the code that is read, tables, a drawing, and an end."""

import re

import pytest

from tools import notebooks, reading

DRAWN = 0.15  # of the lines of code that are not folded
MINUTES = 30  # with all code: folded cells and the set-up cell, too
LONGEST_CELL = 15  # lines
README = reading.README.read_text(encoding="utf-8")
NAMES = (  # the lessons that are written to this standard
    "00_pocket_diffusion",
    "01_cross_attention",
    "02_how_noisy",
    "03_forward_swap",
    "04_resize",
    "05_motion",
    "06_what_matters",
    "07_transformer",
    "08_given_video",
)
each = pytest.mark.parametrize("name", NAMES)


def source(name):
    return notebooks.FOLDER / f"{name}.py"


def cells(name):
    return reading.cells(source(name))


def text(name):
    return reading.text(source(name))


def read_code(name):
    """Lines of each code cell that is neither folded nor the one that sets up Colab."""
    return {cell.source: reading.length(cell) for cell in reading.open_cells(source(name))}


@each
def test_it_is_read_in_half_an_hour(name):
    assert reading.minutes(source(name)) <= MINUTES


@each
def test_the_readme_tells_how_long_it_takes(name):
    """After a change, `python -m tools.reading --write` must have been run."""
    (told,) = re.findall(rf"^\| {name[:2]} \|.*\| (\d+) min \|$", README, re.MULTILINE)
    assert abs(int(told) - reading.minutes(source(name))) < 1


def test_all_code_counts_but_blank_lines_and_hidden_marks_do_not(tmp_path):
    lesson = tmp_path / "07_made_up.py"
    words = " ".join(["word"] * 398)
    lesson.write_text(f'''# %% [markdown]
# {words} <!-- not read -->
# two more

# %% tags=["colab-setup"]
import sys

import os
# %% jupyter={{"source_hidden": true}}
# folded
x = 1
# %%
y = 2
z = 3
''')
    assert reading.minutes(lesson) == pytest.approx(2 + 6 / 12)


def test_times_are_written_rounded_and_nothing_else_changes():
    told = dict(re.findall(r"^\| (\d\d) \|.*\| (\d+) min \|$", README, re.MULTILINE))
    assert reading.with_times(README, {number: float(time) for number, time in told.items()}) == README
    changed = reading.with_times(README, {"07": 77.6})
    assert changed.replace("| 78 min |", f"| {told['07']} min |") == README != changed
    with pytest.raises(ValueError, match="0 rows for lesson 99"):
        reading.with_times(README, {"99": 1.0})


def test_all_lessons_are_written_to_this_standard():
    assert sorted(NAMES) == sorted(path.stem for path in notebooks.sources())


@each
def test_no_cell_that_is_read_is_long(name):
    assert max(read_code(name).values()) <= LONGEST_CELL


@each
def test_it_has_drawings_links_and_few_tables(name):
    assert len(re.findall(r"!\[[^\]]+\]\(diagrams/\w+\.svg\)", text(name))) >= 2
    assert len(re.findall(r"\]\(https://", text(name))) >= 10
    tables = len(re.findall(r"^\|[ :-]+\|", text(name), re.MULTILINE))
    tables += sum("markdown_table(" in cell.source for cell in cells(name) if cell.cell_type == "code")
    assert tables <= 2


@each
def test_little_of_what_is_read_plots_or_tabulates(name):
    assert reading.drawing_share(source(name)) <= DRAWN


def test_a_share_counts_lines_of_open_cells(tmp_path):
    file = tmp_path / "lesson.py"
    shown = "# %%\nx = 1\nprint(x)\n\nshow(x)\ny = figures\n"
    file.write_text(f'{shown}# %% jupyter={{"source_hidden": true}}\nplt.plot(x)\n')
    assert reading.drawing_share(file) == 0.5


@each
def test_nothing_that_is_read_only_draws(name):
    for code in read_code(name):
        assert "plt." not in code and "image_grid(" not in code and "show(" not in code, code


@each
def test_it_ends_with_what_was_seen_three_questions_and_what_to_read(name):
    *_, summary, quiz, reading = text(name).split("\n## ")
    assert summary.startswith("In this lesson we saw\n") and summary.count("\n- ") >= 3
    assert quiz.startswith("Three questions\n") and "<details><summary>Answers</summary>" in quiz
    for part in quiz.split("<details>"):
        assert len(re.findall(r"^\d\. ", part, re.MULTILINE)) == 3
    assert reading.startswith("What to read next\n")
