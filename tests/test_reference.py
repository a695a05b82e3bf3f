"""The API reference, of a module with the shapes that this package writes."""

import html
import re

import pytest

from tools import reference

CODE = '''"""Energies of `maps`."""

from dataclasses import dataclass
from typing import Literal

from jaxtyping import Float
from torch import Tensor

Maps = Float[Tensor, "frames h w"]


def energy(maps: Float[Tensor, "*batch frames h w"], law: Literal["equal"] = "equal") -> Float[Tensor, " frames"]:
    """How far `maps` are from a target.

    maps: (..., frames, h, w), in [0, 1].
    Raises ValueError for an unknown law.
    """


@dataclass(frozen=True)
class Knobs:
    """All knobs."""

    target: Float[Tensor, "height width"]
    strength: float = 2.5
'''
PACKAGE = """\
'''A small package.'''

from .energies import energy

__all__ = ["energy"]
"""
# Everything by which a page may load something: attributes, styles, scripts.
LOADS = re.compile(
    r"""(?:src|data|poster)="(?!data:)[^"]*"|<link[^>]*href="|url\((?!["']?data:)|@import|import\(|XMLHttpRequest"""
)


@pytest.fixture
def pages(tmp_path, monkeypatch):
    package = tmp_path / "small_package"
    package.mkdir()
    (package / "__init__.py").write_text(PACKAGE)
    (package / "energies.py").write_text(CODE)
    monkeypatch.syspath_prepend(tmp_path)
    out = tmp_path / "api"
    out.mkdir()
    (out / "of_a_module_that_was_renamed.html").touch()
    assert reference.build(out, ["small_package", "small_package.energies"]) == out / "small_package.html"
    return {path.relative_to(out).as_posix(): path.read_text() for path in out.rglob("*.*")}


def test_the_reference_has_a_page_for_each_module(pages):
    assert set(pages) == {"index.html", "search.js", "small_package.html", "small_package/energies.html"}
    text = html.unescape(re.sub("<[^>]*>", "", pages["small_package/energies.html"]))
    text = re.sub(r"\s+", " ", text)
    assert "maps: Float[Tensor, '*batch frames h w'], law: Literal['equal'] = 'equal')" in text
    assert "-> Float[Tensor, 'frames']" in text
    assert "Maps = Float[Tensor, 'frames h w']" in text
    assert "target: Float[Tensor, 'height width']" in text and "strength: float" in text
    assert "maps: (..., frames, h, w), in [0, 1]." in text and "Raises ValueError" in text


def test_a_package_leads_to_its_modules_and_each_page_to_the_lessons(pages):
    assert 'href="small_package/energies.html"' in pages["small_package.html"]
    assert 'href="../index.html">All notebooks' in pages["small_package.html"]
    assert 'href="../../index.html">All notebooks' in pages["small_package/energies.html"]


def test_a_module_that_cannot_be_imported_is_an_error(tmp_path, monkeypatch):
    (tmp_path / "broken_module.py").write_text("import nothing_of_this_name")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(RuntimeError, match="broken_module"):
        reference.build(tmp_path / "api", ["broken_module"])


def test_nothing_is_loaded_from_a_network(pages):
    for name in ("small_package.html", "small_package/energies.html"):
        assert LOADS.findall(pages[name]) == []
        # The search loads the index beside the pages, as a script; what it fetches is the index as well.
        assert re.findall(r'script\.src = "([^"]*)"', pages[name]) == ["../" * name.count("/") + "search.js"]
        assert not re.search(r"""(?:fetch|Worker)\(["']?https?:""", pages[name])
    assert not re.search(r"fetch\(|importScripts|XMLHttpRequest|import\(", pages["search.js"])


@pytest.mark.parametrize("loading", ['<script src="https://a.b/c.js">', '<link href="a.css">', "url(https://a.b/c.woff)"])
def test_what_would_be_loaded_is_seen(loading):
    assert LOADS.search(loading) and not LOADS.search('<img src="data:image/png;base64,x"><a href="https://a.b">')
