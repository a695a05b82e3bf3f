"""The page of references: it has every link of the lessons, and is the one that is stored."""

from tools import references


def test_the_page_is_that_of_today_and_has_every_link_once():
    page = references.page()
    assert references.PAGE.read_text(encoding="utf-8") == page, "python -m tools.references writes it"
    addresses = {address for _, _, address in references.links()}
    assert len(addresses) >= 40 and page.count("\n- [") == len(addresses)
    assert all(f"]({address}):" in page for address in addresses)


def test_the_longest_name_stands_for_an_address(monkeypatch):
    told = [("00", "LVD", "https://a"), ("06", "LVD (Lian et al. 2024)", "https://a"), ("06", "LVD", "https://a")]
    monkeypatch.setattr(references, "links", lambda: iter(told))
    assert references.references() == {"https://a": ("LVD (Lian et al. 2024)", ["00", "06"])}
