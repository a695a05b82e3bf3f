"""The page of references: it has every link of the lessons, and is the one that is stored."""

from tools import bibliography


def test_the_page_is_that_of_today_and_has_every_link_once():
    page = bibliography.page()
    assert bibliography.PAGE.read_text(encoding="utf-8") == page, "python -m tools.bibliography writes it"
    addresses = {address for _, _, address in bibliography.links()}
    assert len(addresses) >= 40 and page.count("\n- [") == len(addresses)
    assert all(f"]({address}):" in page for address in addresses)


def test_the_longest_name_stands_for_an_address(monkeypatch):
    told = [("00", "LVD", "https://a"), ("06", "LVD (Lian et al. 2024)", "https://a"), ("06", "LVD", "https://a")]
    monkeypatch.setattr(bibliography, "links", lambda: iter(told))
    assert bibliography.references() == {"https://a": ("LVD (Lian et al. 2024)", ["00", "06"])}


def test_an_address_may_have_parentheses(monkeypatch, tmp_path):
    lesson = tmp_path / "00_lesson.py"
    lesson.write_text("# %% [markdown]\n# ([Rudin](https://doi.org/10/0167(92)90242-F), [b](https://b))\n")
    monkeypatch.setattr(bibliography.notebooks, "sources", lambda: [lesson])
    assert [address for *_, address in bibliography.links()] == ["https://doi.org/10/0167(92)90242-F", "https://b"]
