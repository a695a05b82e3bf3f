"""What a lesson may ask of a reader: time, length of the code that is read, tables, a drawing, and an end."""

import re

import pytest
from nbformat import NotebookNode

from tools import badges, notebooks

WORDS_A_MINUTE, LINES_A_MINUTE, MINUTES = 200, 12, 30
LONGEST_CELL = 15  # lines
COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
NAMES = (  # the lessons that are written to this standard
    "00_pocket_diffusion",
    "01_cross_attention",
    "02_how_noisy",
    "03_forward_swap",
    "04_resize",
    "05_motion",
    "06_what_matters",
    "07_transformer",
)
each = pytest.mark.parametrize("name", NAMES)


def cells(name) -> list[NotebookNode]:
    return notebooks.read(notebooks.FOLDER / f"{name}.py").cells


def text(name):
    return "\n\n".join(COMMENT.sub("", cell.source) for cell in cells(name) if cell.cell_type == "markdown")


def read_code(name):
    """Lines of each code cell that is neither folded nor the one that sets up Colab."""
    lengths = {}
    for cell in cells(name):
        is_folded = cell.metadata.get("jupyter", {}).get("source_hidden", False)
        if cell.cell_type == "code" and not is_folded and badges.TAG not in cell.metadata.get("tags", []):
            lengths[cell.source] = len([line for line in cell.source.splitlines() if line.strip()])
    return lengths


def minutes(name):
    return len(text(name).split()) / WORDS_A_MINUTE + sum(read_code(name).values()) / LINES_A_MINUTE


@each
def test_it_is_read_in_half_an_hour(name):
    assert minutes(name) <= MINUTES


@each
def test_the_readme_tells_how_long_it_takes(name):
    readme = (notebooks.FOLDER.parent / "README.md").read_text(encoding="utf-8")
    (told,) = re.findall(rf"^\| {name[:2]} \|.*\| (\d+) min \|$", readme, re.MULTILINE)
    assert abs(int(told) - minutes(name)) < 1


def test_all_lessons_are_written_to_this_standard():
    assert sorted(NAMES) == sorted(source.stem for source in notebooks.sources())


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
def test_nothing_that_is_read_only_draws(name):
    for source in read_code(name):
        assert "plt." not in source and "image_grid(" not in source and "show(" not in source, source


@each
def test_it_ends_with_what_was_seen_three_questions_and_what_to_read(name):
    *_, summary, quiz, reading = text(name).split("\n## ")
    assert summary.startswith("In this lesson we saw\n") and summary.count("\n- ") >= 3
    assert quiz.startswith("Three questions\n") and "<details><summary>Answers</summary>" in quiz
    for part in quiz.split("<details>"):
        assert len(re.findall(r"^\d\. ", part, re.MULTILINE)) == 3
    assert reading.startswith("What to read next\n")
