"""The parts of the pages: folded solutions, links, cells, the players of stored notebooks, copies for the lab."""

import re

import nbformat
import pytest

from tools import cells, lab, links, markup, notebooks, pages, stored
from tools.badges import Address

NOWHERE, HERE = Address(""), Address("owner/name", "draft")
v4 = nbformat.v4


# Markdown


def test_a_solution_ends_where_the_lesson_ends_it():
    text = "<details><summary>Solution</summary>\n\n```python\nprint(42)\n```\n\nIt is *so*.\n</details>\n\nAfter it."
    page = markup.markdown(text)
    folded = re.search(r"<details>(.*)</details>(.*)", page, re.DOTALL)
    assert page.count("<details>") == page.count("</details>") == 1
    assert "print" in folded[1] and "<em>so</em>" in folded[1] and folded[2].strip() == "<p>After it.</p>"


def test_every_solution_of_the_lessons_is_folded():
    count = 0
    for source in notebooks.sources():
        for cell in notebooks.read(source).cells:
            if cell.cell_type == "markdown" and "<details>" in cell.source:
                page = markup.markdown(cell.source)
                assert page.count("<details>") == page.count("</details>") == cell.source.count("<details>")
                assert not re.search(r"<details>\s*<summary>[^<]*</summary>\s*</details>", page), source.name
                count += page.count("<details>")
    assert count > 0


def test_pictures_of_the_repository_become_part_of_the_page():
    for text in ("![the hero](../docs/hero.webp)", '<img src="../docs/hero.webp" alt="the hero">'):
        assert 'src="data:image/webp;base64,' in markup.markdown(text)
    assert 'src="../../etc/hostname"' in markup.markdown("![outside](../../etc/hostname)")
    assert 'src="https://a.b/c.png"' in markup.markdown("![elsewhere](https://a.b/c.png)")


# Links


@pytest.mark.parametrize(
    "link, address, led",
    [
        ("04_resize.ipynb", NOWHERE, "04_resize.html"),
        ("04_resize.ipynb#The-end", NOWHERE, "04_resize.html#The-end"),
        ("../README.md", NOWHERE, "README.html"),
        ("../xattn_helpers/pocket/MODEL_CARD.md#Limits", NOWHERE, "xattn_helpers-pocket-MODEL_CARD.html#Limits"),
        ("../Makefile", NOWHERE, ""),
        ("../Makefile", HERE, "https://github.com/owner/name/blob/draft/Makefile"),
        ("../no/such/file.md", HERE, ""),
        ("https://arxiv.org/abs/2404.05519", NOWHERE, "https://arxiv.org/abs/2404.05519"),
        ("#The-end", NOWHERE, "#The-end"),
    ],
)
def test_a_link_leads_where_it_can_or_is_only_words(link, address, led):
    body = links.to_pages(f'<p><a href="{link}">words</a>', address=address)
    assert body == (f'<p><a href="{led}">words</a>' if led else "<p>words")


def test_a_text_that_is_linked_becomes_a_page_with_those_that_it_links_to():
    found = links.documents([("See [the card](../xattn_helpers/pocket/MODEL_CARD.md).", notebooks.FOLDER)])
    assert found[0].name == "MODEL_CARD.md" and all(path.suffix == ".md" for path in found)
    assert "<h1" in pages.document(found[0])


def test_a_link_to_a_heading_of_a_text_leads_where_it_does_on_github(tmp_path):
    (tmp_path / "a.md").write_text("# What `it` Does: it's 3\n")
    page = pages.document(tmp_path / "a.md")
    assert '<h1 id="what-it-does-its-3">' in page and 'href="#what-it-does-its-3"' in page


# Cells


def test_the_set_up_of_colab_is_left_out_and_badges_need_a_repository():
    setup = v4.new_code_cell("import google.colab", metadata={"tags": ["colab-setup"]})
    text = v4.new_markdown_cell("# Title\n\nold links <!-- badges -->\n\nText")
    book = v4.new_notebook(cells=[text, setup])
    assert "colab" not in cells.body(book, True) and "old links" in cells.body(book, True)
    assert "old links" not in cells.body(book, False) and "Text" in cells.body(book, False)


def test_outputs_are_escaped_and_without_colours_of_a_terminal():
    stream = v4.new_output("stream", text="\x1b[31m<b>\x1b[0m\n")
    error = v4.new_output("error", ename="E", evalue="", traceback=["\x1b[0;31mE\x1b[0m: <i>"])
    assert cells.output(stream) == '<pre class="stdout" tabindex="0">&lt;b&gt;</pre>'
    assert cells.output(error) == '<pre class="error" tabindex="0">E: &lt;i&gt;</pre>'


def test_a_script_that_many_outputs_bring_is_there_once():
    player = v4.new_output("display_data", {"text/html": "<xattn-video></xattn-video><script>let a</script>"})
    book = v4.new_notebook(cells=[v4.new_code_cell("show()", outputs=[player]) for _ in range(3)])
    page = cells.body(book, False)
    assert page.count("<script>") == 1 and page.count("<xattn-video>") == 3


# What is stored


def test_explorers_get_the_players_that_were_stored(tmp_path):
    html = v4.new_output("execute_result", {"text/html": "<xattn-swap>", "text/plain": "e"}, execution_count=1)
    plain = v4.new_output("execute_result", {"text/plain": "e"}, execution_count=1)
    source = tmp_path / "00_a.py"
    nbformat.write(v4.new_notebook(cells=[v4.new_code_cell("explorer", outputs=[html])]), notebooks.pair(source))
    new = v4.new_notebook(cells=[v4.new_code_cell(code, outputs=[plain.copy()]) for code in ("explorer", "other")])
    new.cells[1].outputs = [v4.new_output("stream", text="no picture")]
    stored.adopt_players(new, source)
    assert new.cells[0].outputs[0].data["text/html"] == "<xattn-swap>" and "data" not in new.cells[1].outputs[0]


def test_the_lab_has_a_copy_that_follows_its_lesson_until_it_is_edited(tmp_path):
    lesson, folder = tmp_path / "00_a.ipynb", tmp_path / "mine"

    def write(path, code, **more):
        nbformat.write(v4.new_notebook(cells=[v4.new_code_cell(code)], **more), path)

    first = v4.new_code_cell("1", outputs=[v4.new_output("stream", text="of the lesson")], execution_count=3)
    nbformat.write(v4.new_notebook(cells=[first]), lesson)
    assert lab.copy(lesson, folder) == ""
    copied = nbformat.read(folder / lesson.name, 4)
    assert copied.cells[0].source == "1" and copied.cells[0].outputs == [] and copied.cells[0].execution_count is None
    copied.cells[0].outputs = [v4.new_output("stream", text="it was run")]
    nbformat.write(copied, folder / lesson.name)
    assert lab.copy(lesson, folder) == "" and "it was run" in (folder / lesson.name).read_text()
    write(lesson, "2")
    assert lab.copy(lesson, folder) == "" and nbformat.read(folder / lesson.name, 4).cells[0].source == "2"
    edited = nbformat.read(folder / lesson.name, 4)
    edited.cells[0].source = "my own"
    nbformat.write(edited, folder / lesson.name)
    assert lab.copy(lesson, folder) == "", "the lesson is as it was"
    write(lesson, "3")
    assert lab.copy(lesson, folder) == "00_a.ipynb in mine/ has your changes and stays; the lesson is newer."
    assert nbformat.read(folder / lesson.name, 4).cells[0].source == "my own"
