"""The drawn diagrams: stored as they are drawn, readable as SVG, nothing off the paper, and shown by a lesson."""

import re
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest
import torch
from transformers import CLIPTokenizer

from tools import notebooks
from tools.diagrams import guidance, pipeline
from tools.diagrams.__main__ import DRAWINGS, OUT
from tools.diagrams.canvas import BLUE, GREEN, INK, LINE, NORMAL, SMALL, Canvas
from xattn_helpers.attention.maps import soft_threshold
from xattn_helpers.edits.energies import shape_energy
from xattn_helpers.pocket import WEIGHTS

SVG = "{http://www.w3.org/2000/svg}"
RECTANGLE = re.compile(r"M([\d.]+),([\d.]+)h([\d.]+)v([\d.]+)h-\3z")
each = pytest.mark.parametrize("name", DRAWINGS)


@each
def test_the_file_is_what_is_drawn(name):
    """After a change, `python -m tools.diagrams` must have been run."""
    assert (OUT / f"{name}.svg").read_text(encoding="utf-8") == DRAWINGS[name]().svg()


def rectangles(root):
    """Left, top, width and height of the cells of pictures."""
    found = [RECTANGLE.fullmatch(path.get("d", "")) for path in root.findall(f"{SVG}path")]
    return [tuple(map(float, rectangle.groups())) for rectangle in found if rectangle]


def test_a_cell_is_a_closed_path_in_its_colour():
    canvas = Canvas(100, 100, "")
    canvas.shade(1, 2.5, 10, BLUE, 1 / 3)
    canvas.fill(20, 30, 5, 6, GREEN)
    root = ElementTree.fromstring(canvas.svg())
    shade, fill = root.findall(f"{SVG}path")
    assert (shade.get("d"), shade.get("fill"), shade.get("fill-opacity")) == ("M1,2.5h10v10h-10z", BLUE, "0.333")
    assert (fill.get("fill"), fill.get("fill-opacity"), fill.get("stroke")) == (GREEN, None, INK)
    assert rectangles(root) == [(1, 2.5, 10, 10), (20, 30, 5, 6)]


def test_words_without_a_size_and_a_colour_have_those_of_the_drawing():
    canvas = Canvas(100, 100, "")
    canvas.words(1, 1, "one")
    canvas.words(1, 20, "two", size=SMALL, color=BLUE)
    root = ElementTree.fromstring(canvas.svg())
    one, two = root.findall(f"{SVG}text")
    assert (root.get("font-size"), root.get("fill")) == (str(NORMAL), INK)
    assert (one.get("font-size"), one.get("fill")) == (None, None)
    assert (two.get("font-size"), two.get("fill")) == (str(SMALL), BLUE)


@each
def test_it_tells_what_it_shows_and_stays_on_its_paper(name):
    canvas = DRAWINGS[name]()
    root = ElementTree.fromstring(canvas.svg())
    assert root.get("aria-label") == root.findtext(f"{SVG}title") == canvas.title
    for rectangle in root.findall(f"{SVG}rect")[1:]:
        x, y, width, height = (float(rectangle.get(name, "nan")) for name in ("x", "y", "width", "height"))
        assert 0 <= x and x + width <= canvas.width and 0 <= y and y + height <= canvas.height
    for x, y, width, height in rectangles(root):
        assert x + width <= canvas.width and y + height <= canvas.height
    for text in root.findall(f"{SVG}text"):
        assert 0 < float(text.get("x", "nan")) < canvas.width and 0 < float(text.get("y", "nan")) < canvas.height


def test_every_file_is_drawn_and_shown():
    assert {file.stem for file in OUT.iterdir()} == set(DRAWINGS)
    sources = [*notebooks.sources(), *notebooks.FOLDER.glob("lab/*.py")]
    lessons = "".join(source.read_text(encoding="utf-8") for source in sources)
    for name in DRAWINGS:
        assert f"diagrams/{name}.svg)" in lessons


def test_numbers_of_tokens_are_those_of_the_tokenizer():
    tokenizer = CLIPTokenizer.from_pretrained(WEIGHTS / "tokenizer")
    ids = tokenizer("a burger floats on the water", padding="max_length").input_ids
    assert [str(number) for number in ids[: len(pipeline.TOKENS)]] == list(pipeline.NUMBERS)


def test_lines_of_words_are_centred_about_their_height():
    canvas = Canvas(100, 100, "a & b")
    canvas.words(10, 50, "one|two", size=10)
    first, second = (ElementTree.fromstring(element) for element in canvas.elements)
    heights = [float(element.get("y", "nan")) for element in (first, second)]
    assert heights[1] - heights[0] == pytest.approx(10 * LINE, abs=0.1)
    assert sum(heights) / 2 - 0.35 * 10 == pytest.approx(50, abs=0.1)
    assert "a &amp; b" in canvas.svg()


def test_arrows_have_a_head_in_their_colour():
    canvas = Canvas(10, 10, "")
    canvas.arrow((0, 0), (5, 5), (9, 5), color=BLUE, dashed=True)
    canvas.box(1, 1, 2, 2, color=GREEN)
    (arrow,) = ElementTree.fromstring(canvas.svg()).findall(f"{SVG}path")
    assert arrow.get("d") == "M0,0L5,5L9,5" and arrow.get("stroke") == BLUE and arrow.get("stroke-dasharray")
    assert arrow.get("marker-end") == f"url(#head-{BLUE[1:]})" and f"id='head-{BLUE[1:]}'" in canvas.svg()


def test_the_numbers_of_the_energy_are_those_of_the_formula():
    maps = torch.tensor(guidance.MAP)
    np.testing.assert_allclose(guidance.raised(), soft_threshold(maps), atol=2e-4)
    energy = float(shape_energy(maps[None], torch.tensor(guidance.disc())[None]))
    assert f"E = {energy:.2f}" in DRAWINGS["energy"]().svg()
